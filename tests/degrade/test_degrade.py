"""Degradation: blur against closed forms and scipy, noise against its distribution."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from torch import Tensor

from deepbench_torch.degrade import Noise
from deepbench_torch.numerics import rng
from deepbench_torch.recipes.image_fields import Blur, Photons, ReadOut

Image = NDArray[np.float64]
SIGMAS = [0.3, 0.5, 1.0, 1.7, 3.0]
each_sigma = pytest.mark.parametrize("sigma", SIGMAS)
SIGMA_LIMIT = 4.0  # standard errors; the numbers are fixed, so a test never fails by chance


def framed(height: int, width: int, sigma: float) -> tuple[Tensor, int]:
    """An empty scene in float64 with the margin of a blur, and that margin."""
    margin = Blur(sigma=sigma).margin(1)
    scene = torch.zeros(1, height + 2 * margin, width + 2 * margin, dtype=torch.float64)
    return scene, margin


def light(height: int, width: int, sigma: float, batch: int = 1) -> Tensor:
    """Scenes of random brightness from 0 to 1, with a margin."""
    margin = Blur(sigma=sigma).margin(1)
    shape = height + 2 * margin, width + 2 * margin
    u = rng.uniform(0, ("light",), torch.arange(batch), shape[0] * shape[1])
    return u.view(batch, *shape)


def cut_gaussian(distance: Image, sigma: float) -> Image:
    """A Gaussian of whole distances, cut after 5 sigma, of unit sum."""
    reach = Blur(sigma=sigma).margin(1)
    norm = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).sum()
    near = np.abs(distance) <= reach
    return np.asarray(near * np.exp(-0.5 * (distance / sigma) ** 2) / norm)


# ---- blur


@each_sigma
@pytest.mark.parametrize(("row", "column"), [(4, 6), (0, 0), (8, 1), (-2, 3), (4, 14), (9, 13)])
def test_one_bright_pixel_becomes_the_gaussian(sigma: float, row: int, column: int) -> None:
    """Closed form: the product of two cut Gaussians round the pixel, also one beyond the frame."""
    scene, margin = framed(9, 13, sigma)
    scene[0, margin + row, margin + column] = 3.0
    expected = 3 * np.outer(
        cut_gaussian(np.arange(9.0) - row, sigma), cut_gaussian(np.arange(13.0) - column, sigma)
    )
    blurred = Blur(sigma=sigma).apply(scene, shorter=1)[0].numpy()
    np.testing.assert_allclose(blurred, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("sigma", [1.0, 1.7, 3.0])
def test_one_bright_pixel_has_the_width_of_a_gaussian(sigma: float) -> None:
    """The variance along either axis is sigma squared.

    From sigma = 1 on, sampling at pixels changes it by less than 1e-6; the cut at 5 sigma takes
    5 sqrt(2 / pi) exp(-12.5) 2 = 3e-5 of it away.
    """
    scene, margin = framed(41, 35, sigma)
    scene[0, margin + 20, margin + 17] = 1.0
    blurred = Blur(sigma=sigma).apply(scene, shorter=1)[0].numpy()
    rows, columns = np.mgrid[-20:21, -17:18]
    assert (blurred * rows**2).sum() == pytest.approx(sigma**2, rel=5e-5)
    assert (blurred * columns**2).sum() == pytest.approx(sigma**2, rel=5e-5)


@each_sigma
def test_no_light_is_lost(sigma: float) -> None:
    """A scene whose light lies far enough inside keeps its sum; rounding of float64 sums."""
    scene, margin = framed(40, 45, sigma)
    inner = slice(margin + 15, margin + 25)
    scene[0, inner, inner] = light(10, 10, 0.1)[0, 1:-1, 1:-1]
    total = float(scene.sum())
    assert float(Blur(sigma=sigma).apply(scene, shorter=1).sum()) == pytest.approx(total, rel=1e-13)
    even = torch.ones_like(scene)
    assert torch.allclose(Blur(sigma=sigma).apply(even, shorter=1), even[:, :40, :45], rtol=1e-14)


@each_sigma
@pytest.mark.parametrize(("height", "width"), [(9, 14), (14, 9), (1, 5), (5, 1)])
def test_blur_agrees_with_scipy(sigma: float, height: int, width: int) -> None:
    """Oracle: scipy.ndimage on a scene with a dark surround, cut to the frame."""
    scene, margin = light(height, width, sigma), Blur(sigma=sigma).margin(1)
    blurred = ndimage.gaussian_filter(scene[0].numpy(), sigma, mode="constant", radius=margin)
    expected = blurred[margin : margin + height, margin : margin + width]
    np.testing.assert_allclose(
        Blur(sigma=sigma).apply(scene, shorter=1)[0].numpy(), expected, rtol=1e-13
    )
    # single precision adds up to 61 terms of one sign
    single = Blur(sigma=sigma).apply(scene.float(), shorter=1)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single[0].numpy(), expected, rtol=5e-6)


@each_sigma
def test_a_batch_is_blurred_like_singles(sigma: float) -> None:
    scenes = light(11, 17, sigma, batch=7).float()
    singles = torch.cat([Blur(sigma=sigma).apply(scene[None], shorter=1) for scene in scenes])
    assert torch.equal(Blur(sigma=sigma).apply(scenes, shorter=1), singles)
    assert Blur(sigma=sigma).apply(scenes[:0], shorter=1).shape == (0, 11, 17)


def test_blur_leaves_the_scene_alone() -> None:
    scene = light(5, 7, 1.0)
    kept = scene.clone()
    Blur(sigma=1.0).apply(scene, shorter=1)
    assert torch.equal(scene, kept)


@pytest.mark.parametrize(("sigma", "margin"), [(1e-6, 1), (0.2, 1), (0.21, 2), (1.0, 5), (2.5, 13)])
def test_margin_holds_five_deviations(sigma: float, margin: int) -> None:
    assert Blur(sigma=sigma).margin(1) == margin


@pytest.mark.parametrize("sigma", [0.05, 1e-200])
def test_a_very_narrow_blur_changes_nothing(sigma: float) -> None:
    scene = light(5, 7, 1e-6)
    assert torch.equal(Blur(sigma=1e-6).apply(scene, shorter=1), scene[:, 1:-1, 1:-1])


# ---- noise


def flat(brightness: float, batch: int = 100, height: int = 25, width: int = 40) -> Tensor:
    return torch.full((batch, height, width), brightness)


def photons(image: Tensor, *, exposure: float, background: float, seed: int = 0) -> Tensor:
    noise = Photons(exposure=exposure, background=background)
    return noise.apply(image, seed=seed, index=torch.arange(len(image)))


@pytest.mark.parametrize(
    ("brightness", "exposure", "background"),
    [
        (0.0, 400.0, 1.0),
        (0.5, 400.0, 1.0),
        (2.0, 10.0, 0.0),
        (0.01, 100.0, 0.001),
        (50.0, 30.0, 5.0),
    ],
)
def test_photon_noise_has_mean_and_variance(
    brightness: float, exposure: float, background: float
) -> None:
    """Poisson: mean of the brightness, variance (brightness + background) / exposure."""
    drawn = photons(flat(brightness), exposure=exposure, background=background).double()
    rate, count = (brightness + background) * exposure, drawn.numel()
    assert abs(float(drawn.mean()) - brightness) < SIGMA_LIMIT * math.sqrt(rate / count) / exposure
    error = math.sqrt((2 * rate**2 + rate) / count) / exposure**2
    assert abs(float(drawn.var()) - rate / exposure**2) < SIGMA_LIMIT * error


def test_photon_noise_is_the_quantile_of_scipy() -> None:
    """Photons use the uniform numbers of "noise.poisson", pixel by pixel along the rows."""
    image, index = light(11, 17, 0.1, batch=3).float() * 5, torch.tensor([7, 0, 2**40])
    drawn = Photons(exposure=80.0, background=0.5).apply(image, seed=3, index=index)
    bits = rng.pixel_bits(3, "noise.poisson", index, image[0].numel()).view(image.shape)
    rate = ((image + 0.5) * 80).double().numpy()
    expected = stats.poisson.ppf(rng.bits_to_uniform(bits).numpy(), rate) / 80 - 0.5
    # the counts are exact; dividing them and taking the background off rounds in single precision
    np.testing.assert_allclose(drawn.numpy(), expected, rtol=0, atol=1e-6)


def test_photons_are_whole() -> None:
    drawn = photons(light(11, 17, 0.1).float(), exposure=64.0, background=0.25)
    counts = (drawn + 0.25) * 64  # exact for powers of two
    assert torch.equal(counts, counts.round())
    assert float(counts.min()) >= 0


def read_out(image: Tensor, *, sigma: float, seed: int = 0) -> Tensor:
    return ReadOut(sigma=sigma).apply(image, seed=seed, index=torch.arange(len(image)))


@pytest.mark.parametrize("sigma", [0.01, 1.0, 30.0])
def test_read_out_noise_is_normal(sigma: float) -> None:
    noise = read_out(flat(0.0), sigma=sigma).double().flatten()
    assert stats.kstest(noise.numpy() / sigma, "norm").pvalue > 1e-4
    error = SIGMA_LIMIT / math.sqrt(len(noise))
    assert abs(float(noise.mean())) < error * sigma
    assert float(noise.std()) == pytest.approx(sigma, rel=error / math.sqrt(2))


def test_read_out_noise_is_that_of_its_stream() -> None:
    """Normal numbers of "noise.gaussian", pixel by pixel along the rows; one product rounded."""
    index = torch.tensor([7, 0, 2**40])
    noise = ReadOut(sigma=0.25).apply(flat(0.0, batch=3), seed=3, index=index)
    normal = rng.pixel_normal(3, "noise.gaussian", index, noise[0].numel())
    assert torch.equal(noise.flatten(1), normal * 0.25)


def test_read_out_noise_does_not_depend_on_the_image() -> None:
    faint, bright = read_out(flat(0.0), sigma=1.0), read_out(flat(8.0), sigma=1.0)
    # the sum is rounded to 2**-21 between 8 and 16
    assert torch.allclose(bright - 8, faint, rtol=0, atol=2.0**-20)


NOISES = [Photons(exposure=50.0, background=1.0), ReadOut(sigma=0.1)]
each_noise = pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.stream)


@each_noise
def test_noise_has_the_variance_that_it_states(noise: Noise) -> None:
    """Oracle: the scatter of 100,000 pixels, within 4 standard errors of a variance."""
    light = flat(1.5)
    found = float((noise.apply(light, seed=3, index=torch.arange(len(light))) - light).var())
    (stated,) = set(noise.variance(light).flatten().tolist())
    assert abs(found / stated - 1) < SIGMA_LIMIT * math.sqrt(2 / light.numel())


@each_noise
def test_noise_of_a_batch_equals_singles(noise: Noise) -> None:
    image, index = light(7, 11, 0.1, batch=5).float(), torch.tensor([4, 0, 2**40, 4, 9])

    def drawn(image: Tensor, index: Tensor) -> Tensor:
        return noise.apply(image, seed=1, index=index)

    kept = image.clone()
    singles = [drawn(image[k : k + 1], index[k : k + 1]) for k in range(5)]
    assert torch.equal(drawn(image, index), torch.cat(singles))
    assert drawn(image[:0], index[:0]).shape == (0, *image.shape[1:])
    assert torch.equal(image, kept)


@pytest.mark.parametrize("noise", [photons, read_out])
def test_rows_and_seeds_have_noise_of_their_own(noise: object) -> None:
    options = {"exposure": 100.0, "background": 1.0} if noise is photons else {"sigma": 1.0}
    assert callable(noise)
    first, second = (noise(flat(1.0), **options, seed=seed).double() for seed in (0, 1))
    for one, other in ((first[1:], first[:-1]), (first, second), (first[..., 1:], first[..., :-1])):
        correlation = np.corrcoef(one.flatten().numpy(), other.flatten().numpy())[0, 1]
        assert abs(correlation) < SIGMA_LIMIT / math.sqrt(one.numel())
