"""Fisher matrices. Oracles: closed forms, finite differences, and invariants."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import deepbench_torch as db
from tests.cases import GALAXY, LENSED, SPIRAL, STAR

GRID = db.Grid(21, 27)
POINT = {"x": 12.3, "y": 9.8, "flux": 40.0}
PSF = {"fwhm": 3.1}
KINDS: dict[str, tuple[dict[str, float], dict[str, float] | None]] = {
    "star": (STAR, None),
    "galaxy": (GALAXY, None),
    "spiral": (SPIRAL, None),
    "lensed": (LENSED, None),
    "point": (POINT, PSF),
    "galaxy under a Moffat profile": (GALAXY, {"fwhm": 2.2, "alpha": 3.0}),
}


def image_of(name: str, parameters: dict[str, float], psf: dict[str, float] | None) -> torch.Tensor:
    """The noiseless image by the public functions: `fisher` is not part of it."""
    kind = name.split()[0]
    numbers = {n: torch.tensor([v], dtype=torch.float64) for n, v in parameters.items()}
    if psf is None:
        return db.OBJECTS[kind].render(numbers, GRID)[0]
    sigma = psf["fwhm"] / (2 * math.sqrt(2 * math.log(2)))
    if kind == "point":
        column, row = np.arange(GRID.width), np.arange(GRID.height)[:, None]
        r2 = (column - parameters["x"]) ** 2 + (row - parameters["y"]) ** 2
        return torch.as_tensor(
            parameters["flux"] * np.exp(-r2 / (2 * sigma**2)) / (2 * math.pi * sigma**2)
        )
    spread = {"moffat": {"fwhm": psf["fwhm"] / GRID.shorter, "alpha": psf["alpha"]}}
    recipe = db.load_recipe(kind).replace(
        degrade={"psf": spread, "poisson": None}, image={"height": GRID.height, "width": GRID.width}
    )
    scene = {kind: {n: v.float() for n, v in numbers.items()}}
    return db.observe(scene, recipe, seed=0, index=torch.arange(1)).clean[0, 0].double()


@pytest.mark.parametrize("name", KINDS)
def test_it_is_the_sum_of_products_of_finite_differences(name: str) -> None:
    parameters, psf = KINDS[name]
    found = db.fisher(name.split()[0], parameters, GRID, noise=0.3, psf=psf)
    single = psf is not None and "alpha" in psf
    step = 2e-2 if single else 1e-5
    columns = []
    for parameter in found.names:
        sides = [
            image_of(name, parameters | {parameter: parameters[parameter] + sign * step}, psf)
            for sign in (1, -1)
        ]
        columns.append((sides[0] - sides[1]).flatten() / (2 * step))
    jacobian = torch.stack(columns)
    expected = jacobian @ jacobian.T / 0.3**2
    size = expected.diagonal().sqrt()
    scaled = (found.matrix - expected) / (size[:, None] * size)
    assert float(scaled.abs().max()) < (5e-3 if single else 1e-5)


def test_errors_of_a_point_have_closed_forms() -> None:
    """King (1983, PASP 95, 163): flux and position of a Gaussian over uniform noise."""
    width, noise, flux = 2.0, 0.7, 300.0
    psf = {"fwhm": width * 2 * math.sqrt(2 * math.log(2))}
    bound = db.fisher(
        "point", {"x": 24.2, "y": 23.9, "flux": flux}, db.Grid(49, 49), noise=noise, psf=psf
    )
    area = 4 * math.pi * width**2
    assert float(bound.errors["flux"]) == pytest.approx(noise * math.sqrt(area), rel=1e-6)
    position = noise * math.sqrt(2 * area) * width / flux
    assert float(bound.errors["x"]) == pytest.approx(position, rel=1e-6)
    assert float(bound.errors["y"]) == pytest.approx(position, rel=1e-6)


def test_photons_of_a_bright_point_count() -> None:
    """Without a background a flux of N photons is known to the root of N."""
    bound = db.fisher(
        "point",
        {"x": 24.2, "y": 23.9, "flux": 50.0},
        db.Grid(49, 49),
        noise={"exposure": 30.0, "background": 1e-12},
        psf={"fwhm": 5.0},
        fixed=["x", "y"],
    )
    assert bound.names == ("flux",)
    assert float(bound.errors["flux"]) == pytest.approx(math.sqrt(50 * 30) / 30, rel=1e-6)


def test_all_forms_of_noise_agree() -> None:
    def matrix(noise: Any) -> torch.Tensor:
        return db.fisher("star", STAR, GRID, noise=noise).matrix

    expected = matrix(0.5)
    for noise in (torch.tensor(0.5), torch.full(GRID.shape, 0.5), {"sigma": 0.5}):
        torch.testing.assert_close(matrix(noise), expected)
    # so many photons of the sky that the star does not matter
    photons = {"exposure": 1e9 / 0.25, "background": 1e9}
    torch.testing.assert_close(matrix(photons), expected, rtol=1e-6, atol=1e-9)
    both = matrix(photons | {"sigma": 0.5})
    torch.testing.assert_close(both, expected / 2, rtol=1e-6, atol=1e-9)


def test_two_images_hold_twice_the_information_and_half_an_image_less() -> None:
    one = db.fisher("galaxy", GALAXY, GRID, noise=0.5)
    two = db.fisher("galaxy", GALAXY, GRID, noise=0.5 / math.sqrt(2))
    torch.testing.assert_close(two.matrix, 2 * one.matrix)
    half = torch.full(GRID.shape, 0.5)
    half[:, :10] = math.inf
    assert all(
        float(error) > float(one.errors[name])
        for name, error in db.fisher("galaxy", GALAXY, GRID, noise=half).errors.items()
    )


def test_known_parameters_lower_the_errors_of_others() -> None:
    free = db.fisher("galaxy", GALAXY, GRID, noise=0.1)
    held = db.fisher("galaxy", GALAXY, GRID, noise=0.1, fixed=["n"])
    assert held.names == tuple(name for name in GALAXY if name != "n")
    keep = [free.names.index(name) for name in held.names]
    torch.testing.assert_close(held.matrix, free.matrix[keep][:, keep])
    assert all(float(held.errors[name]) <= float(free.errors[name]) for name in held.names)


def test_a_batch_equals_its_singles() -> None:
    x = torch.tensor([13.0, 14.5, 2.0], dtype=torch.float64)
    exposure = torch.tensor([10.0, 20.0, 40.0])
    many = db.fisher("star", STAR | {"x": x}, GRID, noise={"exposure": exposure, "background": 1.0})
    assert many.matrix.shape == (3, 5, 5)
    for row in range(3):
        one = db.fisher(
            "star",
            STAR | {"x": float(x[row])},
            GRID,
            noise={"exposure": float(exposure[row]), "background": 1.0},
        )
        assert one.matrix.shape == (5, 5)
        torch.testing.assert_close(many.matrix[row], one.matrix)
        assert float(many.errors["gamma"][row]) == pytest.approx(float(one.errors["gamma"]))


def test_what_the_image_does_not_determine_has_infinite_errors() -> None:
    bound = db.fisher("galaxy", GALAXY | {"ellip": 0.0}, GRID, noise=0.1)
    assert float(bound.errors["theta"]) > 1e6
    known = db.fisher("galaxy", GALAXY | {"ellip": 0.0}, GRID, noise=0.1, fixed=["theta"])
    assert all(math.isfinite(float(error)) for error in known.errors.values())


@pytest.mark.parametrize(
    ("kind", "changes", "options", "message"),
    [
        ("circle", {}, {}, "fisher: expected a kind with smooth light, one of star, .*'circle'"),
        ("sun", {}, {}, "object: expected a kind, got 'sun'"),
        ("point", {}, {}, "psf: expected the point spread of a point, got None"),
        ("star", {"alpha": 0.5}, {}, "star.alpha must be > 1"),
        ("star", {"x": torch.zeros(2, 2)}, {}, r"parameters.x: expected a number or shape \(B,\)"),
        ("star", {}, {"noise": 0.0}, "noise: expected positive standard deviations"),
        ("star", {}, {"noise": torch.ones(3, 3)}, r"got shape \(3, 3\)"),
        ("star", {}, {"noise": {"fwhm": 1.0}}, "got 'fwhm'; pass the point spread as psf"),
        ("star", {}, {"noise": {"background": 1.0}}, "expected an exposure beside"),
        ("star", {}, {"noise": {"exposure": 1.0}}, "expected noise where there is no light"),
        ("star", {}, {"noise": {"exposure": -1.0, "background": 1.0}}, "not negative, got -1.0"),
        ("star", {}, {"fixed": ["gama"]}, "got 'gama'; did you mean 'gamma'"),
        ("star", {}, {"psf": {"sigma": 1.0}}, "psf: expected fwhm for a Gaussian"),
    ],
)
def test_faults_are_named(
    kind: str, changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        db.fisher(kind, STAR | changes, GRID, **({"noise": 1.0} | options))
