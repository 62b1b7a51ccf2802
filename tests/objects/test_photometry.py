"""Total light, width and magnitude of objects."""

import math
from typing import Any

import galsim
import numpy as np
import pytest
import torch
from astropy.modeling.models import Moffat2D, Sersic2D
from scipy import special
from scipy.optimize import brentq

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.objects.photometry import MEANINGS, UNITS, derived, magnitude
from deepbench_torch.objects.spiral_flux import _angular_mean
from tests.cases import CASES, GALAXY, SHAPES, SPIRAL, STAR, Case, Values, tensors

GRID = db.Grid(331, 347)
CENTRE = {"x": 173.2, "y": 165.4}


def quantity(kind: str, name: str, values: Values) -> float:
    return float(derived(OBJECTS[kind], tensors(values))[name])


def wide(kind: str, **changes: float) -> tuple[str, Values]:
    """An object so small against GRID that its light is inside, so large that pixels sum it up."""
    values = {"star": STAR, "galaxy": GALAXY, "spiral": SPIRAL, **SHAPES}[kind]
    at = CENTRE if "x" in values else {}
    return kind, values | at | changes


# With the share by which the sum of pixels may differ. Smooth light is summed exactly by pixels a
# fraction of its width; steps are not: the error is that of random pixels along the edge.
SUMS = [
    (*wide("star", gamma=4.0, alpha=4.5), 1e-6),
    (*wide("star", gamma=9.0, alpha=7.0), 1e-6),
    (*wide("galaxy", radius=20.0, n=0.5), 1e-6),
    (*wide("galaxy", radius=15.0, n=0.9, ellip=0.5), 1e-3),
    (*wide("spiral", radius=9.0, width=3.0, scale=6.0, core_radius=5.0), 1e-3),
    (*wide("spiral", radius=9.0, width=1.5, scale=6.0, core_amplitude=0.0, ellip=0.5), 1e-3),
    (*wide("spiral", radius=9.0, width=40.0, arms=1, core_radius=5.0), 1e-3),
    (*wide("ellipse", width=171.0, height=93.0, thickness=11.3), 3e-3),
    (*wide("ellipse", width=171.0, height=93.0, thickness=math.inf), 3e-3),
    (*wide("ellipse", width=171.0, height=93.0, thickness=46.6), 3e-3),
    (*wide("circle", radius=77.3, thickness=11.3), 3e-3),
    (*wide("circle", radius=77.3, thickness=77.4), 3e-3),
    (*wide("rectangle", width=171.0, height=93.0, thickness=11.3), 3e-3),
    (*wide("rectangle", width=171.0, height=93.0, thickness=math.inf), 3e-3),
    (*wide("polygon", radius=91.0, vertices=3, thickness=11.3), 3e-3),
    (*wide("polygon", radius=91.0, vertices=7, thickness=math.inf), 3e-3),
    (*wide("arc", radius=91.0, extent=4.4, thickness=11.3), 3e-3),
    (*wide("arc", radius=91.0, extent=2 * math.pi, thickness=math.inf), 3e-3),
    ("line", {"x0": 40.3, "y0": 30.1, "x1": 251.2, "y1": 191.7, "thickness": 13.3,
              "amplitude": 0.8}, 3e-3),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "rtol"), SUMS)
def test_flux_is_the_sum_of_the_pixels(kind: str, values: Values, rtol: float) -> None:
    """Oracle: the reference renderer, in float64, on a grid that holds all of the light."""
    total = db.reference.render(kind, values, GRID).sum()
    assert quantity(kind, "flux", values) == pytest.approx(total, rel=rtol)


def test_every_kind_has_its_flux_or_leaves_it_out() -> None:
    assert {kind for kind, _, _ in SUMS} >= {
        name for name in ("star", "galaxy", "spiral", *SHAPES) if OBJECTS[name].flux is not None
    }


@pytest.mark.parametrize("alpha", [1.01, 1.5, 2.5, 4.765, 30.0])
@pytest.mark.parametrize("gamma", [0.3, 2.0, 40.0])
def test_stars_agree_with_astropy_and_galsim(alpha: float, gamma: float) -> None:
    values = STAR | {"alpha": alpha, "gamma": gamma}
    model = Moffat2D(amplitude=2.0, gamma=gamma, alpha=alpha)
    assert quantity("star", "fwhm", values) == pytest.approx(model.fwhm, rel=1e-12)
    flux = quantity("star", "flux", values)
    if alpha > 1.1:  # the least that GalSim has
        profile = galsim.Moffat(beta=alpha, scale_radius=gamma, flux=flux)
        assert profile.max_sb == pytest.approx(values["amplitude"], rel=1e-9)
        assert profile.fwhm == pytest.approx(model.fwhm, rel=1e-9)
    assert flux == pytest.approx(2 * math.pi * gamma**2 / (alpha - 1), rel=1e-12)


@pytest.mark.parametrize("n", [0.4, 0.5, 1.0, 2.3, 4.0, 6.2, 20.0])
@pytest.mark.parametrize("ellip", [0.0, 0.6])
def test_galaxies_agree_with_scipy_astropy_and_galsim(n: float, ellip: float) -> None:
    values = GALAXY | {"n": n, "ellip": ellip}
    radius, amplitude = values["radius"], values["amplitude"]
    b = special.gammaincinv(2 * n, 0.5)
    scale = np.exp(b - 2 * n * np.log(b) + special.gammaln(2 * n))
    flux = 2 * np.pi * n * radius**2 * (1 - ellip) * amplitude * scale
    assert quantity("galaxy", "flux", values) == pytest.approx(flux, rel=1e-10)
    if n <= 6.2:  # the most that GalSim has
        round_radius = radius * math.sqrt(1 - ellip)
        profile = galsim.Sersic(n=n, half_light_radius=round_radius, flux=flux)
        assert profile.max_sb == pytest.approx(amplitude * np.exp(b), rel=1e-4)
    model = Sersic2D(amplitude=amplitude, r_eff=radius, n=n, ellip=ellip)
    half = model(0, 0) / 2
    if n <= 6.2:
        edge = brentq(lambda x: model(x, 0) - half, 0, 9 * radius, xtol=1e-300, rtol=1e-13)
        assert quantity("galaxy", "fwhm", values) == pytest.approx(2 * edge, rel=1e-8)


def test_the_angular_mean_is_a_bessel_function() -> None:
    k = np.concatenate([[0.0], np.logspace(-6, 8, 2001)])
    found = _angular_mean(torch.tensor(k)).numpy()
    np.testing.assert_allclose(found, special.i0e(k), rtol=5e-7)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.label}")
def test_quantities_are_finite_positive_and_proportional(case: Case) -> None:
    """Twice the sizes give four times the light and twice the width."""
    found = derived(case.kind, tensors(case.parameters), zero_point=25.0)
    lengths = [name for name, f in case.kind.fields.items() if f.role in ("length", "column")]
    lengths += [name for name, f in case.kind.fields.items() if f.role == "row"]
    larger = {name: 2 * v if name in lengths else v for name, v in case.parameters.items()}
    twice = derived(case.kind, tensors(larger), zero_point=25.0)
    assert set(found) <= set(UNITS) == set(MEANINGS)
    for name, power in (("flux", 4), ("fwhm", 2)):
        if name in found:
            assert math.isfinite(found[name])
            torch.testing.assert_close(twice[name], power * found[name], rtol=1e-9, atol=0)
    if "flux" in found:
        flux = float(found["flux"])
        expected = 25 - 2.5 * math.log10(flux) if flux else math.inf
        assert float(found["magnitude"]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("kind", ["star", "galaxy", "spiral"])
def test_quantities_are_the_same_bits_in_any_batch(kind: str) -> None:
    values = {"star": STAR, "galaxy": GALAXY, "spiral": SPIRAL}[kind]
    many = {name: value.repeat(37).reshape(37, 1) for name, value in tensors(values).items()}
    for name, found in derived(OBJECTS[kind], many, zero_point=20.0).items():
        alone = derived(OBJECTS[kind], tensors(values), zero_point=20.0)[name]
        assert found.shape == (37, 1)
        assert torch.equal(found, alone.expand(37, 1))


@pytest.mark.parametrize("kind", ["star", "galaxy", "spiral", "circle", "polygon"])
def test_flux_is_differentiable(kind: str) -> None:
    values = {"star": STAR, "galaxy": GALAXY, "spiral": SPIRAL, **SHAPES}[kind]
    names = [name for name in values if name not in ("arms", "vertices")]
    at = tuple(torch.tensor(values[name], dtype=torch.float64) for name in names)

    def flux(*numbers: torch.Tensor) -> torch.Tensor:
        whole = {name: torch.tensor(float(value)) for name, value in values.items()}
        return derived(OBJECTS[kind], whole | dict(zip(names, numbers, strict=True)))["flux"]

    leaves = tuple(number.requires_grad_() for number in at)
    # the fits of b_n and of the Bessel function are differentiated as they are
    assert torch.autograd.gradcheck(flux, leaves, eps=1e-6, rtol=1e-4, atol=1e-4)


def test_magnitude_of_light_and_of_none() -> None:
    flux = torch.tensor([0.0, 1.0, 100.0, 1e-10], dtype=torch.float64)
    found = magnitude(flux, zero_point=25.0)
    torch.testing.assert_close(found, torch.tensor([math.inf, 25.0, 20.0, 50.0]).double())


def test_a_kind_may_leave_them_out() -> None:
    star = OBJECTS["star"]
    dim: ObjectKind[Any] = ObjectKind(
        "dim", star.fields, star.record, star.constants, star.light, star.edge
    )
    assert derived(dim, tensors(STAR), zero_point=1.0) == {}
