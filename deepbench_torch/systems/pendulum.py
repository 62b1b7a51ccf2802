"""The pendulum as a system of time series: exact at any amplitude."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from deepbench_torch.objects.parameters import Parameter
from deepbench_torch.physics import arguments, pendulum
from deepbench_torch.priors import Fixed, LogUniform, Prior, Uniform
from deepbench_torch.systems.system import (
    Channel,
    Clock,
    Options,
    Parameters,
    Quantity,
    Record,
    System,
)

CHANNELS = [
    Channel("angle", "angle", "radian"),
    Channel("velocity", "velocity", "radian / s"),
    Channel("x", "x", "m"),
    Channel("y", "y", "m"),
]


def check_gravity(priors: Mapping[str, Prior]) -> None:
    """Refuse priors that give no gravity or two.

    Raises:
        ValueError: With what was found.
    """
    given = [name for name in ("gravity", "big_g", "phi") if name in priors]
    if given not in (["gravity"], ["big_g", "phi"]):
        raise ValueError(
            "give either gravity, or big_g and phi, whose product it is, "
            f"got {', '.join(given) or 'none of them'}; set the others to null"
        )


def gravity_of(parameters: Parameters) -> Tensor:
    """The acceleration of free fall [m / s^2], given or as big_g phi."""
    if "gravity" in parameters:
        return parameters["gravity"]
    return parameters["big_g"] * parameters["phi"]


def _channels(priors: Mapping[str, Prior], options: Options) -> list[Channel]:
    return CHANNELS


def _follow(parameters: Parameters, clock: Clock, options: Options) -> Record:
    time = arguments.sample_times(clock.duration, clock.steps)
    gravity, length, mass = gravity_of(parameters), parameters["length"], parameters["mass"]
    motion = pendulum.simulate(
        time,
        length=length,
        angle=parameters["angle"],
        gravity=gravity,
        velocity=parameters["velocity"],
        friction=parameters["friction"],
        mass=mass,
        method="small_angle" if options["method"] == "small_angle" else "exact",
    )
    return _record(motion, gravity=gravity[:, None], length=length[:, None], mass=mass[:, None])


def _record(
    motion: pendulum.Motion[Tensor], *, gravity: Tensor, length: Tensor, mass: Tensor
) -> Record:
    speed = length * motion.velocity
    lift = 2 * (motion.angle / 2).sin().square()  # 1 - cos angle, without loss near 0
    columns = (motion.angle, motion.velocity, *motion.position.unbind(2))
    return Record(
        series=torch.stack(columns, dim=2),
        kinetic=mass * speed * speed / 2,
        potential=mass * gravity * length * lift,
    )


LENGTH = Quantity(
    "m", Parameter("number", Uniform(0.5, 2.0), above=0.0, remedy="an arm has a length")
)
ANGLE = Quantity(
    "radian",
    Parameter(
        "number",
        Uniform(-2.5, 2.5),
        above=-math.pi,
        below=math.pi,
        closed=True,
        closed_below=True,
        remedy="if it is in degrees, multiply it by pi / 180",
    ),
)
GRAVITY = Quantity(
    "m / s^2",
    Parameter("number", LogUniform(1.0, 25.0), above=0.0, remedy="give its size; it pulls down"),
    optional=True,
)
BIG_G = Quantity(
    "m^3 / (kg s^2)",
    Parameter("number", Fixed(6.674e-11), above=0.0, remedy="gravity attracts"),
    optional=True,
)
PHI = Quantity(
    "kg / m^2",
    Parameter(
        "number", LogUniform(2.0e10, 4.0e11), above=0.0, remedy="mass / radius^2 of the planet"
    ),
    optional=True,
)
MASS = Quantity("kg", Parameter("number", Fixed(1.0), above=0.0, remedy="a bob has a mass"))

PENDULUM = System(
    name="pendulum",
    time_unit="s",
    energy_unit="J",
    fields={
        "length": LENGTH,
        "angle": ANGLE,
        "velocity": Quantity("radian / s", Parameter("number", Fixed(0.0))),
        "gravity": GRAVITY,
        "big_g": BIG_G,
        "phi": PHI,
        "friction": Quantity(
            "kg / s",
            Parameter("number", Fixed(0.0), above=0.0, closed=True, remedy="turn its sign round"),
        ),
        "mass": MASS,
    },
    options={"method": ("exact", "small_angle")},
    check=check_gravity,
    channels=_channels,
    follow=_follow,
)
