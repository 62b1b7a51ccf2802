"""By how much single precision may be off: every kind's own bound against double precision."""

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch import rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import DIM, FAINT
from deepbench_torch.priors import Integer, LogUniform, Prior, Uniform, values

PLACE: dict[str, Prior] = {"x": Uniform(-0.5, 1.5), "y": Uniform(-0.5, 1.5)}
BRIGHT = LogUniform(1e-3, 1e3)
TURN = Uniform(-7.0, 7.0)

# far beyond every packaged recipe; lengths and places as fractions of the shorter side
EXTREMES: dict[str, dict[str, Prior]] = {
    "star": {
        **PLACE,
        "amplitude": BRIGHT,
        "gamma": LogUniform(1e-3, 1.0),
        "alpha": LogUniform(1.01, 100.0),
    },
    "galaxy": {
        **PLACE,
        "amplitude": BRIGHT,
        "radius": LogUniform(1e-3, 1.0),
        "n": Uniform(0.4, 20.0),
        "ellip": Uniform(0.0, 0.999),
        "theta": TURN,
    },
    "spiral": {
        **PLACE,
        "amplitude": BRIGHT,
        "radius": LogUniform(0.01, 1.0),
        "arms": Integer(2, 8),
        "scale": LogUniform(0.003, 1.0),
        "bar": LogUniform(0.01, 10.0),
        "winding": LogUniform(0.3, 50.0),
        "width": LogUniform(0.001, 0.3),
        "theta": TURN,
        "ellip": Uniform(0.0, 0.95),
        "phase": TURN,
        "core_amplitude": BRIGHT,
        "core_radius": LogUniform(0.003, 0.5),
        "core_ellip": Uniform(0.0, 0.95),
    },
}


def drawn(name: str, grid: db.Grid, count: int = 400) -> Tensor:
    """Parameters of a kind on a grid, float64 of shape (parameters, count)."""
    kind = OBJECTS[name]
    u = rng.uniform(0, list(EXTREMES[name]), torch.arange(count), 1)
    table = values(list(EXTREMES[name].values()), u)[..., 0].T.contiguous()
    for row, field in zip(table, kind.fields.values(), strict=True):
        if field.role in ("column", "row", "length"):
            row *= grid.shorter
    table[:2, ::3] = table[:2, ::3].round() + 1e-6  # beside a pixel's centre, where cusps are
    return table


def test_profiles_have_a_bound_and_edges_have_none() -> None:
    assert set(EXTREMES) == {name for name, kind in OBJECTS.items() if kind.rounding is not None}
    for name, priors in EXTREMES.items():
        assert tuple(priors) == OBJECTS[name].parameters


@pytest.mark.parametrize("shape", [(8, 8, 2), (12, 12, 3), (31, 57, 7), (64, 20, 5)])
@pytest.mark.parametrize("name", EXTREMES)
def test_single_precision_stays_within_the_bound(name: str, shape: tuple[int, int, int]) -> None:
    """Oracle: the same objects drawn in double precision."""
    kind, grid = OBJECTS[name], db.Grid(*shape)
    table = drawn(name, grid)
    exact = kind.draw(kind.record(*table), grid)
    single = kind.draw(kind.record(*table.float()), grid).double()
    assert kind.rounding is not None
    bound = kind.rounding(kind.record(*table.float())).double()
    peak = exact.flatten(1).amax(1)
    told = (bound < 0.5) & (peak > FAINT)  # a larger bound says nothing
    assert told.float().mean() > 0.05
    allowed = exact * bound[:, None, None] + (DIM * peak)[:, None, None]
    assert bool(((single - exact).abs() <= allowed)[told].all())
