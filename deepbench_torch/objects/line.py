"""Line: a straight segment with square ends."""

from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid
from deepbench_torch.objects import shape
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.objects.rectangle import from_middle
from deepbench_torch.priors import Uniform


class Line(NamedTuple):
    """A batch of lines; every field is a float tensor of shape (B,).

    Attributes:
        x0: Column of one end [pixel].
        y0: Row of that end [pixel].
        x1: Column of the other end [pixel].
        y1: Row of the other end [pixel].
        thickness: Full width, half of it on either side of the segment [pixel].
        amplitude: Brightness.
    """

    x0: Tensor
    y0: Tensor
    x1: Tensor
    y1: Tensor
    thickness: Tensor
    amplitude: Tensor


def render(line: Line, grid: Grid) -> Tensor:
    """Draw each line alone on its own image.

    It is the solid rectangle of the segment's length and the line's thickness.

    Args:
        line: The lines, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `line.x0`.
    """
    length, cos, sin = _direction(line.x1 - line.x0, line.y1 - line.y0)
    x, y = line.x0 / 2 + line.x1 / 2, line.y0 / 2 + line.y1 / 2
    u, v = grid.turned(x, y, cos=cos, sin=sin)
    distance = from_middle(u, v, width=length, height=line.thickness)
    radius = length.minimum(line.thickness) / 2
    return shape.paint(shape.outline(distance, radius=radius, thickness=radius), line.amplitude)


def _direction(dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Length [pixel], cosine and sine of vectors, shape (B,) each; one of no length points along x.

    Scaled by the larger part first, so that no square is too large or too small for its dtype.
    """
    larger = dx.abs().maximum(dy.abs())
    none = larger == 0
    scale = larger.where(~none, torch.ones_like(larger))
    cos, sin = (dx / scale).where(~none, torch.ones_like(dx)), dy / scale
    norm = (cos * cos + sin * sin).sqrt()
    return larger * norm, cos / norm, sin / norm


LINE = ObjectKind(
    name="line",
    fields={
        # from the left to the right part: long, and never the same line with exchanged ends
        "x0": Parameter("column", Uniform(0.1, 0.35)),
        "y0": Parameter("row", Uniform(0.1, 0.9)),
        "x1": Parameter("column", Uniform(0.65, 0.9)),
        "y1": Parameter("row", Uniform(0.1, 0.9)),
        # length at least 6 times the thickness, which is 1 pixel of 28 or more
        "thickness": shape.thickness(Uniform(0.035, 0.05)),
        "amplitude": shape.amplitude(),
    },
    record=Line,
    draw=render,
    edge=shape.edge,
)
