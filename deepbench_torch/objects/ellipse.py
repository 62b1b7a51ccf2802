"""Ellipse: solid, or the outline between two concentric ellipses."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import shape
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import Uniform


class Ellipse(NamedTuple):
    """A batch of ellipses; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        width: Full axis along `theta` [pixel].
        height: Full axis across `theta` [pixel].
        theta: Angle of the axis `width` [radian].
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


def render(ellipse: Ellipse, grid: Grid) -> Tensor:
    """Draw each ellipse alone on its own image.

    Inside is (u / a)**2 + (v / b)**2 <= 1 with the semi-axes a and b. An outline ends inward at the
    ellipse whose semi-axes are shorter by `thickness`, as a drawing program has it. That deviates
    from a true offset, which is no ellipse: between the axes the outline is thinner than that.

    Args:
        ellipse: The ellipses, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `ellipse.x`.
    """
    u, v = grid.rotated(ellipse.x, ellipse.y, ellipse.theta)
    a, b = ellipse.width / 2 + shape.EDGE, ellipse.height / 2 + shape.EDGE
    u2, v2 = _squared(u / per_pixel(a)), _squared(v / per_pixel(b))
    within = 1 - (u2 + v2)
    # outside (u / inner_a)**2 + (v / inner_b)**2 = 1, in a form that lets the inner axes be 0
    inset = ellipse.thickness + 2 * shape.EDGE
    p2, q2 = ((a - inset).clamp_min(0) / a) ** 2, ((b - inset).clamp_min(0) / b) ** 2
    beyond = (u2 * per_pixel(q2)).add_(v2 * per_pixel(p2)).sub_(per_pixel(p2 * q2))
    return shape.paint(torch.minimum(within, beyond), ellipse.amplitude)


def _squared(ratio: Tensor) -> Tensor:
    """The square, kept finite: an infinite one would make the gradients NaN."""
    return ratio.clamp(-1e9, 1e9).square()


ELLIPSE = ObjectKind(
    name="ellipse",
    fields={
        # in the middle half of the frame, so that most of the shape is visible
        "x": Parameter("column", Uniform(0.25, 0.75)),
        "y": Parameter("row", Uniform(0.25, 0.75)),
        # 1.4 to 5 times as wide as high: never close to a circle
        "width": shape.length(Uniform(0.35, 0.6)),
        "height": shape.length(Uniform(0.12, 0.25)),
        # half a turn: an ellipse rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi)),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Ellipse,
    draw=render,
    edge=shape.edge,
)
