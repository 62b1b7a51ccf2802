"""Moffat profile: the point spread of seeing through air."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, exp, log
from typing_extensions import override

from deepbench_torch.degrade.conditions import Condition, Setting, Values, as_prior
from deepbench_torch.degrade.psf import FWHM, POINT_WIDTH, SHRINK, SLACK, PointSpread
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.point import POINT
from deepbench_torch.priors import Fixed, Uniform
from deepbench_torch.priors.parameter import Parameter

LOST = 5e-3  # share of a profile's light beyond its cut, as GalSim's by default
FARTHEST = 10.0  # full widths at half maximum after which a profile is cut in any case
LOG_2 = math.log(2)
LOG_LOST = -math.log(LOST)
ALPHA = Condition(
    "alpha",
    Parameter("number", Fixed(3.0), gt=1.001, lt=1e4, remedy="seeing through air gives 2.5 to 4.8"),
    "PSFALPHA",
    "steepness of the Moffat profile's wings",
)
_LEAST_ALPHA = 1 + 1e-6
_PI = math.pi


class MoffatPoint(NamedTuple):
    """Points that a Moffat profile of `gamma` [pixel] and `alpha` spreads; shape (B,) each."""

    x: Tensor
    y: Tensor
    flux: Tensor
    gamma: Tensor
    alpha: Tensor


def moffat_constants(x: Tensor, y: Tensor, flux: Tensor, gamma: Tensor, alpha: Tensor) -> Constants:
    """Return the constants of `moffat_light`, shape (B,) each."""
    inverse2 = 1.0 / (gamma * gamma)
    return x, y, inverse2, -alpha, flux * (alpha - 1.0) * inverse2 / _PI


def moffat_light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    inverse2: Tensor,
    slope: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of points that a Moffat profile spreads, at pixel centres."""
    dx, dy = column - x, row - y
    return exp(log((dx * dx + dy * dy) * inverse2 + 1.0) * slope) * amplitude


MOFFAT_POINT: ObjectKind[Any] = ObjectKind(
    name="moffat_point",
    fields=dict(POINT.fields)
    | {"gamma": POINT_WIDTH, "alpha": Parameter("number", Uniform(2.5, 4.8), gt=1.0)},
    record=MoffatPoint,
    constants=moffat_constants,
    light=moffat_light,
    edge=lambda points: points.flux / 10,
)


class Moffat(PointSpread):
    """A Moffat profile, the point spread of seeing through air (Moffat 1969, A&A 3, 455).

    Attributes:
        fwhm: Full width at half maximum, as a fraction of the image's shorter side.
        alpha: Steepness of the wings.
    """

    key: ClassVar = "moffat"
    point: ClassVar = MOFFAT_POINT
    conditions: ClassVar = {"fwhm": FWHM, "alpha": ALPHA}

    fwhm: Setting
    alpha: Setting = 2.5

    @override
    def margin(self, grid: Grid) -> int:
        widest = as_prior(self.fwhm).support[1] * grid.shorter
        alpha = as_prior(self.alpha).support[0]
        return moffat_reach(widest * SLACK, max(alpha, _LEAST_ALPHA))

    @override
    def kernel(self, values: Values, margin: int) -> Tensor:
        gamma, alpha = moffat_profile(values["fwhm"].double(), values["alpha"].double())
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
        profile = moffat_profile(values["fwhm"].double(), values["alpha"].double())
        numbers = (number.to(record[0]) for number in profile)
        return MOFFAT_POINT.render_unchecked((*record, *numbers), grid)


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
