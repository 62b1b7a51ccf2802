"""The keys of a series recipe: system, times, parameters, options and noise."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictInt, WrapValidator
from typing_extensions import override

from deepbench_torch.numerics.fields import Number, Positive
from deepbench_torch.priors import Fixed, Prior
from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.part import Part, PriorField
from deepbench_torch.systems import SYSTEMS, Channel, Setting, System

MOST_STEPS = 1_000_000
LARGEST_NOISE = 0.5  # a larger relative error is no longer normal: see `series.FACTOR`
Relative = Annotated[Number, Field(ge=0, le=LARGEST_NOISE)]
Deviation = Annotated[Number, Field(ge=0)]


def _unchecked(choice: Any, _: object) -> Any:
    """Return an option's value unchecked; the system knows its choices."""
    return choice


class Time(Part):
    """Recorded times: `steps` + 1 of them, evenly spaced from 0 to `duration`.

    Attributes:
        duration: Last recorded time, in the system's unit of time.
        steps: Number of intervals between recorded times.
        substeps: Integration steps per interval, for systems that are integrated.
    """

    duration: Positive
    steps: StrictInt = Field(ge=1, le=MOST_STEPS)
    substeps: StrictInt = Field(default=1, ge=1, le=MOST_STEPS)


class SeriesNoise(Part):
    """Normal noise of the parameters and of the measurement.

    Attributes:
        draw: "trajectory" to sample the noise of a parameter once per series, "step" to sample it
            for every recorded time. With "step", each time of a pendulum shows the motion for its
            own parameters. In integrated motion the parameters of a time act until the next time,
            and initial values have one noise per series.
        parameters: Standard deviation by parameter, relative to its value; null for none.
        measurement: Standard deviation by measured quantity, in its unit; null for none.
    """

    draw: Literal["trajectory", "step"] = "trajectory"
    parameters: dict[str, Relative] | None = None
    measurement: dict[str, Deviation] | None = None

    @property
    def of_parameters(self) -> dict[str, float]:
        """The noise of parameters by name, without zeros."""
        return {name: sigma for name, sigma in (self.parameters or {}).items() if sigma > 0}

    @property
    def of_measurement(self) -> dict[str, float]:
        """The noise of measurement by quantity, without zeros."""
        return {name: sigma for name, sigma in (self.measurement or {}).items() if sigma > 0}


class AbstractSeriesRecipe(AbstractRecipe):
    """Keys of a series recipe, without the checks across keys.

    Attributes:
        system: Simulated system, a name of `SYSTEMS`.
        time: Times that are recorded.
        parameters: Priors of the system's parameters. A parameter left out or null has its prior in
            `SYSTEMS`, or is not used if the system does not need it.
        options: Options of the system by name.
        noise: Noise of the parameters and of the measurement.
    """

    content: ClassVar[Content] = "series"
    plural: ClassVar[str] = "time series"
    array_name: ClassVar[str] = "series"
    shape_remedy: ClassVar[str] = "use recipes of the same times and channels"

    system: str
    time: Time
    parameters: dict[str, PriorField] = Field(default_factory=dict)
    options: dict[str, Annotated[str | int, WrapValidator(_unchecked)]] = Field(
        default_factory=dict
    )
    noise: SeriesNoise = SeriesNoise()

    @property
    def definition(self) -> System:
        """The system's entry in `SYSTEMS`."""
        return SYSTEMS[self.system]

    @property
    def chosen(self) -> dict[str, str | int]:
        """All options of the system, with defaults filled in."""
        first = {name: choices[0] for name, choices in self.definition.options.items()}
        return first | self.options

    @property
    def setting(self) -> Setting:
        """The recorded times and all options."""
        return Setting(self.time.duration, self.time.steps, self.time.substeps, self.chosen)

    @property
    def slots(self) -> int:
        """The largest number of bodies of a system."""
        return int(self.parameters["bodies"].support[1]) if "bodies" in self.parameters else 1

    @property
    @override
    def class_labels(self) -> bool:
        return False

    @property
    @override
    def label_name(self) -> str:
        return "parameters"

    @property
    @override
    def owners(self) -> list[str]:
        return [self.system]

    @override
    def priors_of(self, owner: str) -> Mapping[str, Prior]:
        return self.parameters

    @property
    @override
    def channels(self) -> list[Channel]:
        """The columns of a series, in order."""
        return self.definition.channels(self.slots, self.chosen)

    @property
    @override
    def shape(self) -> tuple[int, int]:
        return self.time.steps + 1, len(self.channels)

    @property
    @override
    def size_text(self) -> str:
        times, channels = self.shape
        return f"{times} times x {channels} channels"

    @property
    @override
    def classes(self) -> list[str]:
        """The names of the label's columns: the parameters that vary, slot by slot."""
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
