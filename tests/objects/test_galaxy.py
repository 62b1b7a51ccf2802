"""Galaxies and the Sersic profile: closed forms, and scipy's incomplete gamma function."""

import math

import numpy as np
import pytest
import torch
from scipy import special

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS, sersic
from tests.cases import GALAXY, GRID, Values, each_dtype, tensors

INDICES = torch.cat((torch.linspace(0.4, 20, 4001), torch.tensor([0.5, 1, 2, 4, 10]))).double()


def test_half_light_agrees_with_scipy() -> None:
    """Oracle: scipy's inverse of the incomplete gamma function."""
    found = sersic.half_light(INDICES).numpy()
    np.testing.assert_allclose(found, special.gammaincinv(2 * INDICES.numpy(), 0.5), rtol=1e-13)
    exponential = sersic.half_light(torch.tensor([1.0], dtype=torch.float64))
    assert float(exponential) == pytest.approx(sersic.EXPONENTIAL_HALF_LIGHT, rel=1e-13)


def test_half_light_has_the_slope_of_scipy() -> None:
    """Oracle: differences of scipy's function over 1e-4 of n, good to 1e-8."""
    n = INDICES[INDICES > 0.4].requires_grad_()
    (slope,) = torch.autograd.grad(sersic.half_light(n).sum(), n)
    step = 1e-4
    ends = [special.gammaincinv(2 * (n.detach().numpy() + side), 0.5) for side in (-step, step)]
    np.testing.assert_allclose(slope.numpy(), (ends[1] - ends[0]) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
@each_dtype
def test_half_light_keeps_shape_and_type(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    n = torch.full(shape, 4.0, dtype=dtype)
    found = sersic.half_light(n)
    assert (found.shape, found.dtype) == (n.shape, dtype)


@pytest.mark.parametrize("n", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("ellip", "theta"), [(0.0, 0.0), (0.5, 0.8)])
def test_half_of_the_light_is_within_the_radius(n: float, ellip: float, theta: float) -> None:
    """Inside the ellipse of the effective radius, against the closed form of the total.

    Total: 2 pi n radius^2 (1 - ellip) b^(-2n) e^b Gamma(2n) amplitude (Graham & Driver 2005). The
    edge cuts through some 200 of 3000 pixels, each of which counts as in or out: an error of 0.3 of
    a pixel each, which adds up as a root to 0.15 % of the light.
    """
    galaxy: Values = {"x": 150.2, "y": 130.7, "amplitude": 1.0, "radius": 30.0, "n": n}
    galaxy |= {"ellip": ellip, "theta": theta}
    image = OBJECTS["galaxy"].render(tensors(galaxy), db.Grid(260, 300))[0].numpy()
    rows, columns = np.mgrid[:260, :300]
    frame = (columns - galaxy["x"] + 1j * (rows - galaxy["y"])) * np.exp(-1j * theta)
    inside = np.abs(frame.real + 1j * frame.imag / (1 - ellip)) < 30
    b = float(special.gammaincinv(2 * n, 0.5))
    total = 2 * math.pi * n * 900 * (1 - ellip) * b ** (-2 * n) * math.exp(b) * math.gamma(2 * n)
    assert image[inside].sum() == pytest.approx(total / 2, rel=4e-3)


def test_galaxy_has_its_amplitude_at_its_radius() -> None:
    """Along the major axis at `radius`, along the minor axis at radius (1 - ellip)."""
    galaxy = GALAXY | {"x": 5.0, "y": 4.0, "radius": 6.0, "ellip": 0.5, "theta": 0.0}
    image = OBJECTS["galaxy"].render(tensors(galaxy), GRID)[0]
    assert float(image[4, 11]) == pytest.approx(GALAXY["amplitude"], rel=1e-13)
    assert float(image[7, 5]) == pytest.approx(GALAXY["amplitude"], rel=1e-13)


@pytest.mark.parametrize("n", [0.4, 1.0, 4.0, 10.0])
@each_dtype
def test_galaxy_has_its_peak_on_a_pixel(n: float, dtype: torch.dtype) -> None:
    """Closed form: amplitude e^b at the centre, however steep the profile."""
    galaxy = GALAXY | {"x": 10.0, "y": 7.0, "n": n}
    peak = float(OBJECTS["galaxy"].render(tensors(galaxy, dtype), GRID)[0, 7, 10])
    expected = GALAXY["amplitude"] * math.exp(special.gammaincinv(2 * n, 0.5))
    # the exponent, 20 at most, is rounded by 2**-24 of itself in single precision
    assert peak == pytest.approx(expected, rel=1e-8 if dtype == torch.float64 else 3e-6)
