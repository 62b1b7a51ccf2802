"""Stars: closed forms of the Moffat profile."""

import math

import pytest
from scipy import special

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from tests.cases import GRID, STAR, tensors


@pytest.mark.parametrize("gamma", [1.5, 4.0])
@pytest.mark.parametrize("alpha", [1.2, 2.5, 4.765])
def test_star_has_its_full_width_at_half_maximum(gamma: float, alpha: float) -> None:
    """Closed form: 2 gamma sqrt(2 ** (1 / alpha) - 1); pixels lie exactly half of it away."""
    half = gamma * math.sqrt(2 ** (1 / alpha) - 1)
    star = STAR | {"x": 11 + half, "y": 8.0, "gamma": gamma, "alpha": alpha}
    row = OBJECTS["star"].render(tensors(star), GRID)[0, 8]
    assert float(row[11]) == pytest.approx(STAR["amplitude"] / 2, rel=1e-13)
    star = star | {"x": 11.0, "y": 8 - half}
    column = OBJECTS["star"].render(tensors(star), GRID)[0, :, 11]
    assert float(column[8]) == pytest.approx(STAR["amplitude"] / 2, rel=1e-13)


@pytest.mark.parametrize(("gamma", "alpha"), [(3.0, 3.0), (5.0, 4.0), (2.5, 4.765)])
def test_star_has_its_total_light(gamma: float, alpha: float) -> None:
    """Closed form: amplitude pi gamma^2 / (alpha - 1).

    Outside of 200 pixels lies (1 + (200 / gamma)^2)^(1 - alpha) of it. Sampling at pixels adds the
    Fourier transform at one cycle a pixel, to either side and along either axis:
    2 (pi gamma)^(alpha - 1) K_(alpha - 1)(2 pi gamma) / Gamma(alpha - 1) of it, at most four times.
    """
    star = STAR | {"x": 215.3, "y": 200.6, "gamma": gamma, "alpha": alpha}
    light = float(OBJECTS["star"].render(tensors(star), db.Grid(401, 431)).sum())
    outside = (1 + (200 / gamma) ** 2) ** (1 - alpha)
    bessel = float(special.kv(alpha - 1, 2 * math.pi * gamma))
    sampling = 8 * (math.pi * gamma) ** (alpha - 1) * bessel / math.gamma(alpha - 1)
    expected = STAR["amplitude"] * math.pi * gamma**2 / (alpha - 1)
    assert light == pytest.approx(expected, rel=outside + sampling)
