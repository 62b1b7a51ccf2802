"""How fast bodies are followed: many at once, beside one by one with scipy.

Three bodies from the recipe nbody, 200 moments recorded after the start. Both sides are timed by
the seconds of one processor. scipy's tolerance is chosen so that both are as exact: they differ by
about 1e-4 au, which is the leapfrog's own error.
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


class Race(NamedTuple):
    """Seconds for some trajectories at once, and for a sample of them one by one."""

    trajectories: int
    batched: float
    sample: int
    singles: float
    apart: float  # median over the sample of the largest distance between the two [au]

    @property
    def ratio(self) -> float:
        """How many times longer one by one takes."""
        return (self.singles / self.sample) / (self.batched / self.trajectories)

    def __str__(self) -> str:
        one_by_one = self.singles / self.sample * self.trajectories
        return (
            f"{self.trajectories:,} N-body trajectories of 3 bodies and 200 steps, one thread: "
            f"{self.batched:.1f} s in one call; one by one with solve_ivp ({METHOD}, rtol "
            f"{TOLERANCE:g}) {one_by_one:.0f} s, scaled from a sample of {self.sample}: "
            f"{self.ratio:.0f} times longer; the paths differ by {self.apart:.0e} au"
        )


def race(trajectories: int = 10_000, *, sample: int = 50) -> Race:
    """Follow bodies both ways."""
    recipe = three_bodies()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    batched, made = _timed(lambda: db.generate(recipe, 0, torch.arange(trajectories)))
    torch.set_num_threads(threads)
    sample = min(sample, trajectories)
    singles, paths = _timed(lambda: [one_by_scipy(made, row) for row in range(sample)])
    clean = made.clean[:sample].view(sample, -1, 3, 4)[..., :2].numpy()
    apart = np.linalg.norm(np.stack(paths) - clean, axis=3).max(axis=(1, 2))
    return Race(trajectories, batched, sample, singles, float(np.median(apart)))


def three_bodies() -> db.SeriesRecipe:
    """The recipe nbody with three bodies and without noise."""
    recipe: db.SeriesRecipe = db.load_recipe("nbody")
    return recipe.replace(parameters={"bodies": 3}, noise={"measurement": None})


def one_by_scipy(made: db.SeriesSample, row: int) -> Floats:
    """The positions (T, 3, 2) of one row, from the truth of a sample."""
    own = {name: values[row].numpy() for name, values in made.parameters.items()}
    state = np.concatenate([own[name] for name in ("x", "y", "vx", "vy")])
    rate = _rate(own["gravity"] * own["mass"], own["softening"] ** 2)
    span = (0.0, float(made.time[-1]))
    options: dict[str, Any] = {"method": METHOD, "rtol": TOLERANCE, "atol": TOLERANCE / 10}
    solution = solve_ivp(rate, span, state, t_eval=made.time.numpy(), **options)
    return np.asarray(solution.y[:6].T.reshape(-1, 2, 3).swapaxes(1, 2))


def _rate(strength: Floats, softening2: Floats) -> Callable[[float, Floats], Floats]:
    """The equations of motion of a state x, y, vx, vy of all bodies."""

    def rate(_: float, state: Floats) -> Floats:
        place = state[:6].reshape(2, 3)
        apart = place[:, None] - place[:, :, None]  # (2, 3, 3)
        distance2 = (apart * apart).sum(axis=0) + softening2
        pull = (apart * (strength / (distance2 * np.sqrt(distance2)))).sum(axis=2)
        return np.concatenate((state[6:], pull.ravel()))

    return rate


def _timed(function: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result
