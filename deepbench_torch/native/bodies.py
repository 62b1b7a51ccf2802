"""Kernel of the motion of bodies: the leapfrog of `physics.nbody`, one system after another.

It takes the same IEEE operations in the same order as the tensor path, so that both have the same
bits, and neither contracts nor reorders any.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from numba import float64, int64, types
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.native import run
from deepbench_torch.native.compile import compile_entry, entry, kernel

Array = NDArray[np.float64]


def leapfrog(
    state: tuple[Tensor, Tensor, Tensor],
    forces: tuple[Tensor, Tensor, Tensor, Tensor],
    *,
    step: float,
    steps: int,
    substeps: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the motion of systems of bodies.

    Args:
        state: Mass (B, N), position and velocity (B, N, D), float64 on the CPU.
        forces: Gravity, softening, and of the damped drift the factor left of a velocity after a
            step and the way for a unit of velocity, float64, shape (B,).
        step: Length of an integration step.
        steps: Records after the first.
        substeps: Integration steps for each of these.

    Returns:
        Position and velocity (B, T, N, D), kinetic and potential energy (B, T).
    """
    mass, position, velocity = (_array(field) for field in state)
    (size, count, dimensions), times = position.shape, steps + 1
    path = np.empty((size, times, count, dimensions))
    speed, kinetic, potential = (
        np.empty_like(path),
        np.empty((size, times)),
        np.empty((size, times)),
    )
    table = np.stack([_array(field) for field in forces])
    _load()
    _simulate(mass, position, velocity, table, step, substeps, path, speed, kinetic, potential)
    found = (torch.from_numpy(each) for each in (path, speed, kinetic, potential))
    return next(found), next(found), next(found), next(found)


def _array(field: Tensor) -> Array:
    return np.ascontiguousarray(field.numpy())


@kernel
def _pull(
    x: Array, kick: Array, well: Array, mass: Array, gravity: float, softening: float, half: float
) -> float:
    """Write the changes of velocity in half a step; return the potential energy.

    A pair is worked out once for both bodies. Each still meets the others in ascending order, as in
    the tensor path; the first term is no sum with 0, which would take the sign of a -0.
    """
    count, dimensions = x.shape
    kick[:], well[:] = 0.0, 0.0
    for one in range(count):
        for two in range(one + 1, count):
            distance2 = softening * softening
            for axis in range(dimensions):
                apart = x[two, axis] - x[one, axis]
                distance2 = distance2 + apart * apart
            closeness = 1 / math.sqrt(distance2)
            cube = closeness * closeness * closeness
            on_one, on_two = gravity * mass[two], gravity * mass[one]
            well[one], well[two] = well[one] + closeness * on_one, well[two] + closeness * on_two
            for axis in range(dimensions):
                apart = x[two, axis] - x[one, axis]
                pull, back = apart * (on_one * half * cube), -apart * (on_two * half * cube)
                kick[one, axis] = pull if one == 0 and two == 1 else kick[one, axis] + pull
                kick[two, axis] = back if one == 0 else kick[two, axis] + back
    energy = 0.0
    for body in range(count):
        energy = energy + mass[body] * well[body]
    return energy / -2


@kernel
def _kinetic(v: Array, mass: Array) -> float:
    """Return the kinetic energy."""
    total = 0.0
    for body in range(len(v)):
        speed2 = v[body, 0] * v[body, 0]
        for axis in range(1, v.shape[1]):
            speed2 = speed2 + v[body, axis] * v[body, axis]
        total = total + speed2 * mass[body]
    return total / 2


@entry
def _simulate(
    mass: Array, position: Array, velocity: Array, forces: Array, step: float, substeps: int,
    path: Array, speed: Array, kinetic: Array, potential: Array,
) -> None:  # fmt: skip
    """Write the records of every system."""
    size, times, count, dimensions = path.shape
    x = np.empty((count, dimensions))
    v, kick, well = np.empty_like(x), np.empty_like(x), np.empty(count)
    for row in range(size):
        gravity, softening, decay, reach = forces[:, row]
        x[:], v[:] = position[row], velocity[row]
        energy = _pull(x, kick, well, mass[row], gravity, softening, step / 2)
        for time in range(times):
            if time > 0:
                for _ in range(substeps):
                    for body in range(count):
                        for axis in range(dimensions):
                            v[body, axis] = v[body, axis] + kick[body, axis]
                            x[body, axis] = x[body, axis] + v[body, axis] * reach
                    energy = _pull(x, kick, well, mass[row], gravity, softening, step / 2)
                    for body in range(count):
                        for axis in range(dimensions):
                            v[body, axis] = v[body, axis] * decay + kick[body, axis]
            path[row, time], speed[row, time] = x, v
            kinetic[row, time] = _kinetic(v, mass[row])
            potential[row, time] = energy


def _array_type(dimensions: int) -> Any:
    return types.Array(float64, dimensions, "C")


@cache
def _load() -> None:
    """Compile the kernel, or load it, while no process forks."""
    systems, table = [_array_type(3)] * 2, _array_type(2)
    records = [_array_type(4)] * 2 + [_array_type(2)] * 2
    signature = (_array_type(2), *systems, table, float64, int64, *records)
    run.while_no_fork(lambda: compile_entry(_simulate, signature))
