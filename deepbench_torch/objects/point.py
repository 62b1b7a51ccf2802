"""Point: a source too small to resolve, which an image shows as its point spread."""

import math
from typing import NamedTuple

from torch import Tensor, floor, where

from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.priors import LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter

GAUSSIAN_WIDTH = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum, standard deviations


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
        "flux": Parameter("flux", LogUniform(5e-4, 1e-2), ge=0.0),
    },
    record=Point,
    constants=constants,
    light=light,
    edge=edge,
    flux=lambda x, y, flux: flux,
)
