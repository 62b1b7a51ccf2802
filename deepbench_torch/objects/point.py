"""Point: a source too small to resolve, which an image shows as its point spread."""

import math
from typing import Any, NamedTuple

from torch import Tensor, exp, floor, log, where

from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.priors import LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter

GAUSSIAN_WIDTH = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum, standard deviations
_PI = math.pi


class Point(NamedTuple):
    """A batch of points; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the point [pixel].
        y: Row of the point [pixel].
        flux: Total light [brightness, summed over pixels].
    """

    x: Tensor
    y: Tensor
    flux: Tensor


def constants(x: Tensor, y: Tensor, flux: Tensor) -> Constants:
    """Return the constants of `light`, shape (B,) each: the parameters of `Point`."""
    return x, y, flux


def light(column: Tensor, row: Tensor, x: Tensor, y: Tensor, flux: Tensor) -> Tensor:
    """Return the light of points without a point spread: all of it in the pixel that has them."""
    across, down = floor(column - x + 0.5), floor(row - y + 0.5)
    return where(across * across + down * down > 0.0, flux * 0.0, flux)


def edge(point: Point) -> Tensor:
    """Return a tenth of the light of a point of one pixel, shape (B,)."""
    return point.flux / 10


POINT = ObjectKind(
    name="point",
    fields={
        "x": Parameter("column", Uniform(0.2, 0.8)),
        "y": Parameter("row", Uniform(0.2, 0.8)),
        # the fluxes of the stars of a field, many faint and few bright; at 64 pixels 2 to 40
        "flux": Parameter("flux", LogUniform(5e-4, 1e-2), above=0.0, closed=True),
    },
    record=Point,
    constants=constants,
    light=light,
    edge=edge,
    flux=lambda x, y, flux: flux,
)


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


_WIDTH = Parameter("length", Uniform(0.03, 0.05), above=0.0)

# The light of points under a point spread, by its family; recipes know the kind `point` alone
SPREAD_POINTS: dict[str, ObjectKind[Any]] = {
    "gaussian": ObjectKind(
        name="gaussian_point",
        fields=dict(POINT.fields) | {"sigma": _WIDTH},
        record=GaussianPoint,
        constants=gaussian_constants,
        light=gaussian_light,
        edge=lambda points: points.flux / 10,
    ),
    "moffat": ObjectKind(
        name="moffat_point",
        fields=dict(POINT.fields)
        | {"gamma": _WIDTH, "alpha": Parameter("number", Uniform(2.5, 4.8), above=1.0)},
        record=MoffatPoint,
        constants=moffat_constants,
        light=moffat_light,
        edge=lambda points: points.flux / 10,
    ),
}
