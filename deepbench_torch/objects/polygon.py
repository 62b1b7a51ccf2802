"""Polygon: regular, solid or an outline."""

import math
from typing import NamedTuple

from torch import Tensor, cos, floor, sin, sqrt

from deepbench_torch.numerics.exact_math import cos as exact_cos
from deepbench_torch.numerics.exact_math import sin as exact_sin
from deepbench_torch.objects import shape
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.shape import outline, paint, pen, ring_area
from deepbench_torch.objects.spiral import half_angle
from deepbench_torch.priors import Choice, Uniform
from deepbench_torch.priors.parameter import Parameter

_HALF_TURN, _TURN = math.pi, 2 * math.pi
_TINY = 1e-12  # [pixel^2]; keeps the angle finite at the centre


class Polygon(NamedTuple):
    """A batch of regular polygons; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        radius: From the centre to a vertex [pixel].
        vertices: Number of vertices, whole and at least 3.
        theta: Angle of a vertex [radian].
        thickness: Of the outline, inward from the sides; inf is solid [pixel].
        amplitude: Brightness.
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    vertices: Tensor
    theta: Tensor
    thickness: Tensor
    amplitude: Tensor


def constants(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    vertices: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Polygon`."""
    middle, reach = pen(radius * cos(_HALF_TURN / vertices), thickness)
    return x, y, theta, vertices / _TURN, _TURN / vertices, middle, reach, amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    theta: Tensor,
    sides_a_radian: Tensor,
    step: Tensor,
    middle: Tensor,
    reach: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of polygons at pixel centres.

    The distance is counted from the centre, square to the side in whose sector a pixel lies. Side
    k faces the angle theta + (k + 1/2) 2 pi / vertices.
    """
    dx, dy = column - x, row - y
    angle = 2.0 * half_angle(dx, dy, sqrt(dx * dx + dy * dy + _TINY))
    side = floor((angle - theta) * sides_a_radian)
    facing = theta + (side + 0.5) * step
    return paint(outline(dx * cos(facing) + dy * sin(facing), middle, reach), amplitude)


def frame(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    vertices: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the centre and half the sides of a box that holds each polygon [pixel]."""
    return x, y, radius, radius


def flux(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    vertices: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the area times the brightness, shape (B,)."""
    half_side = _HALF_TURN / vertices  # an angle
    cosine = exact_cos(half_side)
    apothem = radius * cosine
    tangent = exact_sin(half_side) / cosine
    area = vertices * tangent * ring_area(apothem, thickness)
    return area * amplitude


POLYGON = ObjectKind(
    name="polygon",
    fields={
        **shape.centre(),
        # 10 to 19 pixels of 64 from the centre to a vertex: the corners are countable
        "radius": shape.length(Uniform(0.15, 0.3)),
        # four is a square, and small polygons of seven or more look like circles
        "vertices": Parameter("number", Choice((3.0, 5.0, 6.0)), ge=3.0, whole=True),
        # a full turn, the one range in which every number of vertices has all directions evenly
        "theta": Parameter("angle", Uniform(0.0, 2 * math.pi), period=2 * math.pi, fold="vertices"),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Polygon,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
