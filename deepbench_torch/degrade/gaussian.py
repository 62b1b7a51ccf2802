"""Gaussian: a round point spread of one width."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, exp
from typing_extensions import override

from deepbench_torch.degrade.conditions import Setting, Values
from deepbench_torch.degrade.psf import FWHM, POINT_WIDTH, SHRINK, SLACK, PointSpread
from deepbench_torch.numerics.fields import Positive
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.point import GAUSSIAN_WIDTH, POINT
from deepbench_torch.priors import Fixed, Prior

REACH = 5.0  # standard deviations after which a Gaussian is cut; 1e-6 of the light lies beyond
_PI = math.pi


class GaussianPoint(NamedTuple):
    """Points that a Gaussian of standard deviation `sigma` [pixel] spreads; shape (B,) each."""

    x: Tensor
    y: Tensor
    flux: Tensor
    sigma: Tensor


def gaussian_constants(x: Tensor, y: Tensor, flux: Tensor, sigma: Tensor) -> Constants:
    """Return the constants of `gaussian_light`, shape (B,) each."""
    slope = -0.5 / (sigma * sigma)
    return x, y, slope, -flux * slope / _PI


def gaussian_light(
    column: Tensor, row: Tensor, x: Tensor, y: Tensor, slope: Tensor, amplitude: Tensor
) -> Tensor:
    """Return the light of points that a Gaussian spreads, at pixel centres."""
    dx, dy = column - x, row - y
    return exp((dx * dx + dy * dy) * slope) * amplitude


GAUSSIAN_POINT: ObjectKind[Any] = ObjectKind(
    name="gaussian_point",
    fields=dict(POINT.fields) | {"sigma": POINT_WIDTH},
    record=GaussianPoint,
    constants=gaussian_constants,
    light=gaussian_light,
    edge=lambda points: points.flux / 10,
)


class RoundGaussian(PointSpread):
    """A round Gaussian of the condition "fwhm"."""

    key: ClassVar = "gaussian"
    point: ClassVar = GAUSSIAN_POINT

    @override
    def margin(self, grid: Grid) -> int:
        widest = self.priors["fwhm"].support[1] * grid.shorter
        return gaussian_reach(widest / GAUSSIAN_WIDTH * SLACK)

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        sigma = values["fwhm"].double() / GAUSSIAN_WIDTH
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
        sigma = (values["fwhm"].double() / GAUSSIAN_WIDTH).to(record[0])
        return GAUSSIAN_POINT.render_unchecked((*record, sigma), grid)


class Gaussian(RoundGaussian):
    """A round Gaussian.

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
    """

    conditions: ClassVar = {"fwhm": FWHM}

    fwhm: Setting


class Blur(RoundGaussian):
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


def gaussian_reach(sigma: float) -> int:
    """Return after how many pixels a Gaussian of a standard deviation [pixel] is cut."""
    return max(1, math.ceil(REACH * sigma * SHRINK))
