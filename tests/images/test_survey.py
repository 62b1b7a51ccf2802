"""The recipe `survey`, measured as astronomers do: photutils finds and measures its sources."""

import numpy as np
import pytest
import torch
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.detection import DAOStarFinder

import deepbench_torch as db
from deepbench_torch.objects.photometry import derived


def isolated(kind: str, **priors: object) -> db.Recipe:
    """The survey with one source of a kind in each image, away from the edge."""
    inner = {"uniform": [0.35, 0.65]}
    counts = {"point": 0, "galaxy": 0, "spiral": 0} | {kind: 1}
    recipe: db.Recipe = db.load_recipe("survey").replace(
        counts=counts, objects={kind: {"x": inner, "y": inner} | priors}
    )
    return recipe


def without_sky(sample: db.Sample) -> torch.Tensor:
    """Images less the gradient of their background, float64, shape (B, H, W)."""
    gradient = sample.recipe.degrade.gradient
    assert gradient is not None
    image = sample.image[:, 0].double()
    return image - gradient.light(sample.conditions, sample.recipe.grid, like=image)


@pytest.mark.parametrize("kind", ["point", "galaxy"])
def test_photutils_recovers_fluxes(kind: str) -> None:
    """Aperture photometry at the true places, against the flux and its error.

    An aperture of 14 pixels holds all but 1 % of the light; the scatter of the rest over its own
    error, from the variance that the recipe states, is 1.
    """
    sample = db.generate(isolated(kind), 1, torch.arange(150))
    images = without_sky(sample)
    variance = sample.recipe.degrade.variance(sample.clean[:, 0], sample.conditions).double()
    flux = sample.scene[kind]["flux"] if kind == "point" else None
    flux = derived(db.OBJECTS[kind], sample.scene[kind])["flux"] if flux is None else flux
    pulls = []
    for row, image in enumerate(images.numpy()):
        place = float(sample.scene[kind]["x"][row, 0]), float(sample.scene[kind]["y"][row, 0])
        aperture = CircularAperture(place, r=14.0)
        found = float(aperture_photometry(image, aperture)["aperture_sum"][0])
        square = float(aperture_photometry(variance[row].numpy(), aperture)["aperture_sum"][0])
        true = float(flux[row, 0])
        pulls.append((found - true) / np.hypot(np.sqrt(square), 0.01 * true))
    assert abs(np.mean(pulls)) < 4 / np.sqrt(len(pulls))
    assert 0.8 < np.std(pulls) < 1.2


def test_photutils_finds_points_where_they_are() -> None:
    """Each bright point is found, within 4 times its error of fwhm / (2.35 S/N).

    But for a fifth of a pixel: the finder fits Gaussians to profiles with other wings.
    """
    recipe = isolated("point", flux={"power_law": [5e-3, 4e-2, -1.5]})
    sample = db.generate(recipe, 2, torch.arange(60))
    for row, image in enumerate(without_sky(sample).numpy()):
        noise = 1.4826 * np.median(np.abs(image - np.median(image)))
        fwhm = float(sample.conditions["fwhm"][row])
        found = DAOStarFinder(8 * noise, fwhm, n_brightest=1)(image)
        x, y, flux = (float(values[row, 0]) for values in sample.scene["point"].values())
        error = 4 * fwhm / 2.35 / (flux / (noise * np.sqrt(4 * np.pi) * fwhm / 2.35))
        assert found is not None
        column = "x_centroid" if "x_centroid" in found.colnames else "xcentroid"
        assert abs(float(found[column][0]) - x) < max(error, 0.2)
        assert abs(float(found[column.replace("x", "y", 1)][0]) - y) < max(error, 0.2)


def test_every_exposure_has_conditions_of_its_own() -> None:
    sample = db.generate("survey", 0, torch.arange(50))
    assert sample.recipe.degrade.varying == [
        "fwhm", "gradient", "gradient_angle", "exposure", "background",
    ]  # fmt: skip
    for name in sample.recipe.degrade.varying:
        assert len(set(sample.conditions[name].tolist())) == 50
    assert (
        2.9 < float(sample.conditions["fwhm"].min()) < float(sample.conditions["fwhm"].max()) < 4.1
    )


def test_some_fields_are_empty() -> None:
    sample = db.generate("survey", 0, torch.arange(500))
    empty = float((sample.label.sum(1) == 0).float().mean())
    assert empty == pytest.approx(19 / 20 / 9, abs=0.05)  # none of 0, 1, 2 points and galaxies
