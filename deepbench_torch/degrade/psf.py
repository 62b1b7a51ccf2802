"""Point spreads: how a telescope and the air spread the light of a point."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from pydantic import field_validator
from torch import Tensor
from typing_extensions import override

from deepbench_torch.degrade.conditions import Effect, Setting, Values, as_prior
from deepbench_torch.degrade.psf_array import decode, read_array
from deepbench_torch.numerics.fields import Positive
from deepbench_torch.objects.grid import Grid, per_pixel
from deepbench_torch.objects.point import GAUSSIAN_WIDTH, SPREAD_POINTS
from deepbench_torch.priors import Fixed, Prior

REACH = 5.0  # standard deviations after which a Gaussian is cut; 1e-6 of the light lies beyond
LOST = 5e-3  # share of a Moffat profile's light beyond its cut, as GalSim's by default
FARTHEST = 10.0  # full widths at half maximum after which a Moffat profile is cut in any case

Family = Literal["gaussian", "moffat", "array"]


class PointSpread(Effect, ABC):
    """One point spread an image, of unit sum, which spreads the light of everything in it.

    Attributes:
        family: How it is computed.
    """

    family: ClassVar[Family]

    @abstractmethod
    def margin(self, grid: Grid) -> int:
        """Return how many pixels beyond the frame light comes from, in any image of a recipe."""

    @abstractmethod
    def kernel(self, values: Values, margin: int) -> Tensor:
        """Return the point spread of each image round its middle pixel.

        It is sampled at pixel centres, cut, and scaled so that no light is lost.

        Args:
            values: The conditions of B images.
            margin: Pixels round the middle.

        Returns:
            float64, shape (B, 2 margin + 1, 2 margin + 1).
        """

    @abstractmethod
    def peak(self, values: Values) -> Tensor:
        """Return the brightness of a point of unit flux at its centre, shape (B,)."""

    @abstractmethod
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        """Return the light of points, as the point spread itself, shape (N, H, W).

        Args:
            record: x, y and flux of N points [pixel], shape (N,) each.
            values: The conditions of their images, shape (N,) each.
            grid: Pixel centres of an H by W image.
        """

    def apply(self, scene: Tensor, values: Values, *, margin: int) -> Tensor:
        """Return scenes with their light spread.

        Args:
            scene: Light, with a margin m round the frame, float, shape (B, H + 2 m, W + 2 m).
            values: The conditions of B images.
            margin: m.

        Returns:
            Light without the margin, of the same dtype, shape (B, H, W); differentiable.
        """
        if not len(scene):
            return scene[:, 2 * margin :, 2 * margin :]
        kernel = self.kernel(values, margin).to(scene)
        size = scene.shape[1], scene.shape[2]
        spectrum = torch.fft.rfft2(scene) * torch.fft.rfft2(kernel, s=size)
        spread: Tensor = torch.fft.irfft2(spectrum, s=size)
        return spread[:, 2 * margin :, 2 * margin :]


class _Gaussian(PointSpread):
    """A round Gaussian of the condition "fwhm"."""

    family: ClassVar[Family] = "gaussian"

    @override
    def margin(self, grid: Grid) -> int:
        widest = self.priors["fwhm"].support[1] * grid.shorter
        return gaussian_reach(widest / GAUSSIAN_WIDTH * _SLACK)

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        sigma = _wide(values["fwhm"]) / GAUSSIAN_WIDTH
        distance = torch.arange(-margin, margin + 1, dtype=torch.float64, device=sigma.device)
        reach = (sigma * REACH * SHRINK).ceil().clamp_min(1)[:, None]
        steps = distance / sigma[:, None]
        weights = (-0.5 * steps * steps).clamp_min(-700).exp()
        weights = torch.where(distance.abs() <= reach, weights, 0.0)
        weights = weights / weights.sum(1, keepdim=True)
        return weights[:, :, None] * weights[:, None, :]

    @override
    def peak(self, values: Values) -> Tensor:
        sigma = values["fwhm"] / GAUSSIAN_WIDTH
        return 0.5 / (math.pi * sigma * sigma)

    @override
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        sigma = (_wide(values["fwhm"]) / GAUSSIAN_WIDTH).to(record[0])
        return SPREAD_POINTS["gaussian"].render_unchecked((*record, sigma), grid)


class GaussianSpread(_Gaussian):
    """A round Gaussian.

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
    """

    conditions: ClassVar = {"fwhm": "fwhm"}

    fwhm: Setting


class Blur(_Gaussian):
    """A round Gaussian by its standard deviation, the same in all images.

    Attributes:
        sigma: Standard deviation, as a fraction of the image's shorter side.
    """

    conditions: ClassVar = {}

    sigma: Positive

    @property
    @override
    def priors(self) -> dict[str, Prior]:
        return {"fwhm": Fixed(self.sigma * GAUSSIAN_WIDTH)}


class MoffatSpread(PointSpread):
    """A Moffat profile (Moffat 1969, A&A 3, 455), the point spread of seeing through air.

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
        alpha: Steepness of the wings.
    """

    family: ClassVar[Family] = "moffat"
    conditions: ClassVar = {"fwhm": "fwhm", "alpha": "alpha"}

    fwhm: Setting
    alpha: Setting = 2.5

    @override
    def margin(self, grid: Grid) -> int:
        widest = as_prior(self.fwhm).support[1] * grid.shorter
        alpha = as_prior(self.alpha).support[0]
        return moffat_reach(widest * _SLACK, max(alpha, _LEAST_ALPHA))

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        gamma, alpha = moffat_profile(_wide(values["fwhm"]), _wide(values["alpha"]))
        reach = [
            moffat_reach(*each)
            for each in zip(values["fwhm"].tolist(), values["alpha"].tolist(), strict=True)
        ]
        cut = torch.tensor(reach, dtype=torch.float64, device=gamma.device)[:, None, None]
        distance = torch.arange(-margin, margin + 1, dtype=torch.float64, device=gamma.device)
        r2 = distance[:, None] ** 2 + distance**2
        weights = (-alpha[:, None, None] * torch.log1p(r2 / gamma[:, None, None] ** 2)).exp()
        farthest = torch.maximum(distance[:, None].abs(), distance.abs())
        weights = torch.where(farthest <= cut, weights, 0.0)
        return weights / weights.sum((1, 2), keepdim=True)

    @override
    def peak(self, values: Values) -> Tensor:
        gamma, alpha = moffat_profile(values["fwhm"], values["alpha"])
        return (alpha - 1) / (math.pi * gamma * gamma)

    @override
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        profile = moffat_profile(_wide(values["fwhm"]), _wide(values["alpha"]))
        numbers = (number.to(record[0]) for number in profile)
        return SPREAD_POINTS["moffat"].render_unchecked((*record, *numbers), grid)


class ArraySpread(PointSpread):
    """A point spread from an array of pixels, as a telescope's calibration has it.

    The array is the response to a point in the pixels of the image, so it includes the average over
    a pixel. Its middle pixel is the centre. Between pixels it is interpolated by cubic convolution
    (Keys 1981, doi 10.1109/TASSP.1981.1163711), below 0 cut off.

    Attributes:
        array: The pixels, as text; see `psf_array.encode`.
    """

    family: ClassVar[Family] = "array"
    conditions: ClassVar = {}

    array: str

    @field_validator("array", mode="before")
    @classmethod
    def _encode(cls, array: Any) -> str:
        return read_array(array)

    @cached_property
    def pixels(self) -> Tensor:
        """The array, scaled to unit sum, float32, shape (h, w)."""
        return decode(self.array)

    @override
    def margin(self, grid: Grid) -> int:
        return max(1, max(self.pixels.shape) // 2)

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        height, width = self.pixels.shape
        down, across = margin - height // 2, margin - width // 2
        padded = torch.nn.functional.pad(self.pixels.double(), (across, across, down, down))
        return padded[None]

    @override
    def peak(self, values: Values) -> Tensor:
        return self.pixels.max()[None]

    @override
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        x, y, flux = record
        height, width = self.pixels.shape
        column, row = grid.centres(x)
        down = _interpolation(row[:, 0] - y[:, None] + height // 2, height)  # (N, H, h)
        across = _interpolation(column - x[:, None] + width // 2, width)  # (N, W, w)
        light = down @ self.pixels.to(x) @ across.transpose(1, 2)
        # between a bright and a dark pixel the cubic runs below 0
        return light.clamp_min(0) * per_pixel(flux)


SHRINK = 1 - 1e-6  # of a reach, so that rounding does not add a pixel where it is a whole number
_SLACK = 1 + 2e-7  # single precision may round a width up
_LEAST_ALPHA = 1 + 1e-6
LOG_2 = math.log(2)
LOG_LOST = -math.log(LOST)


def _wide(values: Tensor) -> Tensor:
    return values.double()


def gaussian_reach(sigma: float) -> int:
    """Return after how many pixels a Gaussian of a standard deviation [pixel] is cut."""
    return max(1, math.ceil(REACH * sigma * SHRINK))


def moffat_profile(fwhm: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return gamma, of the unit of the full width at half maximum, and alpha of Moffat profiles."""
    return fwhm / (2 * torch.expm1(LOG_2 / alpha).sqrt()), alpha


def moffat_reach(fwhm: float, alpha: float) -> int:
    """Return after how many pixels a Moffat profile is cut.

    LOST of the light lies beyond: (1 + (r / gamma)**2)**(1 - alpha) of it lies beyond a radius r.
    """
    gamma = fwhm / (2 * math.sqrt(math.expm1(LOG_2 / alpha)))
    share = min(LOG_LOST / (alpha - 1), 600.0)
    distance = min(gamma * math.sqrt(math.expm1(share)), FARTHEST * fwhm)
    return max(1, math.ceil(distance * SHRINK))


def _interpolation(places: Tensor, size: int) -> Tensor:
    """Return the weights of the pixels of an axis at places between them, shape (..., size)."""
    pixel = torch.arange(size, dtype=places.dtype, device=places.device)
    distance = (places[..., None] - pixel).abs()
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))
