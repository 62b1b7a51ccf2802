"""Light averaged over each pixel. Oracles: GalSim, the roots of numpy, and binning."""

import math

import galsim
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import gamma as gamma_function
from scipy.special import gammaincinv
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.images.render import _clean
from deepbench_torch.images.scene import Scene
from deepbench_torch.objects.nodes import MOST_SAMPLES, nodes

SIDE = 33
WIDTH = 1.4  # [pixel], full width at half maximum
ROWS = torch.arange(12)


def rendered(kind: str, samples: int, **values: float) -> NDArray[np.float64]:
    parameters = {
        name: torch.tensor([value], dtype=torch.float64) for name, value in values.items()
    }
    grid = db.Grid(SIDE, SIDE, samples=samples)
    return db.OBJECTS[kind].render(parameters, grid)[0].numpy()


def by_galsim(profile: galsim.GSObject, x: float, y: float) -> NDArray[np.float64]:
    """Render a profile, integrated over each pixel."""
    middle = (SIDE - 1) / 2
    options = galsim.GSParams(folding_threshold=1e-4, maxk_threshold=1e-4)
    shifted = profile.withGSParams(options).shift(x - middle, y - middle)
    image = galsim.Image(SIDE, SIDE, scale=1.0, dtype=np.float64)
    return np.asarray(shifted.drawImage(image, method="auto").array)


@pytest.mark.parametrize("alpha", [2.5, 3.5, 4.7])
@pytest.mark.parametrize(("x", "y"), [(16.0, 16.0), (16.5, 15.75), (14.2, 17.9)])
def test_stars_agree_with_galsim(alpha: float, x: float, y: float) -> None:
    """Within 1 % of the peak; the brightness at the centre is off by far more."""
    gamma = WIDTH / (2 * math.sqrt(2 ** (1 / alpha) - 1))
    flux = math.pi * gamma**2 / (alpha - 1)
    expected = by_galsim(galsim.Moffat(beta=alpha, scale_radius=gamma, flux=flux), x, y)
    star = {"x": x, "y": y, "amplitude": 1.0, "gamma": gamma, "alpha": alpha}
    peak = expected.max()
    assert np.abs(rendered("star", 4, **star) - expected).max() < 0.01 * peak
    assert np.abs(rendered("star", 1, **star) - expected).max() > 0.05 * peak


@pytest.mark.parametrize("n", [0.5, 1.0, 1.5])
@pytest.mark.parametrize(("ellip", "theta"), [(0.0, 0.0), (0.4, 0.7)])
def test_galaxies_agree_with_galsim(n: float, ellip: float, theta: float) -> None:
    b = gammaincinv(2 * n, 0.5)
    # half of the brightness of the centre lies within half the width
    radius = WIDTH / 2 * float(b / math.log(2)) ** n
    ratio = 1 - ellip
    flux = 2 * math.pi * n * radius**2 * math.exp(b) * b ** (-2 * n) * gamma_function(2 * n) * ratio
    profile = galsim.Sersic(n=n, half_light_radius=radius * math.sqrt(ratio), flux=flux)
    profile = profile.shear(q=ratio, beta=theta * galsim.radians)
    expected = by_galsim(profile, 16.3, 15.8)
    galaxy = {"x": 16.3, "y": 15.8, "amplitude": 1.0, "radius": radius, "n": n}
    found = rendered("galaxy", 4, ellip=ellip, theta=theta, **galaxy)
    assert np.abs(found - expected).max() < 0.01 * expected.max()


@pytest.mark.parametrize("samples", [1, 2, 3, 4, 5, 8, MOST_SAMPLES])
def test_points_are_those_of_gauss_and_legendre(samples: int) -> None:
    """Oracle: numpy's roots, by eigenvalues."""
    x, weight = np.polynomial.legendre.leggauss(samples)
    found = np.array(nodes(samples))
    np.testing.assert_allclose(found, np.stack([x / 2, weight / 2], axis=1), rtol=0, atol=1e-12)


def binned(images: Tensor, factor: int) -> Tensor:
    size = images.shape[-1] // factor
    return images.reshape(len(images), size, factor, size, factor).mean((2, 4))


@pytest.mark.parametrize(("small", "factor"), [(28, 2), (28, 9), (64, 4)])
def test_a_scene_is_the_same_at_every_size(small: int, factor: int) -> None:
    """The mean over a pixel is that of its parts: within 2 % of the peak, near the centre."""
    recipe = db.load_recipe("astro").replace(
        degrade=None, image={"samples": 8}, objects={"galaxy": {"n": 1.0}}
    )
    coarse = db.generate(recipe, 0, ROWS, image_size=small).clean[:, 0]
    fine = binned(db.generate(recipe, 0, ROWS, image_size=small * factor).clean[:, 0], factor)
    # brightness is that of a place, whatever the size of its pixel
    peak = fine.amax((1, 2), keepdim=True)
    assert float(((coarse - fine).abs() / peak).max()) < 0.02


@pytest.mark.parametrize("name", db.list_recipes("image"))
def test_kernels_agree_with_tensors(name: str) -> None:
    recipe = db.load_recipe(name).replace(image={"samples": 3, "height": 20, "width": 31})
    sample = db.generate(recipe, 1, ROWS)
    scene = Scene.from_parameters(sample.scene, sample.present)
    expected = _clean(sample.recipe, scene, sample.conditions, device=torch.device("cpu"))
    far = (sample.clean[:, 0] - expected).abs() > 1e-5 * expected.amax((1, 2), keepdim=True)
    assert float(far.float().mean()) < 1e-4  # rounding decides about the edge of a shape
    single = db.generate(recipe, 1, ROWS[3:4])
    assert torch.equal(sample.image[3:4], single.image)


def test_one_sample_is_the_centre() -> None:
    recipe = db.load_recipe("sky")
    assert recipe.replace(image={"samples": 1}).digest == recipe.digest
    other = db.generate(recipe.replace(image={"samples": 2}), 0, ROWS)
    plain = db.generate(recipe, 0, ROWS)
    assert not torch.equal(other.clean, plain.clean)
    for kind in recipe.classes:
        for name, values in plain.scene[kind].items():
            assert torch.equal(values, other.scene[kind][name])


@pytest.mark.parametrize("wrong", [0, -1, 17, 1.5, "2", True])
def test_a_wrong_number_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="samples"):
        db.load_recipe("astro").replace(image={"samples": wrong})
    with pytest.raises(ValueError, match=r"Grid\.samples: expected a whole number from 1 to 16"):
        db.Grid(3, 3, samples=wrong)  # type: ignore[arg-type]
