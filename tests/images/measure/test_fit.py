"""Fits. Oracles: the truth of simulated images, their scatter, scipy's least squares."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit

import deepbench_torch as db
from deepbench_torch.numerics import rng
from tests.cases import GALAXY, LENSED, SPIRAL, STAR

GRID = db.Grid(17, 23)
FITS = 200
WRONG = 1.03  # starting values, as a share of the truth


def image_of(kind: str, parameters: dict[str, float]) -> torch.Tensor:
    numbers = {n: torch.tensor([v], dtype=torch.float64) for n, v in parameters.items()}
    return db.OBJECTS[kind].render(numbers, GRID)


def normal(count: int) -> torch.Tensor:
    index = torch.arange(count)
    pixels = GRID.height * GRID.width
    return rng.pixel_normal(5, "test.fit", index, pixels).view(count, *GRID.shape).double()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("star", STAR), ("galaxy", GALAXY), ("spiral", SPIRAL), ("lensed", LENSED)],
)
def test_a_clean_image_gives_back_its_parameters(kind: str, parameters: dict[str, float]) -> None:
    near = {n: v if n == "arms" else v * WRONG for n, v in parameters.items()}
    start = near if kind in ("spiral", "lensed") else None
    found = db.fit(kind, image_of(kind, parameters), noise=1e-4, start=start)
    assert bool(found.converged.all())
    for name, value in parameters.items():
        assert float(found.parameters[name]) == pytest.approx(value, abs=1e-5), name
    assert float(found.chi2) < 1e-3
    torch.testing.assert_close(found.model, image_of(kind, parameters), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("kind", "parameters"), [("star", STAR), ("galaxy", GALAXY)])
def test_the_scatter_of_noisy_fits_is_that_of_the_fisher_matrix(
    kind: str, parameters: dict[str, float]
) -> None:
    noise = 0.01
    images = image_of(kind, parameters) + noise * normal(FITS)
    found = db.fit(kind, images[:, None].float(), noise=noise)
    assert bool(found.converged.all())
    bound = db.fisher(kind, parameters, GRID, noise=noise)
    values = torch.stack([found.parameters[name] for name in bound.names])
    truth = torch.tensor([parameters[name] for name in bound.names], dtype=torch.float64)
    pulls = (values - truth[:, None]) / torch.stack(list(bound.errors.values()))[:, None]
    # of n normal numbers the mean has the error 1 / sqrt(n), the deviation 1 / sqrt(2 n)
    assert float(pulls.mean(1).abs().max()) < 4 / math.sqrt(FITS)
    assert float((pulls.std(1) - 1).abs().max()) < 4 / math.sqrt(2 * FITS)
    # the same of combinations of parameters: chi2 with as many degrees of freedom
    distance = values - truth[:, None]
    chi2 = torch.einsum("pb,pq,qb->b", distance, bound.matrix, distance)
    expected = len(bound.names)
    assert abs(float(chi2.mean()) - expected) < 4 * math.sqrt(2 * expected / FITS)
    freedom = float(found.degrees_of_freedom[0])
    assert freedom == GRID.height * GRID.width - expected
    assert abs(float(found.reduced_chi2.mean()) - 1) < 4 * math.sqrt(2 / freedom / FITS)


def test_photon_noise_is_weighed_by_the_model() -> None:
    """Weights from the noisy pixels themselves would favour dark ones and bias the brightness."""
    recipe = db.load_recipe("star").replace(
        image={"height": 17, "width": 23},
        degrade={"poisson": {"exposure": 60.0, "background": 0.05}},
        objects={"star": dict(_fractions(STAR))},
    )
    sample = db.generate(recipe, 2, torch.arange(FITS))
    conditions = sample.conditions
    found = db.fit("star", sample.image, noise=conditions)
    assert bool(found.converged.all())
    noise = {"exposure": 60.0, "background": 0.05}
    bound = db.fisher("star", STAR, GRID, noise=noise, fixed=["alpha"])
    held = db.fit("star", sample.image, noise=noise, fixed={"alpha": STAR["alpha"]})
    for name in bound.names:
        pulls = (held.parameters[name] - STAR[name]) / bound.errors[name]
        assert abs(float(pulls.mean())) < 4 / math.sqrt(FITS) + 0.1, name  # bias of second order
        assert abs(float(pulls.std()) - 1) < 4 / math.sqrt(2 * FITS) + 0.05, name


def _fractions(star: dict[str, float]) -> dict[str, float]:
    """The parameters as fractions, as a recipe has them."""
    return star | {
        "x": (star["x"] + 0.5) / GRID.width,
        "y": (star["y"] + 0.5) / GRID.height,
        "gamma": star["gamma"] / GRID.shorter,
    }


def test_scipy_finds_the_same_minimum() -> None:
    image = image_of("galaxy", GALAXY)[0] + 0.02 * normal(1)[0]
    deviation = 0.01 + 0.02 * torch.rand(GRID.shape, generator=torch.Generator().manual_seed(3))
    found = db.fit("galaxy", image, noise=deviation)

    def model(_: Any, *values: float) -> Any:
        named = dict(zip(GALAXY, values, strict=True))
        return image_of("galaxy", named)[0].flatten().numpy()

    best, covariance = curve_fit(
        model,
        np.arange(image.numel()),
        image.flatten().numpy(),
        p0=list(GALAXY.values()),
        sigma=deviation.double().flatten().numpy(),
        absolute_sigma=True,
    )
    for place, name in enumerate(GALAXY):
        error = math.sqrt(covariance[place, place])
        assert float(found.errors[name]) == pytest.approx(error, rel=0.02), name
        assert abs(float(found.parameters[name]) - best[place]) < 1e-2 * error, name


def test_a_point_and_a_blurred_galaxy_are_fitted_under_their_point_spread() -> None:
    for kind in ("point", "galaxy"):
        recipe = db.load_recipe(kind).replace(
            image={"height": 40, "width": 48},
            degrade={
                "psf": {"moffat": {"fwhm": 0.08, "alpha": 3.0}},
                "poisson": None,
                "gaussian": {"sigma": 1e-4},
            },
        )
        sample = db.generate(recipe, 0, torch.arange(4))
        psf = {"fwhm": 0.08 * 40, "alpha": 3.0}
        found = db.fit(kind, sample.image, noise=1e-4, psf=psf)
        assert bool(found.converged.all())
        for name, values in sample.scene[kind].items():
            error = (found.parameters[name] - values[:, 0]).abs()
            assert float((error - 6 * found.errors[name]).max()) < 3e-4, (kind, name)


def test_values_that_are_known_stay() -> None:
    image = image_of("galaxy", GALAXY) + 0.05 * normal(1)
    found = db.fit("galaxy", image, noise=0.05, fixed={"n": 1.0, "theta": GALAXY["theta"]})
    assert float(found.parameters["n"]) == 1.0
    assert float(found.errors["n"]) == 0.0
    assert found.names == ("x", "y", "amplitude", "radius", "ellip")
    assert found.covariance.shape == (1, 5, 5)
    alone = db.fit("galaxy", image, noise=0.05, fixed=GALAXY)
    assert (alone.names, bool(alone.converged), int(alone.iterations)) == ((), True, 0)
    torch.testing.assert_close(alone.model, image_of("galaxy", GALAXY))


def test_ranges_hold_for_pure_noise_and_dark_images() -> None:
    for images in (normal(3), torch.zeros(1, *GRID.shape), -torch.ones(1, *GRID.shape)):
        for kind in ("star", "galaxy"):
            found = db.fit(kind, images[:, None], noise=1.0, iterations=15)
            for name, field in db.OBJECTS[kind].fields.items():
                assert bool(found.parameters[name].isfinite().all()), (kind, name)
                assert bool((found.parameters[name] >= field.lower).all()), (kind, name)
                assert bool((found.parameters[name] <= field.upper).all()), (kind, name)


def test_pixels_of_infinite_noise_do_not_count() -> None:
    image = image_of("star", STAR)[0] + 0.01 * normal(1)[0]
    noise = torch.full(GRID.shape, 0.01)
    noise[2:5, 3:9] = math.inf
    spoiled = torch.where(noise.isinf(), 1e4, image)
    found, expected = (db.fit("star", each, noise=noise) for each in (spoiled, image))
    assert int(found.degrees_of_freedom) == GRID.height * GRID.width - 18 - 5
    for name in STAR:
        torch.testing.assert_close(found.parameters[name], expected.parameters[name])
    assert float(found.reduced_chi2) == pytest.approx(1, abs=0.3)


def test_a_batch_equals_its_singles_and_may_be_empty() -> None:
    images = image_of("star", STAR) + 0.05 * normal(3)
    many = db.fit("star", images[:, None], noise=0.05)
    for row in range(3):
        one = db.fit("star", images[row], noise=0.05)
        assert int(one.iterations) == int(many.iterations[row])
        torch.testing.assert_close(one.parameters["x"][0], many.parameters["x"][row])
    none = db.fit("star", images[:0, None], noise=0.05)
    assert none.parameters["x"].shape == (0,)
    assert "0 images" in repr(none)
    assert "x = 13" in repr(many)


@pytest.mark.parametrize(
    ("kind", "image", "options", "message"),
    [
        ("line", torch.zeros(4, 4), {}, "fit: expected a kind with smooth light"),
        ("star", torch.zeros(2, 3, 4, 4), {}, r"expected shape \(H, W\).* got \(2, 3, 4, 4\)"),
        ("star", torch.zeros(2, 4, 4), {}, "add the axis of channels"),
        ("star", torch.full((4, 4), math.nan), {}, "expected finite pixels"),
        ("star", torch.zeros(4, 4), {"start": {"flux": 1.0}}, "fit: start: expected parameters"),
        ("star", torch.zeros(4, 4), {"fixed": {"gamma": -1.0}}, "star.gamma must be > 0"),
        ("star", torch.zeros(4, 4), {"start": {"x": [1.0, 2.0]}}, "one for each of 1 image"),
        ("star", torch.zeros(4, 4), {"iterations": 0}, "iterations: expected a whole number"),
    ],
)
def test_faults_are_named(
    kind: str, image: torch.Tensor, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        db.fit(kind, image, noise=1.0, **options)
