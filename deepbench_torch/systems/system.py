"""Systems of time series: their parameters, their record and their motion."""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, NamedTuple

from torch import Tensor

from deepbench_torch.priors.parameter import Parameter

Parameters = Mapping[str, Tensor]
Options = Mapping[str, str | int]
# constant: in the equations of motion; start: the state at time 0; design: decides the start and
# then plays no part
Role = Literal["constant", "start", "design"]


class Quantity(NamedTuple):
    """One parameter of a system.

    Attributes:
        unit: Its unit, "" for a plain number.
        rule: Its default prior and the values that make sense.
        role: What part it plays in the motion.
        slots: Whether every slot for a body has a value of its own.
        turns: Whether it is an angle, so that whole turns change nothing.
    """

    unit: str
    rule: Parameter
    role: Role = "constant"
    slots: bool = False
    turns: bool = False


class Channel(NamedTuple):
    """One column of a series: its name, what it measures, its unit and the slot of its body."""

    name: str
    quantity: str
    unit: str
    slot: int = 0


class Setting(NamedTuple):
    """The recorded times, `steps` + 1 of them from 0 to `duration`, and what else is chosen."""

    duration: float
    steps: int
    substeps: int
    options: Options

    @property
    def one_step(self) -> "Setting":
        """The setting of the motion from one time to the next."""
        return self._replace(duration=self.duration / self.steps, steps=1)


class SampledSystems(NamedTuple):
    """Parameters of B systems.

    Attributes:
        parameters: By name, float64, shape (B,) or (B, slots); where a parameter has a value of its
            own at every time, (B, T) or (B, T, slots).
        present: Which slots hold a body, bool, shape (B, slots); None if there are no slots.
    """

    parameters: dict[str, Tensor]
    present: Tensor | None = None


class Record(NamedTuple):
    """Record of B systems at T times, in C channels; float64.

    Attributes:
        series: Shape (B, T, C).
        kinetic: Kinetic energy, shape (B, T).
        potential: Potential energy, shape (B, T).
    """

    series: Tensor
    kinetic: Tensor
    potential: Tensor


class System(NamedTuple):
    """A kind of system that a recipe of time series can name.

    Attributes:
        name: The kind, as recipes and files call it.
        time_unit: The unit of time.
        energy_unit: The unit of energies.
        fields: All parameters that it may have by name, in order.
        options: What else can be chosen, by name: the choices, the default first.
        memoryless: Whether the state at a time follows from the parameters alone, so that noise can
            change the initial values as well from time to time.
        required: The names of the parameters that a recipe must have, for some options.
        phase_plane: The two measured quantities that span the plane in which motion is plotted.
        channels: The columns of a series for some number of slots, under some options.
        initial_state: From samples of the priors to the systems.
        simulate: From systems and a setting to a record.
    """

    name: str
    time_unit: str
    energy_unit: str
    fields: Mapping[str, Quantity]
    options: Mapping[str, tuple[str | int, ...]]
    memoryless: bool
    required: Callable[[Collection[str], Options], list[str]]
    phase_plane: tuple[str, str]
    channels: Callable[[int, Options], list[Channel]]
    initial_state: Callable[[dict[str, Tensor], Options], SampledSystems]
    simulate: Callable[[SampledSystems, Setting], Record]


def varies(fields: Mapping[str, Quantity], parameters: Parameters) -> bool:
    """Return whether any parameter has a value of its own at every time."""
    return any(_varies(fields[name], values) for name, values in parameters.items())


def at_time(
    fields: Mapping[str, Quantity], parameters: Parameters, number: int
) -> dict[str, Tensor]:
    """Return the parameters that hold at a time, shape (B,) or (B, slots)."""
    return {
        name: values[:, number].contiguous() if _varies(fields[name], values) else values
        for name, values in parameters.items()
    }


def _varies(quantity: Quantity, values: Tensor) -> bool:
    return values.dim() == (3 if quantity.slots else 2)
