"""Solutions of the pendulum's equation: released from rest, with friction or a push, and harmonic.

Each takes times (T,) and pendulums, and gives angles and angular velocities (B, T) in float64.
"""

import math
from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.differentiation import is_differentiated

# Landen steps after which no modulus is left, not even that of a pendulum that starts upright
LEVELS = 10
# A step of order 10 combines midpoint rules that divide it so often, with these weights
DIVISIONS = (2, 4, 6, 8, 10)
WEIGHTS = tuple(math.prod(n * n / (n * n - m * m) for m in DIVISIONS if m != n) for n in DIVISIONS)
STEPS_PER_RADIAN = 4
MOST_STEPS = 1_000_000
# Numbers (samples x times) in a tensor of the closed forms: it stays in a processor's cache
CHUNK = 1 << 15


class Pendulums(NamedTuple):
    """B pendulums; every field float64, shape (B, 1)."""

    angle: Tensor  # at time 0 [radian]
    velocity: Tensor  # angular, at time 0 [radian / s]
    stiffness: Tensor  # gravity / length [1 / s^2]
    drag: Tensor  # friction / mass [1 / s]


Solution = tuple[Tensor, Tensor]  # angles and angular velocities
Solver = Callable[[Tensor, Pendulums], Solution]


def exact(time: Tensor, pendulums: Pendulums) -> Solution:
    """Solve at any amplitude: each row in closed form where there is one, else step by step."""
    driven = ((pendulums.drag != 0) | (pendulums.velocity != 0)).squeeze(1)
    if is_differentiated(pendulums.drag) or is_differentiated(pendulums.velocity):
        driven = torch.ones_like(driven)
    phi, rate = (time.new_empty(len(driven), len(time)) for _ in range(2))
    for rows, solve in ((~driven, released), (driven, integrated)):
        phi[rows], rate[rows] = solve(time, Pendulums(*(field[rows] for field in pendulums)))
    return phi, rate


def released(time: Tensor, pendulums: Pendulums) -> Solution:
    """Solve at any amplitude, from rest and without friction, in closed form."""
    return _in_chunks(_elliptic, time, pendulums=pendulums)


def harmonic(time: Tensor, pendulums: Pendulums) -> Solution:
    """Solve with phi for sin phi, in closed form, for weak and for strong drag."""
    return _in_chunks(_harmonic, time, pendulums=pendulums)


def _in_chunks(solve: Solver, time: Tensor, *, pendulums: Pendulums) -> Solution:
    """Solve some rows at a time."""
    size, rows = len(pendulums.angle), max(1, CHUNK // len(time))
    phi, rate = (time.new_empty(size, len(time)) for _ in range(2))
    for start in range(0, size, rows):
        part = slice(start, start + rows)
        phi[part], rate[part] = solve(time, Pendulums(*(field[part] for field in pendulums)))
    return phi, rate


def _elliptic(time: Tensor, pendulums: Pendulums) -> Solution:
    """Solve by tan(phi / 2) = k cn(u) / k' and dphi/dt = -2 w k k' sn(u) / dn(u).

    Here w = sqrt(stiffness), u = w t, k = sin(angle / 2) and k' = cos(angle / 2). The first is the
    usual sin(phi / 2) = k sn(K - u), written so that no digits are lost near upright.
    """
    half, frequency = pendulums.angle / 2, exact_math.sqrt(pendulums.stiffness)
    k, complement = exact_math.sin(half), exact_math.cos(half)
    sn, cn, dn = jacobi(frequency * time, k, complement)
    phi = 2 * exact_math.atan(cn * (k / complement))
    return phi, sn / dn * (-2 * frequency * k * complement)


def jacobi(u: Tensor, k: Tensor, complement: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return Jacobi's elliptic functions sn, cn and dn, by Landen's transformation.

    Abramowitz & Stegun (1964), 16.12, down to modulus 0, where they are sin, cos and 1; dn is
    written as a sum, so that it keeps its digits as the modulus nears 1.

    Args:
        u: Arguments, float64, shape (B, T).
        k: Modulus, from -1 to 1, float64, shape (B, 1).
        complement: sqrt(1 - k**2), > 0, float64, shape (B, 1).

    Returns:
        sn(u, k), cn(u, k) and dn(u, k), each of shape (B, T).
    """
    levels = []
    for _ in range(LEVELS):
        rest = 2 * complement / (1 + complement)  # 1 - the next modulus
        total = 1 + complement
        k, complement = (k / total).square(), 2 * exact_math.sqrt(complement) / total
        levels.append((k, rest))
        u = u / (1 + k)
    sn, cn, dn = exact_math.sin(u), exact_math.cos(u), torch.ones_like(u)
    for k, rest in reversed(levels):
        sn2 = sn * sn
        scale = 1 / (1 + k * sn2)
        sn, cn, dn = sn * scale * (1 + k), cn * dn * scale, (cn * cn + sn2 * rest) * scale
    return sn, cn, dn


def _harmonic(time: Tensor, pendulums: Pendulums) -> Solution:
    angle, velocity, stiffness, drag = pendulums
    half = drag / 2
    gap = stiffness - half * half
    # critical drag is a limit of weak
    root = exact_math.sqrt(torch.maximum(gap.abs(), stiffness * 1e-16))
    decay, phase = exact_math.decay(half * time), root * time
    swing = decay * exact_math.cos(phase), decay * exact_math.sin(phase) / root
    # cosh and sinh times the decay, in exponents that are never positive
    slow = exact_math.decay(stiffness / (half + root) * time)
    lost = -exact_math.expm1(-2 * phase)
    creep = slow * (1 - lost / 2), slow * lost / (2 * root)
    even, odd = (torch.where(gap > 0, *pair) for pair in zip(swing, creep, strict=True))
    phi = angle * even + (velocity + half * angle) * odd
    return phi, velocity * even - (half * velocity + stiffness * angle) * odd


def integrated(time: Tensor, pendulums: Pendulums) -> Solution:
    """Solve with friction or a push, in at least STEPS_PER_RADIAN steps a radian of phase.

    Steps a second are a power of 2 by each row's own pace; rows that share it go together.
    """
    times, order = time.sort()
    pace = exact_math.sqrt(pendulums.stiffness) + pendulums.velocity.abs() + pendulums.drag
    power = torch.frexp(pace.detach().squeeze(1) * STEPS_PER_RADIAN).exponent
    _check_cost(times[-1] * 2.0**power)
    states = time.new_empty(2, len(power), len(time))
    for exponent in sorted(set(power.tolist())):
        rows = power == exponent
        chosen = Pendulums(*(field[rows] for field in pendulums))
        states[:, rows] = _integrate(times, chosen, resolution=2.0**exponent)
    phi, rate = states[..., order.argsort()]
    return phi, rate


def _check_cost(steps: Tensor) -> None:
    if len(steps) and float(steps.max()) > MOST_STEPS:
        raise ValueError(
            f"pendulum with friction or a starting velocity must be followed in at most "
            f"{MOST_STEPS:,} steps, got {float(steps.max()):,.0f}; shorten time, or bring "
            "gravity / length, velocity or friction / mass to the scale of the motion"
        )


def _integrate(times: Tensor, pendulums: Pendulums, *, resolution: float) -> Tensor:
    """Return states (2, B, T) at ascending times, in at least `resolution` steps a second."""
    angle, velocity, stiffness, drag = (field.squeeze(1) for field in pendulums)
    now, record = 0.0, []
    for at in times.tolist():
        count = math.ceil((at - now) * resolution)
        for _ in range(count):
            step = (at - now) / count
            angle, velocity = extrapolated_step(Pendulums(angle, velocity, stiffness, drag), step)
        record.append(torch.stack((angle, velocity)))
        now = at
    return torch.stack(record, dim=2)


def extrapolated_step(pendulums: Pendulums, step: float) -> Solution:
    """Return angles and angular velocities a step later, to order 10; fields of any one shape.

    Midpoint rules extrapolated to infinitely many divisions: Gragg (1965); Hairer, Norsett &
    Wanner (1993), Solving Ordinary Differential Equations I, II.9.
    """
    angle, velocity, stiffness, drag = pendulums

    def brake(angle: Tensor, velocity: Tensor) -> Tensor:
        return exact_math.sin(angle) * stiffness + velocity * drag

    def midpoint(divisions: int) -> Solution:
        part = step / divisions
        before, now = (angle, velocity), (angle + velocity * part, velocity - start * part)
        for _ in range(divisions - 1):
            later = before[0] + now[1] * (2 * part), before[1] - brake(*now) * (2 * part)
            before, now = now, later
        return now

    start = brake(angle, velocity)
    angles, velocities = zip(*(midpoint(divisions) for divisions in DIVISIONS), strict=True)
    return _weighted(angles), _weighted(velocities)


def _weighted(estimates: tuple[Tensor, ...]) -> Tensor:
    return reduce(torch.add, (value * w for value, w in zip(estimates, WEIGHTS, strict=True)))


SOLUTIONS: dict[str, Solver] = {"exact": exact, "small_angle": harmonic}
