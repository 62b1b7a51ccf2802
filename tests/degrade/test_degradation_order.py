"""Degradation in `generate`: its order, its streams, and light from beyond the frame."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

import deepbench_torch as db
from deepbench_torch.degrade import Photons, ReadOut
from deepbench_torch.samples import Sample

INDEX = torch.arange(40)
BLUR, POISSON, GAUSSIAN = {"sigma": 0.06}, {"exposure": 50, "background": 0.5}, {"sigma": 0.2}


def sample(size: tuple[int, int] = (25, 31), **steps: object) -> Sample:
    """Rows of the astronomy recipe with other degradation."""
    none = {"blur": None, "poisson": None, "gaussian": None}
    recipe: db.Recipe = db.load_recipe("astro").replace(degrade=none | steps)
    return db.generate(recipe, 5, INDEX, image_size=size)


def test_degradation_comes_in_its_order() -> None:
    """Blur, photons, read-out: the public steps one after the other give the same bits."""
    found = sample(blur=BLUR, poisson=POISSON, gaussian=GAUSSIAN)
    assert torch.equal(found.clean, sample(blur=BLUR).image)
    recorded = found.clean[:, 0]
    for noise in (Photons(**POISSON), ReadOut(**GAUSSIAN)):
        recorded = noise.apply(
            recorded, found.conditions, light=found.clean[:, 0], seed=5, index=INDEX
        )
    # tensors and kernels round the logarithm and the cosine of a normal number differently
    assert torch.allclose(found.image[:, 0], recorded, rtol=0, atol=1e-6)


def test_noise_is_not_blurred() -> None:
    """Were it blurred too, neighbouring pixels would have it in common; within 4 sigma of none."""
    found = sample(blur=BLUR, poisson=POISSON, gaussian=GAUSSIAN)
    noise = (found.image - found.clean)[:, 0].double().numpy()
    for product in (noise[:, 1:] * noise[:, :-1], noise[..., 1:] * noise[..., :-1]):
        assert abs(product.mean()) < 4 * noise.var() / math.sqrt(product.size)


def test_one_noise_leaves_the_draws_of_the_other() -> None:
    """Each has its own stream: the sum of two noises is that of either alone."""
    clean = sample().image
    both = sample(poisson=POISSON, gaussian=GAUSSIAN).image
    photons, reading = sample(poisson=POISSON).image, sample(gaussian=GAUSSIAN).image
    # adding the same normal number to two values of up to 32 rounds by 2**-20 each
    assert torch.allclose(both - photons, reading - clean, rtol=0, atol=4e-6)


def test_the_two_noises_are_unrelated() -> None:
    """They have streams of their own; correlation within 4 standard errors of none."""
    clean = sample().image
    photons = (sample(poisson=POISSON).image - clean).double().flatten().numpy()
    reading = (sample(gaussian=GAUSSIAN).image - clean).double().flatten().numpy()
    assert abs(np.corrcoef(photons, reading)[0, 1]) < 4 / math.sqrt(len(photons))


def test_degradation_leaves_the_scene_as_it_was() -> None:
    plain, full = sample(), sample(blur=BLUR, poisson=POISSON, gaussian=GAUSSIAN)
    for kind, table in plain.scene.items():
        for name, values in table.items():
            assert torch.equal(values, full.scene[kind][name])


def test_without_degradation_image_and_clean_are_equal_but_apart() -> None:
    found = sample()
    assert torch.equal(found.image, found.clean)
    found.image.zero_()
    assert float(found.clean.max()) > 0


def test_light_from_beyond_the_frame_comes_in() -> None:
    """A star outside: astropy's profile on a wide scene, blurred by scipy, cut to the frame."""
    star = {"x": -0.06, "y": 0.7, "amplitude": 5.0, "gamma": 0.04, "alpha": 4.0}
    recipe = db.load_recipe("astro").replace(
        objects={"star": star}, degrade={"blur": BLUR, "poisson": None, "gaussian": None}
    )
    height, width = 25, 31
    found = db.generate(recipe, 0, torch.arange(30), image_size=(height, width))
    row = int(found.present["star"][:, 0].nonzero()[0])
    truth = {name: float(values[row, 0]) for name, values in found.scene["star"].items()}
    assert truth["x"] == pytest.approx(-0.06 * width - 0.5, rel=1e-6)  # the star lies outside
    wide = db.reference.render("star", truth, db.Grid(height, width, margin=20))
    blurred = ndimage.gaussian_filter(wide, 0.06 * height, mode="constant", radius=8)
    expected = blurred[20:-20, 20:-20]
    # single precision: a rounding of 6e-8 in each of some 20 operations
    np.testing.assert_allclose(found.clean[row, 0].numpy(), expected, rtol=2e-5)
    inside = ndimage.gaussian_filter(wide[20:-20, 20:-20], 1.5, mode="constant", radius=8)
    assert expected.max() > 2 * inside.max()
