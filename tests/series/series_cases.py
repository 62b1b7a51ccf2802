"""The table of recipes that the laws of time series are held against: short, so every row is cheap.

A new system needs its rows here; `tests/series/test_series.py` fails if it has none.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db

SHORT = {"duration": 1.0, "steps": 12, "substeps": 3}


def short(name: str, **changes: Any) -> db.SeriesRecipe:
    """A packaged recipe of few moments, with some changes."""
    recipe: db.SeriesRecipe = db.load_recipe(name)
    duration = {"duration": 0.06} if name == "nbody" else {}  # or the bodies' steps are too long
    return recipe.replace(time=SHORT | duration).replace(**changes)


def noisy(draw: str, *names: str) -> dict[str, Any]:
    """Noise of 5 % of some parameters."""
    return {"draw": draw, "parameters": dict.fromkeys(names, 0.05)}


PRODUCT = {"gravity": None, "big_g": 6.674e-11, "phi": {"log_uniform": [2.4e10, 3.7e11]}}
PUSHED = {"velocity": {"uniform": [-1, 1]}, "friction": {"uniform": [0, 0.2]}}
CASES: dict[str, db.SeriesRecipe] = {
    **{name: short(name) for name in db.list_recipes("series")},
    "pendulum small": short("pendulum", options={"method": "small_angle"}),
    "pendulum pushed": short("pendulum", parameters=PUSHED),
    "pendulum of a planet": short("pendulum", parameters=PRODUCT, noise=noisy("step", "phi")),
    "pendulum noisy": short("pendulum", noise=noisy("trajectory", "length", "angle", "gravity")),
    "pendulum noisy by step": short(
        "pendulum", noise=noisy("step", "length", "angle", "gravity"), parameters=PUSHED
    ),
    "hamiltonian noisy": short("hamiltonian_pendulum", noise=noisy("trajectory", "q", "mass")),
    "hamiltonian noisy by step": short(
        "hamiltonian_pendulum", noise=noisy("step", "q", "length"), parameters=PRODUCT
    ),
    "nbody in space": short("nbody", options={"dimensions": 3}),
    "nbody noisy": short("nbody", noise=noisy("trajectory", "mass", "x", "gravity")),
    "nbody noisy by step": short("nbody", noise=noisy("step", "mass", "x", "gravity")),
    "nbody damped": short("nbody", parameters={"damping": 0.3, "bodies": 3}),
}
each_case = pytest.mark.parametrize("case", CASES)


def parts(sample: db.SeriesSample) -> dict[str, Tensor]:
    """Every tensor of a sample with a row for each, by name."""
    named = {name: getattr(sample, name) for name in ("series", "clean", "label", "index")}
    named |= {"kinetic": sample.kinetic, "potential": sample.potential} | sample.tables()
    return named | {f"used.{name}": values for name, values in sample.used.items()}


def made(case: str, *index: int, seed: int = 3) -> db.SeriesSample:
    """Some rows of a case."""
    return db.generate(CASES[case], seed, torch.tensor(index, dtype=torch.int64))
