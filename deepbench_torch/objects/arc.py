"""Arc: a part of a ring, cut along two rays from its centre."""

import math
from typing import NamedTuple

from torch import Tensor, cos, minimum, sin, where

from deepbench_torch.objects import shape
from deepbench_torch.objects.circle import ring
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.shape import EDGE, paint, pen, ring_area
from deepbench_torch.priors import Uniform
from deepbench_torch.priors.parameter import Parameter

_PI = math.pi


class Arc(NamedTuple):
    """A batch of arcs; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre of the ring [pixel].
        y: Row of the centre of the ring [pixel].
        radius: Outer radius [pixel].
        start: Angle at which the arc begins [radian].
        extent: Angle over which it goes on, toward +y from +x; 2 pi is the full ring [radian].
        thickness: Width, inward from the outer radius; the radius or more makes a sector [pixel].
        amplitude: Brightness.
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    start: Tensor
    extent: Tensor
    thickness: Tensor
    amplitude: Tensor


def constants(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    start: Tensor,
    extent: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Arc`."""
    half = extent * 0.5
    toward = start + half
    middle, reach = pen(radius, thickness)
    # the sine of a rounded pi is not quite 0 and would cut the full ring
    half_sine = where(half < _PI, sin(half), 0.0)
    return x, y, cos(toward), sin(toward), cos(half), half_sine, middle, reach, amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    half_cosine: Tensor,
    half_sine: Tensor,
    middle: Tensor,
    reach: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of arcs at pixel centres: the part of a ring between two rays.

    In the frame of the arc's middle, a point at distance r and angle t lies r sin(h - |t|) from the
    nearer ray, with half the extent h: positive for |t| < h whatever h up to pi. The rays begin a
    little before the centre, for both to be wider by `EDGE`.
    """
    dx, dy = column - x, row - y
    u = dx * cosine + dy * sine + EDGE
    v = dy * cosine - dx * sine
    sector = u * half_sine - abs(v) * half_cosine
    return paint(minimum(ring(dx, dy, middle, reach), sector), amplitude)


def frame(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    start: Tensor,
    extent: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the centre and half the sides of a box that holds each ring [pixel]."""
    return x, y, radius, radius


def flux(
    x: Tensor,
    y: Tensor,
    radius: Tensor,
    start: Tensor,
    extent: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the area times the brightness, shape (B,)."""
    return extent * 0.5 * ring_area(radius, thickness) * amplitude


ARC = ObjectKind(
    name="arc",
    fields={
        # closer to the middle than other shapes, because an arc is far from its centre
        "x": Parameter("column", Uniform(0.3, 0.7)),
        "y": Parameter("row", Uniform(0.3, 0.7)),
        # 13 to 22 pixels of 64
        "radius": shape.length(Uniform(0.2, 0.35)),
        # a full turn, because an arc has no symmetry
        "start": Parameter("angle", Uniform(0.0, 2 * math.pi), period=2 * math.pi),
        # from a third of a turn, as a shorter arc looks like a line, to a ring with a clear gap
        "extent": Parameter(
            "angle",
            Uniform(2 * math.pi / 3, 5 * math.pi / 3),
            gt=0.0,
            le=2 * math.pi,
            remedy="2 pi is the full ring; `start` turns the arc",
        ),
        # 2.6 to 4.5 pixels of 64
        "thickness": shape.thickness(Uniform(0.04, 0.07)),
        "amplitude": shape.amplitude(),
    },
    record=Arc,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
