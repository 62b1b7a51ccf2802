"""Noise: of photons, and of the read-out."""

from typing import ClassVar, Protocol

from pydantic import BaseModel, Field
from torch import Tensor

from deepbench_torch.numerics import rng
from deepbench_torch.numerics.fields import Number, Positive
from deepbench_torch.numerics.poisson import poisson_from_bits


class Noise(Protocol):
    """Interface of noise."""

    stream: ClassVar[str]

    def apply(self, image: Tensor, *, seed: int, index: Tensor, realization: int = 0) -> Tensor:
        """Return images with the noise.

        Args:
            image: Brightness, float32, shape (B, H, W).
            seed: 0 to 2**63 - 1.
            index: Row numbers, int64, shape (B,), on the device of `image`.
            realization: Number of the noise, from 0 on; noise of two numbers is independent.

        Returns:
            Brightness, float32, shape (B, H, W).
        """

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of the noise in each pixel, for the brightness without it."""


class PhotonNoise(BaseModel):
    """Poisson noise of signal and background, the mean background subtracted.

    The counts are Poisson of exposure * (image + background), from one number a pixel of the stream
    "noise.poisson". The brightness must not be negative.

    Attributes:
        exposure: Photons per unit of brightness.
        background: Brightness of the sky in every pixel.
    """

    stream: ClassVar[str] = "noise.poisson"

    exposure: Positive
    background: Number = Field(default=0.0, ge=0)

    def apply(self, image: Tensor, *, seed: int, index: Tensor, realization: int = 0) -> Tensor:
        """Return counted photons as brightness; see `Noise`."""
        pixels = image.shape[1] * image.shape[2]
        stream = rng.of_realization(self.stream, realization)
        bits = rng.pixel_bits(seed, stream, index, pixels).view(image.shape)
        rate = (image + self.background).mul_(self.exposure)
        return poisson_from_bits(bits, rate).mul_(1 / self.exposure).sub_(self.background)

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of each pixel, of the shape of `light`."""
        return (light + self.background) / self.exposure


class ReadOutNoise(BaseModel):
    """Gaussian noise of constant standard deviation, of the stream "noise.gaussian".

    Attributes:
        sigma: Standard deviation, in units of brightness.
    """

    stream: ClassVar[str] = "noise.gaussian"

    sigma: Positive

    def apply(self, image: Tensor, *, seed: int, index: Tensor, realization: int = 0) -> Tensor:
        """Return images with normal numbers added; see `Noise`."""
        pixels = image.shape[1] * image.shape[2]
        stream = rng.of_realization(self.stream, realization)
        normal = rng.pixel_normal(seed, stream, index, pixels)
        return image + normal.view(image.shape) * self.sigma

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of each pixel, of the shape of `light`."""
        return light * 0 + self.sigma**2
