"""Noise: of photons, of a pedestal, and of the read-out."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Self

from pydantic import model_validator
from torch import Tensor
from typing_extensions import override

from deepbench_torch.degrade.conditions import (
    LARGER,
    Condition,
    Effect,
    Setting,
    Values,
    of_images,
)
from deepbench_torch.numerics import rng
from deepbench_torch.numerics.checks import Fault, FaultsError
from deepbench_torch.numerics.poisson import poisson_from_bits
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter


class Numbers(NamedTuple):
    """Random numbers of the pixels of some rows.

    Attributes:
        seed: 0 to 2**63 - 1.
        stream: Name of the stream.
        row: Row numbers, int64, shape (B,).
    """

    seed: int
    stream: str
    row: Tensor

    def bits(self, image: Tensor) -> Tensor:
        """Return a random 32-bit integer for each pixel, of the shape of the images."""
        pixels = image.shape[1] * image.shape[2]
        return rng.pixel_bits(self.seed, self.stream, self.row, pixels).view(image.shape)

    def normal(self, image: Tensor) -> Tensor:
        """Return a normal number for each pixel, of the shape of the images."""
        pixels = image.shape[1] * image.shape[2]
        return rng.pixel_normal(self.seed, self.stream, self.row, pixels).view(image.shape)


class Noise(Effect, ABC):
    """Base of all noise.

    Attributes:
        stream: Name of the stream of its random numbers.
        alternatives: Fields of which a recipe sets one; empty if each field is set on its own.
    """

    stream: ClassVar[str]
    alternatives: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        found = [name for name in self.alternatives if getattr(self, name) is not None]
        if self.alternatives and len(found) != 1:
            message = (
                f"expected one of {' and '.join(self.alternatives)}, got "
                f"{'both' if found else 'none'}; set one of them"
            )
            raise FaultsError([Fault((self.alternatives[0],), message)])
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
        numbers = Numbers(seed, rng.of_realization(self.stream, realization), index)
        return self.add(image, values, light=light, numbers=numbers)

    @abstractmethod
    def add(self, image: Tensor, values: Values, *, light: Tensor, numbers: Numbers) -> Tensor:
        """Return images with the noise of some random numbers; see `apply`."""

    @abstractmethod
    def variance(self, light: Tensor, values: Values) -> Tensor:
        """Return the variance of the noise in each pixel, (B, H, W) or a shape that expands to it.

        Args:
            light: Brightness without noise, shape (B, H, W).
            values: The conditions of the images by name, shape (B,) each.
        """


class Photons(Noise):
    """Poisson noise of signal and background, the mean background subtracted.

    The counts are Poisson of exposure * (image + background), from one number a pixel of the stream
    "noise.poisson". The brightness must not be negative.

    Attributes:
        exposure: Photons per unit of brightness.
        background: Brightness of the sky in every pixel.
    """

    key: ClassVar = "poisson"
    stream: ClassVar = "noise.poisson"
    conditions: ClassVar = {
        "exposure": Condition(
            "exposure",
            Parameter("number", Fixed(400.0), gt=0.0, remedy=LARGER),
            "GAIN",
            "photons per unit of brightness",
        ),
        "background": Condition(
            "background",
            # an example so large that no gradient makes the light negative
            Parameter("brightness", Fixed(1e6), ge=0.0, remedy=LARGER),
            "SKY",
            "brightness of the sky, subtracted",
        ),
    }

    exposure: Setting
    background: Setting = 0.0

    @override
    def add(self, image: Tensor, values: Values, *, light: Tensor, numbers: Numbers) -> Tensor:
        exposure, sky = (of_images(values, name, image) for name in ("exposure", "background"))
        rate = (image + sky).mul_(exposure)
        return poisson_from_bits(numbers.bits(image), rate).mul_(1 / exposure).sub_(sky)

    @override
    def variance(self, light: Tensor, values: Values) -> Tensor:
        sky = of_images(values, "background", light)
        return (light + sky) / of_images(values, "exposure", light)


class Pedestal(Noise):
    """Poisson noise of one rate in all pixels of an image; its mean stays in the image.

    The rate is the square of the standard deviation, which is the brightest pixel over the signal
    to noise ratio.

    Attributes:
        snr: Brightest pixel over the standard deviation of the noise.
    """

    key: ClassVar = "pedestal"
    stream: ClassVar = "noise.pedestal"
    conditions: ClassVar = {
        "snr": Condition(
            "pedestal_snr",
            Parameter("number", Fixed(10.0), gt=0.0, remedy=LARGER),
            "PEDSNR",
            "brightest pixel / pedestal's deviation",
        )
    }

    snr: Setting

    @override
    def add(self, image: Tensor, values: Values, *, light: Tensor, numbers: Numbers) -> Tensor:
        rate = self.variance(light, values).expand(image.shape).contiguous()
        return image + poisson_from_bits(numbers.bits(image), rate)

    @override
    def variance(self, light: Tensor, values: Values) -> Tensor:
        deviation = brightest(light) / of_images(values, "pedestal_snr", light)
        return deviation * deviation


class ReadOut(Noise):
    """Gaussian noise of one standard deviation in an image.

    Its numbers are of the stream "noise.gaussian".

    Attributes:
        sigma: Standard deviation, in units of brightness.
        snr: Brightest pixel over the standard deviation, instead of `sigma`.
    """

    key: ClassVar = "gaussian"
    stream: ClassVar = "noise.gaussian"
    alternatives: ClassVar = ("sigma", "snr")
    conditions: ClassVar = {
        "sigma": Condition(
            "sigma",
            Parameter("brightness", Fixed(0.05), gt=0.0, remedy=LARGER),
            "RDNOISE",
            "standard deviation of the read-out [brightness]",
        ),
        "snr": Condition(
            "snr",
            Parameter("number", Fixed(10.0), gt=0.0, remedy=LARGER),
            "RDSNR",
            "brightest pixel / read-out's deviation",
        ),
    }

    sigma: Setting | None = None
    snr: Setting | None = None

    @override
    def add(self, image: Tensor, values: Values, *, light: Tensor, numbers: Numbers) -> Tensor:
        return image + numbers.normal(image) * self._deviation(light, values)

    @override
    def variance(self, light: Tensor, values: Values) -> Tensor:
        return light * 0 + self._deviation(light, values) ** 2

    def _deviation(self, light: Tensor, values: Values) -> Tensor:
        """Return the standard deviation in each image, shape (B, 1, 1)."""
        if self.snr is None:
            return of_images(values, "sigma", light)
        return brightest(light) / of_images(values, "snr", light)


def brightest(light: Tensor) -> Tensor:
    """Return the brightest pixel of each image (B, H, W), 0 at least, shape (B, 1, 1)."""
    return light.amax((1, 2), keepdim=True).clamp_min(0)
