"""The pendulum as a system of time series: exact at any amplitude, or for small angles."""

from collections.abc import Collection

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.physics import pendulum, ranges
from deepbench_torch.physics.arguments import sample_times
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.systems.gravity import (
    ANGLE,
    GRAVITY,
    LENGTH,
    MASS,
    as_sampled,
    gravity_of,
    needs_gravity,
)
from deepbench_torch.systems.system import (
    Channel,
    Options,
    Parameters,
    Quantity,
    Record,
    SampledSystems,
    Setting,
    System,
    varies,
)

FIELDS = {
    "length": LENGTH,
    "angle": ANGLE,
    "velocity": Quantity("radian / s", Parameter("number", Fixed(0.0)), role="start"),
    **GRAVITY,
    "friction": Quantity(
        "kg / s",
        Parameter("number", Fixed(0.0), **ranges.FRICTION._asdict()),
    ),
    "mass": MASS,
}
CHANNELS = [
    Channel("angle", "angle", "radian"),
    Channel("velocity", "velocity", "radian / s"),
    Channel("x", "x", "m"),
    Channel("y", "y", "m"),
]


def needs(given: Collection[str], options: Options) -> list[str]:
    """Return all parameters, with the gravity that is given."""
    return needs_gravity(list(FIELDS), given)


def channels(slots: int, options: Options) -> list[Channel]:
    """Return angle, angular velocity and position."""
    return CHANNELS


def simulate(sampled: SampledSystems, setting: Setting) -> Record:
    """Return the swing of pendulums; with parameters that vary, each time has its own."""
    parameters = sampled.parameters
    time = sample_times(setting.duration, setting.steps)
    if varies(FIELDS, parameters):
        parameters = {
            name: values if values.dim() == 2 else values[:, None].expand(-1, len(time))
            for name, values in parameters.items()
        }
        return _record(_each_time(parameters, setting, time=time), parameters)
    column = {name: values[:, None] for name, values in parameters.items()}
    return _record(_simulate(parameters, setting, time=time), column)


def _simulate(parameters: Parameters, setting: Setting, *, time: Tensor) -> pendulum.Motion[Tensor]:
    return pendulum.simulate(
        time,
        length=parameters["length"],
        angle=parameters["angle"],
        gravity=gravity_of(parameters),
        velocity=parameters["velocity"],
        friction=parameters["friction"],
        mass=parameters["mass"],
        method="small_angle" if setting.options["method"] == "small_angle" else "exact",
    )


def _each_time(
    parameters: Parameters, setting: Setting, *, time: Tensor
) -> pendulum.Motion[Tensor]:
    """Return the motion at each time with the parameters (B, T) of that time.

    In units of the time itself, every row is the same: time 1, with gravity, velocity
    and friction in these units. Time 0 stands for a time too short for float64 to see a motion.
    """
    unit = time.clamp_min(1e-20 * setting.duration).expand_as(parameters["length"])  # (B, T)
    scaled = dict(parameters) | {
        "gravity": gravity_of(parameters) * unit * unit,
        "velocity": parameters["velocity"] * unit,
        "friction": parameters["friction"] * unit,
    }
    flat = {name: values.reshape(-1) for name, values in scaled.items()}
    angle, velocity, position = _simulate(
        flat, setting, time=torch.ones(1, dtype=torch.float32, device="cpu")
    )
    return pendulum.Motion(
        angle=angle.reshape(unit.shape),
        velocity=velocity.reshape(unit.shape) / unit,
        position=position.reshape(*unit.shape, 2),
    )


def _record(motion: pendulum.Motion[Tensor], parameters: Parameters) -> Record:
    """Return channels and energies of a motion; parameters of shape (B, 1) or (B, T)."""
    mass, length = parameters["mass"], parameters["length"]
    speed = length * motion.velocity
    lift = 2 * exact_math.sin(motion.angle / 2).square()  # 1 - cos angle, without loss near 0
    columns = (motion.angle, motion.velocity, *motion.position.unbind(2))
    return Record(
        series=torch.stack(columns, dim=2),
        kinetic=mass * speed * speed / 2,
        potential=mass * gravity_of(parameters) * length * lift,
    )


PENDULUM = System(
    name="pendulum",
    time_unit="s",
    energy_unit="J",
    fields=FIELDS,
    options={"method": ("exact", "small_angle")},
    memoryless=True,
    required=needs,
    phase_plane=("angle", "velocity"),
    channels=channels,
    initial_state=as_sampled,
    simulate=simulate,
)
