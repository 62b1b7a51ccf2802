"""Pendulum: a bob on a rigid arm without mass, at any amplitude."""

import math
from collections.abc import Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args

import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.checks import as_tensor
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.physics import arguments, ranges, swing
from deepbench_torch.physics.arguments import Number

Array = TypeVar("Array")
UNITS = {
    "length": "m",
    "angle": "radian",
    "gravity": "m / s^2",
    "velocity": "radian / s",
    "friction": "kg / s",
    "mass": "kg",
}
Method = Literal["exact", "small_angle"]


class Motion(NamedTuple, Generic[Array]):
    """Motion of B pendulums at T times.

    Attributes:
        angle: From hanging straight down, counter-clockwise; over the top it runs on [radian],
            shape (B, T).
        velocity: Angular velocity [radian / s], shape (B, T).
        position: The bob seen from the pivot, x to the right and y upward [m], shape (B, T, 2).
    """

    angle: Array
    velocity: Array
    position: Array

    def numpy(self) -> "Motion[NDArray[Any]]":
        """Return the same record as NumPy arrays that share its memory, without gradients."""
        return Motion(*(arguments.to_array(field) for field in self))


@independent_of_settings
def simulate(
    time: Tensor,
    *,
    length: Number,
    angle: Number,
    gravity: Number,
    velocity: Number = 0.0,
    friction: Number = 0.0,
    mass: Number = 1.0,
    method: Method = "exact",
) -> Motion[Tensor]:
    """Follow pendulums from their start at time 0.

    The method "exact" solves, at any amplitude,

        d2phi/dt2 = -(gravity / length) sin phi - (friction / mass) dphi/dt.

    Released from rest without friction, the solution is closed, in Jacobi's elliptic functions.
    With friction or a starting velocity (or where their gradients are needed) it is integrated
    in steps of at most a quarter radian of phase, to order 10: within 1e-9 radian over 100 radians
    of phase up to 170 degrees; nearer to upright any error grows exponentially, rounding too.
    The method "small_angle" puts phi for sin phi: the damped harmonic oscillator, closed.

    All is worked out in float64, and a pendulum's motion depends on that pendulum alone.
    All arguments but time and method are numbers or tensors of shape (B,); B is 1 for numbers.

    Args:
        time: Times >= 0, in any order and any real dtype [s], shape (T,), T >= 1.
        length: From pivot to bob, > 0 [m].
        angle: Starting angle from -pi to pi [radian].
        gravity: Acceleration of free fall, > 0 [m / s^2]; see `gravity_of_planet`.
        velocity: Starting angular velocity [radian / s].
        friction: Drag on the bob, force by speed, >= 0 [kg / s].
        mass: Mass of the bob, > 0 [kg]; it matters only together with friction.
        method: "exact" or "small_angle".

    Returns:
        The motion in the widest floating dtype of these tensors, at least float32, and float64 if
        there is none; differentiable by each of them. The dtype of time plays no part.

    Raises:
        ValueError: If a value is out of range or shapes do not fit.
    """
    if method not in get_args(Method):
        raise ValueError(f"pendulum.method must be 'exact' or 'small_angle', got {method!r}")
    time = _checked_time(in_units("pendulum", {"time": time}, {"time": "s"})["time"])
    given: dict[str, Number] = {"length": length, "angle": angle, "gravity": gravity}
    given |= {"velocity": velocity, "friction": friction, "mass": mass}
    given = in_units("pendulum", given, UNITS)
    dtype = arguments.result_dtype(*given.values(), otherwise=torch.float64)
    rows = arguments.as_batch("pendulum", given)
    check_body("pendulum", rows)
    _check_motion(rows)
    column = {name: row[:, None] for name, row in rows.items()}  # (B, 1)
    pendulums = swing.Pendulums(
        angle=column["angle"].clamp(-math.pi, math.pi),
        velocity=column["velocity"],
        stiffness=column["gravity"] / column["length"],
        drag=column["friction"] / column["mass"],
    )
    phi, rate = swing.SOLUTIONS[method](time.to(rows["angle"].device), pendulums)
    position = (
        torch.stack((exact_math.sin(phi), -exact_math.cos(phi)), dim=2)
        * column["length"][..., None]
    )
    return Motion(phi.to(dtype), rate.to(dtype), position.to(dtype))


def gravity_of_planet(*, big_g: Number, phi: Number) -> Number:
    """Return the acceleration of free fall on a planet, big_g phi: the level above `gravity`.

    Args:
        big_g: The constant of gravitation, 6.674e-11 in this world [m^3 / (kg s^2)].
        phi: Mass of the planet by the square of its radius, 1.47e11 for the Earth [kg / m^2].

    Returns:
        gravity [m / s^2], a number or a tensor of shape (B,).
    """
    return big_g * phi


def _checked_time(time: Tensor) -> Tensor:
    """Return times as float64, refused if they are out of range."""
    time = as_tensor(time)
    if time.dim() != 1 or len(time) == 0:
        raise ValueError(
            f"pendulum.time must have shape (T,) with T >= 1, got {tuple(time.shape)}; "
            "for one time give torch.tensor([t])"
        )
    arguments.check_real("pendulum.time", time)
    wrong = (~((time >= 0) & time.isfinite())).nonzero()
    if len(wrong):
        index = int(wrong[0])
        raise ValueError(
            f"pendulum.time must be finite and >= 0, got {float(time[index]):g} at index {index}; "
            "the pendulum starts at time 0"
        )
    return time.double()


def check_body(owner: str, rows: Mapping[str, Tensor]) -> None:
    """Refuse a length, gravity or mass with which nothing swings.

    Raises:
        ValueError: With the first such value, its place and a remedy.
    """
    allowed = {"length": ranges.LENGTH, "gravity": ranges.FREE_FALL, "mass": ranges.MASS}
    for name, values in allowed.items():
        arguments.check_range(f"{owner}.{name}", rows[name], values)


def _check_motion(rows: Mapping[str, Tensor]) -> None:
    arguments.check_angle("pendulum.angle", rows["angle"])
    arguments.check_range("pendulum.velocity", rows["velocity"], ranges.VELOCITY)
    arguments.check_range("pendulum.friction", rows["friction"], ranges.FRICTION)
