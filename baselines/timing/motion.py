"""Time of N-body simulations: one batch, against one by one with scipy.

Each simulation has three bodies of the recipe nbody and 200 recorded steps. Both sides are timed by
the seconds of one processor. The tolerance of scipy gives about equal accuracy: the positions
differ by about 1e-4 au, the error of the leapfrog.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import deepbench_torch as db

Floats = NDArray[np.float64]
T = TypeVar("T")
METHOD = "DOP853"
TOLERANCE = 1e-6  # relative; a tenth of it absolute [au, au / yr]


class NbodyTiming(NamedTuple):
    """Times of trajectories in one batch, and of a sample of them one by one.

    Attributes:
        trajectories: Number of trajectories in the batch.
        batched: Time of the batch [s].
        sample: Number of trajectories in the sample.
        singles: Time of the sample, one by one [s].
        difference: Median over the sample of the largest distance between both results [au].
    """

    trajectories: int
    batched: float
    sample: int
    singles: float
    difference: float

    @property
    def ratio(self) -> float:
        """Time a trajectory, one by one, relative to the batch."""
        return (self.singles / self.sample) / (self.batched / self.trajectories)

    def __str__(self) -> str:
        one_by_one = self.singles / self.sample * self.trajectories
        return (
            f"{self.trajectories:,} N-body trajectories of 3 bodies and 200 steps, one thread: "
            f"{self.batched:.1f} s in one call; one by one with solve_ivp ({METHOD}, rtol "
            f"{TOLERANCE:g}) {one_by_one:.0f} s, scaled from a sample of {self.sample}: "
            f"{self.ratio:.0f} times longer; the positions differ by {self.difference:.0e} au"
        )


def time_nbody(trajectories: int = 10_000, *, sample: int = 50) -> NbodyTiming:
    """Time simulations in one batch, and a sample of them one by one with scipy.

    Args:
        trajectories: Number of trajectories in the batch.
        sample: Number of trajectories that scipy simulates.
    """
    recipe = three_bodies()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    batched, generated = _timed(lambda: db.generate(recipe, 0, torch.arange(trajectories)))
    torch.set_num_threads(threads)
    sample = min(sample, trajectories)
    singles, paths = _timed(lambda: [solve_with_scipy(generated, row) for row in range(sample)])
    clean = generated.clean[:sample].view(sample, -1, 3, 4)[..., :2].numpy()
    largest = np.linalg.norm(np.stack(paths) - clean, axis=3).max(axis=(1, 2))
    return NbodyTiming(trajectories, batched, sample, singles, float(np.median(largest)))


def three_bodies() -> db.SeriesRecipe:
    """Return the recipe nbody with three bodies and without noise."""
    recipe: db.SeriesRecipe = db.load_recipe("nbody")
    return recipe.replace(parameters={"bodies": 3}, noise={"measurement": None})


def solve_with_scipy(sample: db.SeriesSample, row: int) -> Floats:
    """Return the positions (T, 3, 2) of one row, computed from the parameters of a sample."""
    own = {name: values[row].numpy() for name, values in sample.parameters.items()}
    state = np.concatenate([own[name] for name in ("x", "y", "vx", "vy")])
    rate = _rate(own["gravity"] * own["mass"], own["softening"] ** 2)
    span = (0.0, float(sample.time[-1]))
    options: dict[str, Any] = {"method": METHOD, "rtol": TOLERANCE, "atol": TOLERANCE / 10}
    solution = solve_ivp(rate, span, state, t_eval=sample.time.numpy(), **options)
    return np.asarray(solution.y[:6].T.reshape(-1, 2, 3).swapaxes(1, 2))


def _rate(strength: Floats, softening2: Floats) -> Callable[[float, Floats], Floats]:
    """Return the equations of motion of a state x, y, vx, vy of all bodies."""

    def rate(_: float, state: Floats) -> Floats:
        position = state[:6].reshape(2, 3)
        separation = position[:, None] - position[:, :, None]  # (2, 3, 3)
        distance2 = (separation * separation).sum(axis=0) + softening2
        acceleration = (separation * (strength / (distance2 * np.sqrt(distance2)))).sum(axis=2)
        return np.concatenate((state[6:], acceleration.ravel()))

    return rate


def _timed(function: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result
