"""Circle: a disc, or a ring."""

import math
from typing import NamedTuple

from torch import Tensor, sqrt

from deepbench_torch.objects import shape
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.shape import outline, paint, pen, ring_area
from deepbench_torch.priors import Uniform

_PI = math.pi
_TINY = 1e-12  # [pixel^2]; keeps the gradient of the distance finite at the centre


class Circle(NamedTuple):
    """A batch of circles; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        radius: Radius of the outer edge [pixel].
        thickness: Of the ring, inward from the edge; inf is a disc [pixel].
        amplitude: Brightness.
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    thickness: Tensor
    amplitude: Tensor


def constants(
    x: Tensor, y: Tensor, radius: Tensor, thickness: Tensor, amplitude: Tensor
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Circle`."""
    middle, reach = pen(radius, thickness)
    return x, y, middle, reach, amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    middle: Tensor,
    reach: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of circles at pixel centres."""
    return paint(ring(column - x, row - y, middle, reach), amplitude)


def ring(dx: Tensor, dy: Tensor, middle: Tensor, reach: Tensor) -> Tensor:
    """Return the depth of each pixel in a circle's outline [pixel], shape (B, H, W)."""
    return outline(sqrt(dx * dx + dy * dy + _TINY), middle, reach)


def frame(x: Tensor, y: Tensor, radius: Tensor, thickness: Tensor, amplitude: Tensor) -> Constants:
    """Return the centre and half the sides of a box that holds each circle [pixel]."""
    return x, y, radius, radius


def flux(x: Tensor, y: Tensor, radius: Tensor, thickness: Tensor, amplitude: Tensor) -> Tensor:
    """Return the area times the brightness, shape (B,)."""
    return _PI * ring_area(radius, thickness) * amplitude


CIRCLE = ObjectKind(
    name="circle",
    fields={
        **shape.centre(),
        # diameter 13 to 32 pixels of 64: visibly round, and mostly inside the frame
        "radius": shape.length(Uniform(0.1, 0.25)),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Circle,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
