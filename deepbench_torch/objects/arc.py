"""Arc: a part of a ring, cut along two rays from its centre."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import shape
from deepbench_torch.objects.circle import Circle, ring
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import Uniform


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


def render(arc: Arc, grid: Grid) -> Tensor:
    """Draw each arc alone on its own image.

    Args:
        arc: The arcs, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `arc.x`.
    """
    circle = Circle(arc.x, arc.y, arc.radius, arc.thickness, arc.amplitude)
    return shape.paint(torch.minimum(ring(circle, grid), _sector(arc, grid)), arc.amplitude)


def _sector(arc: Arc, grid: Grid) -> Tensor:
    """How deep each pixel lies between the rays [pixel]: at least 0 there, shape (B, H, W).

    In the frame of the arc's middle, a point at distance r and angle t lies r sin(h - |t|) from the
    nearer ray, with half the extent h: positive for |t| < h whatever h up to pi. The rays begin a
    little before the centre, for both to be wider by `EDGE`.
    """
    half = arc.extent / 2
    u, v = grid.rotated(arc.x, arc.y, arc.start + half)
    # the sine of a rounded pi is not quite 0 and would cut the full ring
    sin = half.sin() * (half < math.pi)
    return u.add_(shape.EDGE).mul_(per_pixel(sin)).sub_(v.abs_().mul_(per_pixel(half.cos())))


ARC = ObjectKind(
    name="arc",
    fields={
        # closer to the middle than other shapes, because an arc is far from its centre
        "x": Parameter("column", Uniform(0.3, 0.7)),
        "y": Parameter("row", Uniform(0.3, 0.7)),
        # 13 to 22 pixels of 64
        "radius": shape.length(Uniform(0.2, 0.35)),
        # a full turn, because an arc has no symmetry
        "start": Parameter("angle", Uniform(0.0, 2 * math.pi)),
        # from a third of a turn, as a shorter arc looks like a line, to a ring with a clear gap
        "extent": Parameter(
            "angle",
            Uniform(2 * math.pi / 3, 5 * math.pi / 3),
            above=0.0,
            below=2 * math.pi,
            closed_below=True,
            remedy="2 pi is the full ring; `start` turns the arc",
        ),
        # 2.6 to 4.5 pixels of 64
        "thickness": shape.thickness(Uniform(0.04, 0.07)),
        "amplitude": shape.amplitude(),
    },
    record=Arc,
    draw=render,
    edge=shape.edge,
)
