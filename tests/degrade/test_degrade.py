"""Degradation: blur against closed forms and scipy, noise against its distribution."""

import math

import galsim
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage, signal, stats
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.degrade import (
    ArraySpread,
    Blur,
    Gaussian,
    Gradient,
    Moffat,
    Noise,
    Pedestal,
    Photons,
    PointSpread,
    ReadOut,
)
from deepbench_torch.numerics import rng
from deepbench_torch.objects.point import GAUSSIAN_WIDTH

Image = NDArray[np.float64]
ONE = db.Grid(1, 1)  # where a fraction of the shorter side is a number of pixels
SIGMAS = [0.3, 0.5, 1.0, 1.7, 3.0]
each_sigma = pytest.mark.parametrize("sigma", SIGMAS)
SIGMA_LIMIT = 4.0  # standard errors; the numbers are fixed, so a test never fails by chance


def values(**numbers: float) -> dict[str, Tensor]:
    """Conditions of one image, in double precision."""
    return {name: torch.tensor([number], dtype=torch.float64) for name, number in numbers.items()}


def margin_of(sigma: float) -> int:
    return Blur(sigma=sigma).margin(ONE)


def blurred(scene: Tensor, sigma: float) -> Tensor:
    """Scenes with a margin, blurred by `sigma` pixels."""
    own = {"fwhm": torch.full((len(scene),), sigma * GAUSSIAN_WIDTH, dtype=torch.float64)}
    return Blur(sigma=sigma).apply(scene, own, margin=margin_of(sigma))


def framed(height: int, width: int, sigma: float) -> tuple[Tensor, int]:
    """An empty scene in float64 with the margin of a blur, and that margin."""
    margin = margin_of(sigma)
    scene = torch.zeros(1, height + 2 * margin, width + 2 * margin, dtype=torch.float64)
    return scene, margin


def light(height: int, width: int, sigma: float, batch: int = 1) -> Tensor:
    """Scenes of random brightness from 0 to 1, with a margin."""
    margin = margin_of(sigma)
    shape = height + 2 * margin, width + 2 * margin
    u = rng.uniform(0, ("light",), torch.arange(batch), shape[0] * shape[1])
    return u.view(batch, *shape)


def cut_gaussian(distance: Image, sigma: float) -> Image:
    """A Gaussian of whole distances, cut after 5 sigma, of unit sum."""
    reach = margin_of(sigma)
    norm = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).sum()
    near = np.abs(distance) <= reach
    return np.asarray(near * np.exp(-0.5 * (distance / sigma) ** 2) / norm)


# ---- point spread


@each_sigma
@pytest.mark.parametrize(("row", "column"), [(4, 6), (0, 0), (8, 1), (-2, 3), (4, 14), (9, 13)])
def test_one_bright_pixel_becomes_the_gaussian(sigma: float, row: int, column: int) -> None:
    """Closed form: the product of two cut Gaussians round the pixel, also one beyond the frame."""
    scene, margin = framed(9, 13, sigma)
    if -margin <= row < 9 + margin and -margin <= column < 13 + margin:
        scene[0, margin + row, margin + column] = 3.0
    expected = 3 * np.outer(
        cut_gaussian(np.arange(9.0) - row, sigma), cut_gaussian(np.arange(13.0) - column, sigma)
    )
    np.testing.assert_allclose(blurred(scene, sigma)[0].numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sigma", [1.0, 1.7, 3.0])
def test_one_bright_pixel_has_the_width_of_a_gaussian(sigma: float) -> None:
    """The variance along either axis is sigma squared.

    From sigma = 1 on, sampling at pixels changes it by less than 1e-6; the cut at 5 sigma takes
    5 sqrt(2 / pi) exp(-12.5) 2 = 3e-5 of it away.
    """
    scene, margin = framed(41, 35, sigma)
    scene[0, margin + 20, margin + 17] = 1.0
    found = blurred(scene, sigma)[0].numpy()
    rows, columns = np.mgrid[-20:21, -17:18]
    assert (found * rows**2).sum() == pytest.approx(sigma**2, rel=5e-5)
    assert (found * columns**2).sum() == pytest.approx(sigma**2, rel=5e-5)


@each_sigma
def test_no_light_is_lost(sigma: float) -> None:
    """A scene whose light lies far enough inside keeps its sum; rounding of float64 sums."""
    scene, margin = framed(40, 45, sigma)
    inner = slice(margin + 15, margin + 25)
    scene[0, inner, inner] = light(10, 10, 0.1)[0, 1:-1, 1:-1]
    total = float(scene.sum())
    assert float(blurred(scene, sigma).sum()) == pytest.approx(total, rel=1e-12)
    even = torch.ones_like(scene)
    assert torch.allclose(blurred(even, sigma), even[:, :40, :45], rtol=1e-13)


@each_sigma
@pytest.mark.parametrize(("height", "width"), [(9, 14), (14, 9), (1, 5), (5, 1)])
def test_blur_agrees_with_scipy(sigma: float, height: int, width: int) -> None:
    """Oracle: scipy.ndimage on a scene with a dark surround, cut to the frame."""
    scene, margin = light(height, width, sigma), margin_of(sigma)
    wide = ndimage.gaussian_filter(scene[0].numpy(), sigma, mode="constant", radius=margin)
    expected = wide[margin : margin + height, margin : margin + width]
    np.testing.assert_allclose(blurred(scene, sigma)[0].numpy(), expected, rtol=1e-12)
    single = blurred(scene.float(), sigma)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single[0].numpy(), expected, rtol=0, atol=1e-6 * expected.max())


@each_sigma
def test_a_batch_is_blurred_like_singles(sigma: float) -> None:
    """To rounding; the kernels blur a batch and its singles to the same bits."""
    scenes = light(11, 17, sigma, batch=7)
    singles = torch.cat([blurred(scene[None], sigma) for scene in scenes])
    torch.testing.assert_close(blurred(scenes, sigma), singles, rtol=1e-12, atol=0)
    assert blurred(scenes[:0], sigma).shape == (0, 11, 17)


def test_blur_leaves_the_scene_alone() -> None:
    scene = light(5, 7, 1.0)
    kept = scene.clone()
    blurred(scene, 1.0)
    assert torch.equal(scene, kept)


@pytest.mark.parametrize(("sigma", "margin"), [(1e-6, 1), (0.2, 1), (0.21, 2), (1.0, 5), (2.5, 13)])
def test_margin_holds_five_deviations(sigma: float, margin: int) -> None:
    assert margin_of(sigma) == margin


@pytest.mark.parametrize("sigma", [0.05, 1e-200])
def test_a_very_narrow_blur_changes_nothing(sigma: float) -> None:
    scene = light(5, 7, 1e-6)
    torch.testing.assert_close(blurred(scene, sigma), scene[:, 1:-1, 1:-1], rtol=1e-12, atol=0)


SPREADS: dict[str, tuple[PointSpread, dict[str, float]]] = {
    "gaussian": (Gaussian(fwhm=3.0), {"fwhm": 3.0}),
    "moffat": (Moffat(fwhm=3.0, alpha=3.5), {"fwhm": 3.0, "alpha": 3.5}),
    "steep moffat": (Moffat(fwhm=2.6, alpha=50.0), {"fwhm": 2.6, "alpha": 50.0}),
}
each_spread = pytest.mark.parametrize(("spread", "numbers"), SPREADS.values(), ids=list(SPREADS))


def of_galsim(numbers: dict[str, float]) -> galsim.GSObject:
    """The point spread of GalSim, of pixels of size 1."""
    if "alpha" in numbers:
        return galsim.Moffat(beta=numbers["alpha"], fwhm=numbers["fwhm"])
    return galsim.Gaussian(fwhm=numbers["fwhm"])


def drawn(profile: galsim.GSObject, height: int, width: int, centre: tuple[float, float]) -> Image:
    """The light of GalSim's profile at the pixel centres, its own centre at row and column."""
    image = galsim.ImageD(width, height, scale=1.0, xmin=0, ymin=0)
    shifted = profile.shift(centre[1] - (width - 1) / 2, centre[0] - (height - 1) / 2)
    shifted.drawImage(image, method="no_pixel", use_true_center=True)
    return np.asarray(image.array)


@each_spread
def test_a_point_is_that_of_galsim(spread: PointSpread, numbers: dict[str, float]) -> None:
    """Oracle: GalSim's profile at pixel centres, also of centres between pixels."""
    point = [torch.tensor([number], dtype=torch.float64) for number in (9.3, 6.8, 5.0)]
    found = spread.points(point, values(**numbers), db.Grid(15, 21))[0].numpy()
    expected = 5 * drawn(of_galsim(numbers), 15, 21, (6.8, 9.3))
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-5 * expected.max())
    # between pixels, GalSim's own transform rounds to that; the peak is a closed form
    assert float(spread.peak(values(**numbers))) * 5 == pytest.approx(
        float(of_galsim(numbers).xValue(0, 0)) * 5, rel=1e-6
    )


@each_spread
def test_a_galaxy_is_spread_as_by_galsim(spread: PointSpread, numbers: dict[str, float]) -> None:
    """Oracle: GalSim's convolution of a Gaussian galaxy, within 0.5 % of the peak.

    A Moffat profile is cut where 0.2 % of its light lies beyond.
    """
    sigma, size, margin = 2.5, 33, spread.margin(ONE)
    row, column = np.mgrid[-margin : size + margin, -margin : size + margin]
    distance2 = (row - 15.4) ** 2 + (column - 16.7) ** 2
    scene = np.exp(-0.5 * distance2 / sigma**2) / (2 * np.pi * sigma**2)
    found = spread.apply(torch.from_numpy(scene)[None], values(**numbers), margin=margin)[0]
    both = galsim.Convolve(galsim.Gaussian(sigma=sigma), of_galsim(numbers))
    expected = drawn(both, size, size, (15.4, 16.7))
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=5e-3 * expected.max())


PIXELS = np.array(
    [[0, 1, 2, 1, 0], [1, 5, 9, 4, 1], [2, 9, 20, 7, 2], [1, 4, 8, 3, 1], [0, 1, 2, 1, 0]],
    np.float32,
)


@pytest.mark.parametrize("centre", [(6.0, 9.0), (6.8, 9.3), (0.2, 14.9)])
def test_an_array_is_interpolated_as_by_galsim(centre: tuple[float, float]) -> None:
    """Oracle: GalSim's image with its cubic interpolant, that of Keys (1981)."""
    spread = ArraySpread.model_validate({"array": PIXELS})
    image = galsim.Image(PIXELS.astype(np.float64), scale=1.0)
    profile = galsim.InterpolatedImage(
        image,
        x_interpolant="cubic",
        normalization="sb",
        gsparams=galsim.GSParams(maxk_threshold=1e-6),
    )
    expected = drawn(profile, 13, 17, centre).clip(0) / PIXELS.sum()
    y, x = centre
    point = [torch.tensor([number], dtype=torch.float64) for number in (x, y, 1.0)]
    found = spread.points(point, {}, db.Grid(13, 17))[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_an_array_spreads_as_by_scipy() -> None:
    """Oracle: scipy's convolution of a lopsided array that is not square."""
    pixels = PIXELS[:3] * np.arange(1, 6)
    spread = ArraySpread.model_validate({"array": pixels})
    margin = spread.margin(ONE)
    scene = light(9, 14, margin / 5)
    assert scene.shape == (1, 9 + 2 * margin, 14 + 2 * margin)
    expected = signal.convolve(scene[0].numpy(), pixels / pixels.sum(), mode="same")
    found = spread.apply(scene, {}, margin=margin)[0]
    inner = expected[margin:-margin, margin:-margin]
    np.testing.assert_allclose(found.numpy(), inner, rtol=1e-6)


@pytest.mark.parametrize(
    ("slope", "angle"), [(0.3, 0.0), (0.5, math.pi / 2), (0.4, 2.0), (-0.4, 0.7)]
)
def test_a_gradient_is_a_plane(slope: float, angle: float) -> None:
    """Closed form: mean 0, and `slope` across the shorter side of a square along its direction."""
    effect = Gradient(slope=slope, angle=angle)
    own = values(gradient=slope, gradient_angle=angle)
    plane = effect.light(own, db.Grid(20, 30), like=torch.zeros(1, dtype=torch.float64))[0]
    assert float(plane.mean()) == pytest.approx(0, abs=1e-14)
    down, across = (float(step) for step in (plane[1, 0] - plane[0, 0], plane[0, 1] - plane[0, 0]))
    assert across * 20 == pytest.approx(slope * math.cos(angle), abs=1e-12)
    assert down * 20 == pytest.approx(slope * math.sin(angle), abs=1e-12)


# ---- noise


def flat(brightness: float, batch: int = 100, height: int = 25, width: int = 40) -> Tensor:
    return torch.full((batch, height, width), brightness)


def noised(noise: Noise, image: Tensor, *, seed: int, index: Tensor | None = None) -> Tensor:
    """Images with noise of its numbers, the same in all of them."""
    count = len(image)
    own = {
        name: torch.full((count,), prior.support[0], dtype=torch.float32)
        for name, prior in noise.priors.items()
    }
    index = torch.arange(count) if index is None else index
    return noise.apply(image, own, light=image, seed=seed, index=index)


def photons(image: Tensor, *, exposure: float, background: float, seed: int = 0) -> Tensor:
    noise = Photons(exposure=exposure, background=background)
    return noised(noise, image, seed=seed)


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
    found = photons(flat(brightness), exposure=exposure, background=background).double()
    rate, count = (brightness + background) * exposure, found.numel()
    assert abs(float(found.mean()) - brightness) < SIGMA_LIMIT * math.sqrt(rate / count) / exposure
    error = math.sqrt((2 * rate**2 + rate) / count) / exposure**2
    assert abs(float(found.var()) - rate / exposure**2) < SIGMA_LIMIT * error


def test_photon_noise_is_the_quantile_of_scipy() -> None:
    """Photons use the uniform numbers of "noise.poisson", pixel by pixel along the rows."""
    image, index = light(11, 17, 0.1, batch=3).float() * 5, torch.tensor([7, 0, 2**40])
    found = noised(Photons(exposure=80.0, background=0.5), image, seed=3, index=index)
    bits = rng.pixel_bits(3, "noise.poisson", index, image[0].numel()).view(image.shape)
    rate = ((image + 0.5) * 80).double().numpy()
    expected = stats.poisson.ppf(rng.bits_to_uniform(bits).numpy(), rate) / 80 - 0.5
    # the counts are exact; dividing them and taking the background off rounds in single precision
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-6)


def test_photons_are_whole() -> None:
    found = photons(light(11, 17, 0.1).float(), exposure=64.0, background=0.25)
    counts = (found + 0.25) * 64  # exact for powers of two
    assert torch.equal(counts, counts.round())
    assert float(counts.min()) >= 0


def read_out(image: Tensor, *, sigma: float, seed: int = 0) -> Tensor:
    return noised(ReadOut(sigma=sigma), image, seed=seed)


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
    noise = noised(ReadOut(sigma=0.25), flat(0.0, batch=3), seed=3, index=index)
    normal = rng.pixel_normal(3, "noise.gaussian", index, noise[0].numel())
    assert torch.equal(noise.flatten(1), normal * 0.25)


def test_read_out_noise_does_not_depend_on_the_image() -> None:
    faint, bright = read_out(flat(0.0), sigma=1.0), read_out(flat(8.0), sigma=1.0)
    # the sum is rounded to 2**-21 between 8 and 16
    assert torch.allclose(bright - 8, faint, rtol=0, atol=2.0**-20)


NOISES: dict[str, Noise] = {
    "photons": Photons(exposure=50.0, background=1.0),
    "pedestal": Pedestal(snr=0.8),
    "read-out": ReadOut(sigma=0.1),
    "read-out by peak": ReadOut(snr=5.0),
}
each_noise = pytest.mark.parametrize("noise", NOISES.values(), ids=list(NOISES))


@each_noise
def test_noise_has_the_variance_that_it_states(noise: Noise) -> None:
    """Oracle: the scatter of 100,000 pixels, within 4 standard errors of a variance."""
    light = flat(1.5)
    found = float((noised(noise, light, seed=3) - light).var())
    own = {
        name: torch.full((len(light),), prior.support[0]) for name, prior in noise.priors.items()
    }
    (stated,) = set(noise.variance(light, own).flatten().tolist())
    # of a Poisson count the variance has an error of its own: 2 + 1 / mean
    kurtosis = 2 + 1 / stated if isinstance(noise, Pedestal) else 2.1
    assert abs(found / stated - 1) < SIGMA_LIMIT * math.sqrt(kurtosis / light.numel())


@each_noise
def test_noise_of_a_batch_equals_singles(noise: Noise) -> None:
    image, index = light(7, 11, 0.1, batch=5).float(), torch.tensor([4, 0, 2**40, 4, 9])

    def drawn(image: Tensor, index: Tensor) -> Tensor:
        return noised(noise, image, seed=1, index=index)

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
