"""N bodies under their own gravity: softened Newtonian forces, symplectic leapfrog."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.differentiation import is_differentiated
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.physics import arguments, ranges
from deepbench_torch.physics.arguments import Number

Array = TypeVar("Array")
OWN_UNITS = "units are the caller's, so convert all to one system and use .value"

# Numbers in the largest tensor of a step, and in the record of a chunk: the first stays in a
# processor's second-level cache, the second bounds memory
STEP_SIZE = 1 << 15
RECORD_SIZE = 1 << 24


class Trajectory(NamedTuple, Generic[Array]):
    """Motion of B systems of N bodies in D dimensions at T times, the start included.

    Attributes:
        time: Times, shape (T,).
        position: Shape (B, T, N, D).
        velocity: Shape (B, T, N, D).
        kinetic: Kinetic energy, the sum of m v**2 / 2 over bodies, shape (B, T).
        potential: Potential energy of all pairs, shape (B, T).
    """

    time: Array
    position: Array
    velocity: Array
    kinetic: Array
    potential: Array

    def numpy(self) -> "Trajectory[NDArray[Any]]":
        """Return the same record as NumPy arrays that share its memory, without gradients."""
        return Trajectory(*(arguments.to_array(field) for field in self))


Leapfrog = Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]


class Kernel:
    """The compiled leapfrog, which a higher layer registers.

    Attributes:
        load: Returns the function `native.bodies.leapfrog`; None for tensors alone.
    """

    load: ClassVar[Callable[[], Leapfrog] | None] = None


class _System(NamedTuple):
    """B systems of N bodies; one floating dtype, gravity, softening and damping (B,)."""

    mass: Tensor  # (B, N)
    position: Tensor  # (B, N, D)
    velocity: Tensor  # (B, N, D)
    gravity: Tensor
    softening: Tensor
    damping: Tensor


class _Pairs(NamedTuple):
    """Every body with each of the others, in ascending order; C systems side by side."""

    other: Tensor  # (N - 1, N), int64
    strength: Tensor  # gravity times the other's mass, (N - 1, N, C)
    softening2: Tensor  # (C,)


@independent_of_settings
def simulate(
    mass: Tensor,
    position: Tensor,
    velocity: Tensor,
    *,
    gravity: Number = 1.0,
    softening: Number,
    duration: float,
    steps: int,
    substeps: int = 1,
    damping: Number = 0.0,
) -> Trajectory[Tensor]:
    """Follow bodies that attract one another.

    The potential of a pair is -gravity m_i m_j / sqrt(r**2 + softening**2) (Plummer 1911, MNRAS
    71, 460), and dv/dt = acceleration - damping v. Steps are kick-drift-kick leapfrog, of second
    order, the damping within the drift and exact for a free body; without damping they are
    symplectic and reversible. Units are the caller's: gravity = 1 for masses and lengths of order
    one, gravity = 4 pi**2 for solar masses, astronomical units and years.

    A system's result depends on that system alone, bit for bit. A body of mass 0 acts on nothing,
    so it may stand for an absent one: the others move as if it were not there, bit for bit. The
    step is fixed: make it short against the closest encounter, softening / speed.

    Args:
        mass: Shape (B, N), N >= 1; not negative, and not all 0 in a system.
        position: Where the bodies start, shape (B, N, D), D = 2 or 3.
        velocity: How they start, shape (B, N, D).
        gravity: The gravitational constant, one number or shape (B,).
        softening: Length within which a pull fades, > 0, one number or shape (B,).
        duration: Time from the first record to the last.
        steps: Records after the first, T - 1.
        substeps: Leapfrog steps for each of these.
        damping: Drag for each mass [1 / time], one number or shape (B,).

    Returns:
        The trajectories, in the widest dtype of mass, position and velocity, at least float32;
        differentiable by every tensor given.

    Raises:
        ValueError: If a value is out of range or shapes do not fit.
    """
    given: dict[str, Any] = {"mass": mass, "position": position, "velocity": velocity}
    given |= {"gravity": gravity, "softening": softening, "damping": damping, "duration": duration}
    given = in_units("nbody", given, {}, remedy=OWN_UNITS)
    duration = given.pop("duration")
    arguments.check_steps("nbody", duration=duration, steps=steps, substeps=substeps)
    forces = {name: given.pop(name) for name in ("gravity", "softening", "damping")}
    bodies = arguments.as_bodies("nbody", **given)
    system = _System(*bodies, *_checked_forces(forces, bodies[0]))
    time = arguments.sample_times(duration, steps).to(system.position)
    leapfrog = _kernel(system)
    if leapfrog is not None:
        step = duration / steps / substeps
        strengths = (system.gravity, system.softening, *_damped_drift(system.damping, step))
        motion = leapfrog(system[:3], strengths, step=step, steps=steps, substeps=substeps)
        return Trajectory(time, *motion)
    record = _empty_record(system, time)
    chunk = _chunk_size(system, steps)
    for start in range(0, len(system.mass), chunk):
        rows = slice(start, start + chunk)
        part = _System(*(field[rows] for field in system))
        motion = _leapfrog(part, step=duration / steps / substeps, steps=steps, substeps=substeps)
        for target, piece in zip(record[1:], motion, strict=True):
            target[rows] = piece.movedim(-1, 0)
    return record


def _kernel(system: _System) -> Leapfrog | None:
    """Return the kernel if it can simulate the systems: double precision without derivatives."""
    plain = system.mass.dtype == torch.float64 and system.mass.device.type == "cpu"
    if Kernel.load is None or not plain or torch.compiler.is_compiling():
        return None
    return None if any(map(is_differentiated, system)) else Kernel.load()


def _leapfrog(
    system: _System, *, step: float, steps: int, substeps: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return positions and velocities (T, N, D, C), kinetic and potential energies (T, C)."""
    mass, x, v = (field.movedim(0, -1).contiguous() for field in system[:3])  # (N, D, C)
    pairs = _pair_up(mass, system)
    decay, reach = _damped_drift(system.damping, step)
    # a factor of 1 changes no bit, so it is left out unless its gradient is needed
    damped = is_differentiated(system.damping) or bool((system.damping != 0).any())
    half_step = _Pairs(pairs.other, pairs.strength * (step / 2), pairs.softening2)
    kick, closeness = _pull(x, half_step)
    record = [(x, v, _potential(mass, closeness, pairs=pairs))]
    for _ in range(steps):
        for _ in range(substeps):
            v = v + kick
            x = x + v * reach
            kick, closeness = _pull(x, half_step)
            v = v * decay + kick if damped else v + kick
        record.append((x, v, _potential(mass, closeness, pairs=pairs)))
    position, velocity, potential = (torch.stack(field) for field in zip(*record, strict=True))
    return position, velocity, _kinetic(mass, velocity), potential


def _pull(x: Tensor, pairs: _Pairs) -> tuple[Tensor, Tensor]:
    """Return accelerations (N, D, C) and inverse softened distances (N - 1, N, C)."""
    apart = x.index_select(0, pairs.other.flatten()).view(*pairs.other.shape, *x.shape[1:]) - x
    squares = apart * apart  # (N - 1, N, D, C)
    distance2 = reduce(torch.add, squares.unbind(2), pairs.softening2)
    closeness = 1 / exact_math.sqrt(distance2)
    weight = pairs.strength * (closeness * closeness * closeness)
    return _total(apart * weight[:, :, None]), closeness


def _pair_up(mass: Tensor, system: _System) -> _Pairs:
    count = len(mass)
    slot = torch.arange(count - 1, dtype=torch.int64, device=mass.device)[:, None]
    other = slot + (slot >= torch.arange(count, dtype=torch.int64, device=mass.device))
    return _Pairs(other, system.gravity * mass[other], system.softening * system.softening)


def _damped_drift(damping: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """Return what is left of a velocity after a step, and the way for a unit of velocity: (C,).

    With x = damping * step these are exp(-x) and step * (1 - exp(-x)) / x.
    """
    x = damping.double() * step
    small = x < 1e-4  # the series is exact to rounding, and has a slope at 0
    series = 1 - x / 2 * (1 - x / 3 * (1 - x / 4))
    reach = step * torch.where(small, series, -exact_math.expm1(-x) / torch.where(small, 1.0, x))
    return exact_math.decay(x).to(damping), reach.to(damping)


def _kinetic(mass: Tensor, velocity: Tensor) -> Tensor:
    """Return kinetic energies (T, C) of velocities (T, N, D, C)."""
    speed2 = reduce(torch.add, (velocity * velocity).unbind(2))  # (T, N, C)
    return _total((speed2 * mass).movedim(1, 0)) / 2


def _potential(mass: Tensor, closeness: Tensor, *, pairs: _Pairs) -> Tensor:
    """Return potential energies (C,): half the sum over bodies, which counts each pair twice."""
    return _total(mass * _total(closeness * pairs.strength)) / -2


def _total(terms: Tensor) -> Tensor:
    """Return the sum over the first dimension, term after term.

    `Tensor.sum` picks an order by shape, so a batch would not equal its singles; and zeros in
    between must change nothing.
    """
    return reduce(torch.add, terms) if len(terms) else terms.new_zeros(terms.shape[1:])


def _chunk_size(system: _System, steps: int) -> int:
    """Return how many systems to follow side by side."""
    _, count, dimensions = system.position.shape
    pairs = max(1, count - 1) * count
    record = (steps + 1) * count
    return max(1, min(STEP_SIZE // (pairs * dimensions), RECORD_SIZE // (record * dimensions)))


def _empty_record(system: _System, time: Tensor) -> Trajectory[Tensor]:
    size, count, dimensions = system.position.shape
    position, velocity = (time.new_empty(size, len(time), count, dimensions) for _ in range(2))
    kinetic, potential = (time.new_empty(size, len(time)) for _ in range(2))
    return Trajectory(time, position, velocity, kinetic, potential)


def _checked_forces(forces: Mapping[str, Number], mass: Tensor) -> list[Tensor]:
    """Return gravity, softening and damping, checked, as (B,) tensors like `mass`."""
    rows = arguments.as_batch("nbody", forces, size=len(mass))
    gravity, softening, damping = (row.to(mass) for row in rows.values())
    arguments.check_range("nbody.gravity", gravity, ranges.GRAVITATION)
    arguments.check_range("nbody.damping", damping, ranges.DRAG)
    arguments.check_range("nbody.softening", softening, ranges.SOFTENING)
    arguments.check(
        "nbody.softening",
        softening,
        (softening**-3).isfinite(),
        must=f"large enough for 1 / softening**3 to be finite in {mass.dtype}",
        remedy="take a larger one, or float64",
    )
    return [gravity, softening, damping]
