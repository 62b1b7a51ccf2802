"""Hamiltonian pendulum: angle q and momentum p, by a symplectic integrator."""

from typing import Any, Generic, NamedTuple, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.physics import arguments, ranges
from deepbench_torch.physics.arguments import Number
from deepbench_torch.physics.pendulum import check_body

Array = TypeVar("Array")

# Yoshida (1990, Physics Letters A 150, 262): three leapfrog steps, the middle one backwards, whose
# errors of third order cancel
_OUTER = 1 / (2 - 2 ** (1 / 3))
YOSHIDA = (_OUTER, 1 - 2 * _OUTER, _OUTER)
UNITS = {
    "q": "radian",
    "p": "kg m^2 / s",
    "length": "m",
    "gravity": "m / s^2",
    "mass": "kg",
}


class PhasePath(NamedTuple, Generic[Array]):
    """Paths of B pendulums in phase space at T times, the start included.

    Attributes:
        time: Times [s], shape (T,).
        q: Angle from hanging straight down; over the top it runs on [radian], shape (B, T).
        p: Angular momentum, mass length**2 dq/dt [kg m^2 / s], shape (B, T).
        dq_dt: Rate of q, dH/dp [radian / s], shape (B, T).
        dp_dt: Rate of p, -dH/dq [kg m^2 / s^2], shape (B, T).
        energy: H, 0 for a pendulum that hangs still [J], shape (B, T).
    """

    time: Array
    q: Array
    p: Array
    dq_dt: Array
    dp_dt: Array
    energy: Array

    def numpy(self) -> "PhasePath[NDArray[Any]]":
        """Return the same record as NumPy arrays that share its memory, without gradients."""
        return PhasePath(*(arguments.to_array(field) for field in self))


@independent_of_settings
def simulate(
    q: Number,
    p: Number = 0.0,
    *,
    length: Number,
    gravity: Number,
    mass: Number = 1.0,
    duration: float,
    steps: int,
    substeps: int = 1,
) -> PhasePath[Tensor]:
    """Follow pendulums in phase space, by Hamilton's equations.

    The energy is H = p**2 / (2 mass length**2) + mass gravity length (1 - cos q), and
    dq/dt = dH/dp, dp/dt = -dH/dq. The integrator is Yoshida's of fourth order, symplectic and
    reversible: with w = sqrt(gravity / length) and h = duration / steps / substeps, the energy of
    a pendulum that swings stays within 0.2 (w h)**4 mass gravity length of its start and does not
    drift. Choose substeps so that w h is 0.2 or less, and for one that goes over the top so that
    h dq/dt is. All is worked out in float64; a pendulum's path depends on that pendulum alone.

    All but the division of time are numbers or tensors of shape (B,); B is 1 for numbers.

    Args:
        q: Starting angle from -pi to pi [radian].
        p: Starting momentum [kg m^2 / s].
        length: From pivot to bob, > 0 [m].
        gravity: Acceleration of free fall, > 0 [m / s^2].
        mass: Mass of the bob, > 0 [kg].
        duration: Time from the first record to the last [s].
        steps: Records after the first, T - 1.
        substeps: Steps of the integrator for each of these.

    Returns:
        The paths in the widest floating dtype of the tensors given, at least float32, and float64
        if there is none; differentiable by each of them.

    Raises:
        ValueError: If a value is out of range or shapes do not fit.
    """
    duration = in_units("hamiltonian", {"duration": duration}, {"duration": "s"})["duration"]
    arguments.check_steps("hamiltonian", duration=duration, steps=steps, substeps=substeps)
    given: dict[str, Number] = {"q": q, "p": p, "length": length, "gravity": gravity, "mass": mass}
    given = in_units("hamiltonian", given, UNITS)
    dtype = arguments.result_dtype(*given.values(), otherwise=torch.float64)
    rows = arguments.as_batch("hamiltonian", given)
    check_body("hamiltonian", rows)
    arguments.check_angle("hamiltonian.q", rows["q"])
    arguments.check_range("hamiltonian.p", rows["p"], ranges.MOMENTUM)
    inertia = rows["mass"] * rows["length"] ** 2
    weight = rows["mass"] * rows["gravity"] * rows["length"]
    path = [(rows["q"], rows["p"])]
    for _ in range(steps):
        state = path[-1]
        for _ in range(substeps):
            state = _step(*state, inertia, weight, step=duration / steps / substeps)
        path.append(state)
    angle, momentum = (torch.stack(field, dim=1) for field in zip(*path, strict=True))
    time = arguments.sample_times(duration, steps).to(angle.device)
    record = _record(time, angle, momentum, inertia=inertia[:, None], weight=weight[:, None])
    return PhasePath(*(field.to(dtype) for field in record))


def _step(
    q: Tensor, p: Tensor, inertia: Tensor, weight: Tensor, *, step: float
) -> tuple[Tensor, Tensor]:
    for share in YOSHIDA:
        p = p - exact_math.sin(q) * weight * (share * step / 2)
        q = q + p / inertia * (share * step)
        p = p - exact_math.sin(q) * weight * (share * step / 2)
    return q, p


def _record(
    time: Tensor, q: Tensor, p: Tensor, *, inertia: Tensor, weight: Tensor
) -> PhasePath[Tensor]:
    lift = 2 * exact_math.sin(q / 2).square()  # 1 - cos q, without loss near 0
    return PhasePath(
        time=time,
        q=q,
        p=p,
        dq_dt=p / inertia,
        dp_dt=-weight * exact_math.sin(q),
        energy=p * p / (2 * inertia) + weight * lift,
    )
