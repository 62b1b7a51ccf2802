"""Degradation: point-spread blur, then photon noise, then read-out noise."""

import math

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math, rng
from deepbench_torch.numerics.poisson import poisson_from_bits

REACH = 5  # standard deviations after which the point spread is cut; 1e-6 of the light lies beyond


def blur_margin(sigma: float) -> int:
    """How many pixels beyond the frame its light can come from, for a blur of `sigma` [pixel]."""
    return max(1, math.ceil(REACH * sigma))


def blur(scene: Tensor, *, sigma: float) -> Tensor:
    """Spread every pixel's light as a round Gaussian.

    The Gaussian is taken at pixel centres and scaled so that no light is lost. Sums run in a fixed
    order over whole images, so a batch is blurred like its singles.

    Args:
        scene: Light, shape (B, H + 2 m, W + 2 m), with a margin m = `blur_margin(sigma)`.
        sigma: Standard deviation [pixel].

    Returns:
        Shape (B, H, W), without the margin.
    """
    taps = blur_taps(sigma)
    return _blur_axis(_blur_axis(scene, taps, dim=1), taps, dim=2)


def blur_taps(sigma: float) -> list[float]:
    """Return the weights of a blur, from the middle outward to `blur_margin(sigma)`."""
    steps = torch.arange(blur_margin(sigma) + 1, dtype=torch.float64, device="cpu") / sigma
    weights = exact_math.exp((-0.5 * steps * steps).clamp_min(-700)).tolist()
    total = math.fsum(weights) * 2 - 1
    return [weight / total for weight in weights]


def _blur_axis(image: Tensor, taps: list[float], dim: int) -> Tensor:
    reach = len(taps) - 1
    size = image.shape[dim] - 2 * reach
    total = image.narrow(dim, reach, size) * taps[0]
    for step in range(1, reach + 1):
        sides = image.narrow(dim, reach - step, size) + image.narrow(dim, reach + step, size)
        total.add_(sides.mul_(taps[step]))
    return total


def add_photon_noise(
    image: Tensor, *, exposure: float, background: float, seed: int, index: Tensor
) -> Tensor:
    """Count photons of signal and background, and take the mean background off again.

    The counts are Poisson of exposure * (image + background), from one number a pixel of the stream
    "noise.poisson".

    Args:
        image: Brightness, not negative, float32, shape (B, H, W).
        exposure: Photons per unit of brightness.
        background: Brightness of the sky in every pixel.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the device of `image`.

    Returns:
        Brightness, shape (B, H, W).
    """
    pixels = image.shape[1] * image.shape[2]
    bits = rng.pixel_bits(seed, "noise.poisson", index, pixels).view(image.shape)
    rate = (image + background).mul_(exposure)
    return poisson_from_bits(bits, rate).mul_(1 / exposure).sub_(background)


def add_read_out_noise(image: Tensor, *, sigma: float, seed: int, index: Tensor) -> Tensor:
    """Add normal numbers of the stream "noise.gaussian".

    Args:
        image: Brightness, float32, shape (B, H, W).
        sigma: Standard deviation, in units of brightness.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the device of `image`.

    Returns:
        Brightness, shape (B, H, W).
    """
    pixels = image.shape[1] * image.shape[2]
    normal = rng.pixel_normal(seed, "noise.gaussian", index, pixels)
    return image + normal.view(image.shape) * sigma
