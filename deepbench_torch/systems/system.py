"""What a simulated system is: its parameters, what is recorded of it, and how it moves."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from deepbench_torch.objects.parameters import Parameter
from deepbench_torch.priors import Prior

Parameters = Mapping[str, Tensor]
Options = Mapping[str, str | int]


class Quantity(NamedTuple):
    """One parameter of a system.

    Attributes:
        unit: Its unit, "" for a plain number.
        rule: Its default prior and the values that make sense.
        optional: Whether a recipe may do without it; then it has no default.
        slots: Whether every slot for a body has a value of its own.
    """

    unit: str
    rule: Parameter
    optional: bool = False
    slots: bool = False


class Channel(NamedTuple):
    """One column of a series: its name, what it measures and its unit."""

    name: str
    quantity: str
    unit: str


class Clock(NamedTuple):
    """The moments recorded: `steps` + 1 of them, from 0 to `duration`."""

    duration: float
    steps: int
    substeps: int


class Record(NamedTuple):
    """What B systems do at T moments, in C channels; float64.

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
        fields: Its parameters by name, in order.
        options: What else can be chosen, by name: the choices, the default first.
        check: Refuses priors that do not go together.
        channels: The columns of a series, for some priors and options.
        follow: From parameters (B,) or (B, slots), a clock and options to a record.
    """

    name: str
    time_unit: str
    energy_unit: str
    fields: Mapping[str, Quantity]
    options: Mapping[str, tuple[str | int, ...]]
    check: Callable[[Mapping[str, Prior]], None]
    channels: Callable[[Mapping[str, Prior], Options], list[Channel]]
    follow: Callable[[Parameters, Clock, Options], Record]
