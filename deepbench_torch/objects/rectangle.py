"""Rectangle: solid, or an outline with square corners."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import shape
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import Uniform


class Rectangle(NamedTuple):
    """A batch of rectangles; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        width: Side along `theta` [pixel].
        height: Side across `theta` [pixel].
        theta: Angle of the side `width` [radian].
        thickness: Of the outline, inward from the edge; inf is solid [pixel].
        amplitude: Brightness.
    """

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    theta: Tensor
    thickness: Tensor
    amplitude: Tensor


def render(rectangle: Rectangle, grid: Grid) -> Tensor:
    """Draw each rectangle alone on its own image.

    Args:
        rectangle: The rectangles, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `rectangle.x`.
    """
    u, v = grid.rotated(rectangle.x, rectangle.y, rectangle.theta)
    distance = from_middle(u, v, width=rectangle.width, height=rectangle.height)
    radius = rectangle.width.minimum(rectangle.height) / 2
    depth = shape.outline(distance, radius=radius, thickness=rectangle.thickness)
    return shape.paint(depth, rectangle.amplitude)


def from_middle(u: Tensor, v: Tensor, *, width: Tensor, height: Tensor) -> Tensor:
    """Distance from the middle of a rectangle, the line at which its inward offsets vanish [pixel].

    It is counted square to the sides and is half the shorter side at the edge.

    Args:
        u: Coordinates along the width from the centre [pixel], shape (B, H, W).
        v: Coordinates along the height from the centre [pixel], shape (B, H, W).
        width: Shape (B,) [pixel].
        height: Shape (B,) [pixel].

    Returns:
        Shape (B, H, W).
    """
    shorter = width.minimum(height)
    along = u.abs().sub_(per_pixel((width - shorter) / 2))
    across = v.abs().sub_(per_pixel((height - shorter) / 2))
    return torch.maximum(along, across)


RECTANGLE = ObjectKind(
    name="rectangle",
    fields={
        # in the middle half of the frame, so that most of the shape is visible
        "x": Parameter("column", Uniform(0.25, 0.75)),
        "y": Parameter("row", Uniform(0.25, 0.75)),
        # 1.2 to 3.7 times as wide as high: no square, whose symmetry is a quarter turn, and no line
        "width": shape.length(Uniform(0.3, 0.55)),
        "height": shape.length(Uniform(0.15, 0.25)),
        # half a turn: a rectangle rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi)),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Rectangle,
    draw=render,
    edge=shape.edge,
)
