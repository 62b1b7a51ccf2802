"""Noise: of photons, of a pedestal, and of the read-out."""

from typing import ClassVar, Protocol, Self

from pydantic import model_validator
from torch import Tensor

from deepbench_torch.degrade.conditions import Effect, Setting, Values, of_images
from deepbench_torch.numerics import rng
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.numerics.poisson import poisson_from_bits
from deepbench_torch.priors import Prior


class Noise(Protocol):
    """Interface of noise."""

    stream: ClassVar[str]

    @property
    def priors(self) -> dict[str, Prior]:
        """The prior of each condition that the noise has."""

    def apply(
        self,
        image: Tensor,
        values: Values,
        *,
        light: Tensor,
        seed: int,
        index: Tensor,
        realization: int = 0,
    ) -> Tensor:
        """Return images with the noise.

        Args:
            image: Brightness, with the noise before this one, float32, shape (B, H, W).
            values: The conditions of the images by name, shape (B,) each.
            light: Brightness without noise, float32, shape (B, H, W).
            seed: 0 to 2**63 - 1.
            index: Row numbers, int64, shape (B,), on the device of `image`.
            realization: Number of the noise, from 0 on; noise of two numbers is independent.

        Returns:
            Brightness, float32, shape (B, H, W).
        """

    def variance(self, light: Tensor, values: Values) -> Tensor:
        """Return the variance of the noise in each pixel, shape (B, H, W).

        Args:
            light: Brightness without noise, shape (B, H, W).
            values: The conditions of the images by name, shape (B,) each.
        """


class PhotonNoise(Effect):
    """Poisson noise of signal and background, the mean background subtracted.

    The counts are Poisson of exposure * (image + background), from one number a pixel of the stream
    "noise.poisson". The brightness must not be negative.

    Attributes:
        exposure: Photons per unit of brightness.
        background: Brightness of the sky in every pixel.
    """

    stream: ClassVar[str] = "noise.poisson"
    conditions: ClassVar = {"exposure": "exposure", "background": "background"}

    exposure: Setting
    background: Setting = 0.0

    def apply(
        self,
        image: Tensor,
        values: Values,
        *,
        light: Tensor,
        seed: int,
        index: Tensor,
        realization: int = 0,
    ) -> Tensor:
        """Return counted photons as brightness; see `Noise`."""
        exposure, sky = (of_images(values, name, image) for name in ("exposure", "background"))
        bits = _bits(self.stream, image, seed=seed, index=index, realization=realization)
        rate = (image + sky).mul_(exposure)
        return poisson_from_bits(bits, rate).mul_(1 / exposure).sub_(sky)

    def variance(self, light: Tensor, values: Values) -> Tensor:
        """Return the variance of each pixel, shape (B, H, W)."""
        sky = of_images(values, "background", light)
        return (light + sky) / of_images(values, "exposure", light)


class Pedestal(Effect):
    """Poisson noise of one rate in all pixels of an image, whatever their light; it is added.

    The rate is the square of the standard deviation, which is the brightest pixel over the signal
    to noise ratio. Its mean, the rate, stays in the image as a pedestal.

    Attributes:
        snr: Brightest pixel over the standard deviation of the noise.
    """

    stream: ClassVar[str] = "noise.pedestal"
    conditions: ClassVar = {"snr": "pedestal_snr"}

    snr: Setting

    def apply(
        self,
        image: Tensor,
        values: Values,
        *,
        light: Tensor,
        seed: int,
        index: Tensor,
        realization: int = 0,
    ) -> Tensor:
        """Return images with counts added; see `Noise`."""
        bits = _bits(self.stream, image, seed=seed, index=index, realization=realization)
        rate = self.variance(light, values).expand(image.shape).contiguous()
        return image + poisson_from_bits(bits, rate)

    def variance(self, light: Tensor, values: Values) -> Tensor:
        """Return the variance of each pixel, shape (B, 1, 1)."""
        deviation = brightest(light) / of_images(values, "pedestal_snr", light)
        return deviation * deviation


class ReadOutNoise(Effect):
    """Gaussian noise of one standard deviation in an image, of the stream "noise.gaussian".

    It has one of both attributes.

    Attributes:
        sigma: Standard deviation, in units of brightness.
        snr: Brightest pixel over the standard deviation.
    """

    stream: ClassVar[str] = "noise.gaussian"
    conditions: ClassVar = {"sigma": "sigma", "snr": "snr"}

    sigma: Setting | None = None
    snr: Setting | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.sigma is None) == (self.snr is None):
            found = "none" if self.sigma is None else "both"
            message = f"expected one of sigma and snr, got {found}; set one of them"
            raise FaultsError([Fault(("sigma",), message)])
        return self

    def apply(
        self,
        image: Tensor,
        values: Values,
        *,
        light: Tensor,
        seed: int,
        index: Tensor,
        realization: int = 0,
    ) -> Tensor:
        """Return images with normal numbers added; see `Noise`."""
        pixels = image.shape[1] * image.shape[2]
        stream = rng.of_realization(self.stream, realization)
        normal = rng.pixel_normal(seed, stream, index, pixels)
        return image + normal.view(image.shape) * self._deviation(light, values)

    def variance(self, light: Tensor, values: Values) -> Tensor:
        """Return the variance of each pixel, shape (B, H, W)."""
        return light * 0 + self._deviation(light, values) ** 2

    def _deviation(self, light: Tensor, values: Values) -> Tensor:
        """Return the standard deviation in each image, shape (B, 1, 1)."""
        if self.snr is None:
            return of_images(values, "sigma", light)
        return brightest(light) / of_images(values, "snr", light)


def brightest(light: Tensor) -> Tensor:
    """Return the brightest pixel of each image (B, H, W), 0 at least, shape (B, 1, 1)."""
    return light.amax((1, 2), keepdim=True).clamp_min(0)


def _bits(stream: str, image: Tensor, *, seed: int, index: Tensor, realization: int) -> Tensor:
    """Return a random 32-bit integer for each pixel, of the shape of the images."""
    pixels = image.shape[1] * image.shape[2]
    bits = rng.pixel_bits(seed, rng.of_realization(stream, realization), index, pixels)
    return bits.view(image.shape)
