"""A recipe of time series: a system, its parameters, the moments and the noise."""

from typing import Any, ClassVar, Self, final

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from deepbench_torch.objects.parameters import check_prior
from deepbench_torch.recipes.base import AbstractRecipe, Content, Part, Positive, PriorField
from deepbench_torch.systems import SYSTEMS, Channel, Clock, System

MOST_STEPS = 1_000_000


class Time(Part):
    """The moments recorded: `steps` + 1, from 0 to `duration` [the system's unit of time].

    `substeps` are steps of the integrator for each, where there is one.
    """

    duration: Positive
    steps: int = Field(ge=1, le=MOST_STEPS)
    substeps: int = Field(default=1, ge=1, le=MOST_STEPS)


@final
class SeriesRecipe(AbstractRecipe):
    """What a catalogue's time series hold.

    Attributes:
        system: What moves, a name of `SYSTEMS`.
        time: The moments recorded.
        parameters: The priors of the system's parameters; null for one that may be left out. A
            parameter that is not named has the prior of `SYSTEMS`.
        options: What else the system lets one choose.
    """

    content: ClassVar[Content] = "series"

    system: str
    time: Time
    parameters: dict[str, PriorField]
    options: dict[str, str | int] = Field(default_factory=dict)

    @field_validator("system")
    @classmethod
    def _known(cls, system: str) -> str:
        if system not in SYSTEMS:
            raise ValueError(f"unknown system {system!r}; the systems are {', '.join(SYSTEMS)}")
        return system

    @field_validator("parameters", mode="before")
    @classmethod
    def _given(cls, parameters: object) -> object:
        """Without those that are null."""
        if not isinstance(parameters, dict):
            return parameters
        return {name: prior for name, prior in parameters.items() if prior is not None}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Parameters and options known and sensible; what is left out is filled in, in order."""
        definition = self.definition
        _refuse_unknown(f"{self.system} has no parameter", self.parameters, definition.fields)
        _refuse_unknown(f"{self.system} has no option", self.options, definition.options)
        complete = {
            name: self.parameters.get(name, quantity.rule.prior)
            for name, quantity in definition.fields.items()
            if name in self.parameters or not quantity.optional
        }
        for name, prior in complete.items():
            check_prior(f"{self.system}.{name}", definition.fields[name].rule, prior)
        definition.check(complete)
        for name, choice in self.options.items():
            choices = definition.options[name]
            if choice not in choices:
                raise ValueError(
                    f"options.{name} must be one of {', '.join(map(str, choices))}, got {choice!r}"
                )
        # frozen against others; these are the same values, complete and in order
        self.__dict__["parameters"] = complete
        return self

    @property
    def definition(self) -> System:
        """The system, as `SYSTEMS` has it."""
        return SYSTEMS[self.system]

    @property
    def clock(self) -> Clock:
        """The moments recorded."""
        return Clock(self.time.duration, self.time.steps, self.time.substeps)

    @property
    def chosen(self) -> dict[str, str | int]:
        """The options, complete."""
        first = {name: choices[0] for name, choices in self.definition.options.items()}
        return first | self.options

    @property
    def channels(self) -> list[Channel]:
        """The columns of a series, in their order."""
        return self.definition.channels(self.parameters, self.chosen)

    @property
    @override
    def shape(self) -> tuple[int, int]:
        return self.time.steps + 1, len(self.channels)

    @property
    @override
    def extent(self) -> str:
        moments, channels = self.shape
        return f"{moments} moments x {channels} channels"

    @property
    @override
    def classes(self) -> list[str]:
        """The names of the columns of the label: the parameters."""
        return list(self.parameters)

    @property
    @override
    def annotations(self) -> dict[str, Any]:
        return {
            "channels": [channel.name for channel in self.channels],
            "units": [channel.unit for channel in self.channels],
            "duration": self.time.duration,
            "time_unit": self.definition.time_unit,
        }

    @override
    def unit(self, path: str) -> str | None:
        match path.split("/"):
            case [_, self.system, name]:
                return self.definition.fields[name].unit
        return None


def _refuse_unknown(complaint: str, given: dict[str, Any], known: Any) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"{complaint} {', '.join(unknown)}; it has {', '.join(known) or 'none'}")
