"""A recipe of time series: a system, its parameters, the moments and the noise."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, WrapValidator, field_validator, model_validator
from typing_extensions import override

from deepbench_torch.arguments import Fault, FaultsError, Location, nearest
from deepbench_torch.objects.parameters import prior_fault
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.ladder import Rung, series_rungs
from deepbench_torch.recipes.messages import shown
from deepbench_torch.recipes.part import Number, Part, Positive, PriorField, Whole
from deepbench_torch.recipes.plain import UnitAt, left_out
from deepbench_torch.recipes.series_doubts import series_doubts
from deepbench_torch.recipes.units import series_units
from deepbench_torch.systems import SYSTEMS, Channel, Setting, System

MOST_STEPS = 1_000_000
LARGEST_NOISE = 0.5  # beyond, a relative error is no longer normal: see `series.FACTOR`
Relative = Annotated[Number, Field(ge=0, le=LARGEST_NOISE)]
Deviation = Annotated[Number, Field(ge=0)]


def _as_written(choice: Any, _: object) -> Any:
    """Return an option's value unchecked; the system knows its choices."""
    return choice


class Time(Part):
    """The moments recorded: `steps` + 1, from 0 to `duration` in the system's unit of time.

    `substeps` are steps of the integrator for each, where there is one.
    """

    duration: Positive
    steps: Whole = Field(ge=1, le=MOST_STEPS)
    substeps: Whole = Field(default=1, ge=1, le=MOST_STEPS)


class SeriesNoise(Part):
    """What comes between the parameters and what is measured of the motion; all of it is normal.

    Attributes:
        draw: Whether the noise of a parameter is drawn once for a "trajectory" or once for every
            "step", that is, for every moment recorded. Then a pendulum's moments each show the
            swing of their own parameters; where motion is integrated, a moment's parameters act
            until the next, and starting values, of which there is one, keep one noise.
        parameters: By name, the standard deviation of a parameter relative to its value; null for
            none.
        measurement: By what is measured, the standard deviation in its unit; null for none.
    """

    draw: Literal["trajectory", "step"] = "trajectory"
    parameters: dict[str, Relative] | None = None
    measurement: dict[str, Deviation] | None = None

    @property
    def of_parameters(self) -> dict[str, float]:
        """The noise of parameters by name, where there is any."""
        return {name: sigma for name, sigma in (self.parameters or {}).items() if sigma > 0}

    @property
    def of_measurement(self) -> dict[str, float]:
        """The noise of measurement by what is measured, where there is any."""
        return {name: sigma for name, sigma in (self.measurement or {}).items() if sigma > 0}


@final
class SeriesRecipe(AbstractRecipe):
    """What a catalogue's time series hold.

    Attributes:
        system: What moves, a name of `SYSTEMS`.
        time: The moments recorded.
        parameters: The priors of the system's parameters. One that is left out or null has the
            prior of `SYSTEMS`, or is done without.
        options: What else the system lets one choose.
        noise: Noise of the parameters and of the measurement.
    """

    content: ClassVar[Content] = "series"
    plural: ClassVar[str] = "time series"

    system: str
    time: Time
    parameters: dict[str, PriorField] = Field(default_factory=dict)
    options: dict[str, Annotated[str | int, WrapValidator(_as_written)]] = Field(
        default_factory=dict
    )
    noise: SeriesNoise = SeriesNoise()

    @field_validator("system")
    @classmethod
    def _known(cls, system: str) -> str:
        if system not in SYSTEMS:
            hint = nearest(system, SYSTEMS).strip() or "write one of them"
            raise ValueError(f"expected one of {', '.join(SYSTEMS)}, got {system!r}; {hint}")
        return system

    @field_validator("parameters", mode="before")
    @classmethod
    def _given(cls, parameters: object) -> object:
        """Leave out known parameters that are null."""
        if not isinstance(parameters, dict):
            return parameters
        return left_out(parameters, (name for known in SYSTEMS.values() for name in known.fields))

    @classmethod
    @override
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        return series_units(plain.get("system"))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """All known and sensible; parameters that are left out are filled in, in order."""
        system = self.definition
        _check_known(("options",), self.options, system.options)
        for name, choice in self.options.items():
            _check_choice(("options", name), choice, system.options[name])
        needed = system.needs(self.parameters, self.chosen)
        _check_known(("parameters",), self.parameters, needed)
        complete = {
            name: self.parameters.get(name, system.fields[name].rule.prior) for name in needed
        }
        found = {name: prior_fault(system.fields[name].rule, complete[name]) for name in complete}
        faults = [Fault(("parameters", name), text) for name, text in found.items() if text]
        if faults:
            raise FaultsError(faults)
        # frozen to others; these are the same priors, complete and in order
        self.__dict__["parameters"] = freeze(complete)
        self._check_noise()
        return self

    def _check_noise(self) -> None:
        fields = self.definition.fields
        noisy = [name for name in self.parameters if fields[name].role != "design"]
        _check_known(("noise", "parameters"), self.noise.parameters or {}, noisy)
        measured = dict.fromkeys(channel.quantity for channel in self.channels)
        _check_known(("noise", "measurement"), self.noise.measurement or {}, measured)

    @override
    def doubts(self) -> Iterator[Fault]:
        return series_doubts(self)

    @override
    def rungs(self) -> list[Rung]:
        """The ladder from the motion without noise to this recipe itself."""
        return series_rungs(self)

    @property
    def definition(self) -> System:
        """The system, as `SYSTEMS` has it."""
        return SYSTEMS[self.system]

    @property
    def chosen(self) -> dict[str, str | int]:
        """The options, complete."""
        first = {name: choices[0] for name, choices in self.definition.options.items()}
        return first | self.options

    @property
    def setting(self) -> Setting:
        """The moments recorded and the options, complete."""
        return Setting(self.time.duration, self.time.steps, self.time.substeps, self.chosen)

    @property
    def slots(self) -> int:
        """How many bodies a system can have."""
        return int(self.parameters["bodies"].support[1]) if "bodies" in self.parameters else 1

    @property
    def channels(self) -> list[Channel]:
        """The columns of a series, in their order."""
        return self.definition.channels(self.slots, self.chosen)

    @property
    @override
    def shape(self) -> tuple[int, int]:
        return self.time.steps + 1, len(self.channels)

    @property
    @override
    def size_text(self) -> str:
        moments, channels = self.shape
        return f"{moments} moments x {channels} channels"

    @property
    @override
    def classes(self) -> list[str]:
        """The names of the label's columns: the parameters that differ, slot by slot."""
        fields = self.definition.fields
        names = [name for name, prior in self.parameters.items() if not isinstance(prior, Fixed)]
        return [
            f"{name}{slot}" if fields[name].slots else name
            for name in names
            for slot in range(self.slots if fields[name].slots else 1)
        ]

    @property
    @override
    def single_label(self) -> bool:
        return False

    @property
    @override
    def attributes(self) -> dict[str, Any]:
        return {
            "channels": [channel.name for channel in self.channels],
            "units": [channel.unit for channel in self.channels],
            "duration": self.time.duration,
            "time_unit": self.definition.time_unit,
        }

    @override
    def _units_by_path(self) -> dict[str, str | None]:
        system, energy = self.definition, self.definition.energy_unit
        units: dict[str, str | None] = dict.fromkeys(("series", "clean", "label", "index"))
        units |= {"time": system.time_unit, "kinetic": energy, "potential": energy}
        units[f"present/{system.name}"] = None
        for part in ("parameters", "used"):
            for name, quantity in system.fields.items():
                units[f"{part}/{system.name}/{name}"] = quantity.unit
        return units


def _check_known(location: Location, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse names that are not known.

    Raises:
        FaultsError: With every unknown name.
    """
    faults = []
    for name in (name for name in given if name not in known):
        hint = nearest(name, known).strip() or "remove it"
        rule = f"one of the names {', '.join(known)}" if known else "no name here"
        faults.append(Fault((*location, name), f"expected {rule}, got {shown(name)}; {hint}"))
    if faults:
        raise FaultsError(faults)


def _check_choice(location: Location, choice: object, choices: Collection[str | int]) -> None:
    """Refuse an option's value that is none of its choices.

    Raises:
        FaultsError: With the value.
    """
    if isinstance(choice, bool) or choice not in choices:
        hint = nearest(choice, choices).strip() or "write one of them"
        rule = " or ".join(map(repr, choices))
        raise FaultsError([Fault(location, f"expected {rule}, got {shown(choice)}; {hint}")])
