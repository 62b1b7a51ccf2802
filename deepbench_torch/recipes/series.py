"""A recipe of time series: validated, complete and immutable."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Self, final

from pydantic import field_validator, model_validator
from torch import Tensor
from typing_extensions import override

from deepbench_torch.numerics.checks import Fault, FaultsError, Location, nearest
from deepbench_torch.priors.parameter import prior_fault
from deepbench_torch.recipes.base import Rung
from deepbench_torch.recipes.density import series_log_prob
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.ladder import series_rungs
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.plain import UnitAt, drop_null
from deepbench_torch.recipes.series_doubts import series_doubts
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe
from deepbench_torch.recipes.series_vector import series_vector
from deepbench_torch.recipes.units import series_units
from deepbench_torch.recipes.vector import Vector
from deepbench_torch.systems import SYSTEMS


@final
class SeriesRecipe(AbstractSeriesRecipe):
    """Definition of a catalogue's time series.

    `AbstractSeriesRecipe` describes the keys.

    Raises:
        ValueError: If keys are wrong; it lists each fault with its remedy.

    Example:
        >>> import deepbench_torch as db
        >>> recipe = db.load_recipe("pendulum")
        >>> recipe.shape, [channel.name for channel in recipe.channels]
        ((201, 4), ['angle', 'velocity', 'x', 'y'])
    """

    @field_validator("system")
    @classmethod
    def _check_system(cls, system: str) -> str:
        if system not in SYSTEMS:
            hint = nearest(system, SYSTEMS).strip() or "write one of them"
            raise ValueError(f"expected one of {', '.join(SYSTEMS)}, got {system!r}; {hint}")
        return system

    @field_validator("parameters", mode="before")
    @classmethod
    def _drop_null(cls, parameters: object) -> object:
        """Leave out known parameters that are null."""
        if not isinstance(parameters, dict):
            return parameters
        return drop_null(parameters, (name for known in SYSTEMS.values() for name in known.fields))

    @classmethod
    @override
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        return series_units(plain.get("system"))

    @model_validator(mode="after")
    def _check_keys_together(self) -> Self:
        """Check options, parameters and noise, and fill in the missing parameters, in order."""
        system = self.definition
        _check_known(("options",), self.options, known=system.options)
        for name, choice in self.options.items():
            _check_choice(("options", name), choice, choices=system.options[name])
        required = system.required(self.parameters, self.chosen)
        _check_known(("parameters",), self.parameters, known=required)
        complete = {
            name: self.parameters.get(name, system.fields[name].rule.prior) for name in required
        }
        found = {name: prior_fault(system.fields[name].rule, complete[name]) for name in complete}
        faults = [Fault(("parameters", name), text) for name, text in found.items() if text]
        if faults:
            raise FaultsError(faults)
        # the fields are frozen for users; these are the same priors, complete and in order
        self.__dict__["parameters"] = freeze(complete)
        self._check_noise()
        return self

    def _check_noise(self) -> None:
        fields = self.definition.fields
        noisy = [name for name in self.parameters if fields[name].role != "design"]
        _check_known(("noise", "parameters"), self.noise.parameters or {}, known=noisy)
        measured = dict.fromkeys(channel.quantity for channel in self.channels)
        _check_known(("noise", "measurement"), self.noise.measurement or {}, known=measured)

    @property
    @override
    def vector(self) -> Vector:
        return series_vector(self)

    def log_prob(self, parameters: Mapping[str, Any]) -> Tensor:
        """Return the joint log density of the parameters of some series under the priors.

        Noise of parameters does not count: they are those before it.

        Args:
            parameters: By name, shape (B,), in the units of the system, as `sample.parameters`.

        Returns:
            float64, shape (B,), the sum of `Prior.log_prob`; -inf for impossible parameters.

        Raises:
            ValueError: If a parameter is missing or unknown, or if the system changes parameters
                after they are sampled, as "nbody" does.

        Example:
            >>> import deepbench_torch as db, torch
            >>> sample = db.generate("pendulum", 0, torch.arange(3))
            >>> sample.recipe.log_prob(sample.parameters).shape
            torch.Size([3])
        """
        return series_log_prob(self, parameters)

    @override
    def doubts(self) -> Iterator[Fault]:
        return series_doubts(self)

    @override
    def rungs(self) -> list[Rung]:
        """Return the difficulty ladder, from the motion without noise to the recipe itself."""
        return series_rungs(self)


def _check_known(location: Location, names: Iterable[str], *, known: Collection[str]) -> None:
    """Refuse unknown names.

    Raises:
        FaultsError: If a name is unknown; it lists every unknown name.
    """
    faults = []
    for name in (name for name in names if name not in known):
        hint = nearest(name, known).strip() or "remove it"
        rule = f"one of the names {', '.join(known)}" if known else "no name"
        faults.append(Fault((*location, name), f"expected {rule}, got {short_repr(name)}; {hint}"))
    if faults:
        raise FaultsError(faults)


def _check_choice(location: Location, choice: object, *, choices: Collection[str | int]) -> None:
    """Refuse an option's value that is not one of its choices.

    Raises:
        FaultsError: If the value is not one of the choices.
    """
    if isinstance(choice, bool) or choice not in choices:
        hint = nearest(choice, choices).strip() or "write one of them"
        rule = " or ".join(map(repr, choices))
        raise FaultsError([Fault(location, f"expected {rule}, got {short_repr(choice)}; {hint}")])
