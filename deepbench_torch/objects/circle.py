"""Circle: a disc, or a ring."""

from typing import NamedTuple

from torch import Tensor

from deepbench_torch.grid import Grid
from deepbench_torch.objects import shape
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import Uniform

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


def render(circle: Circle, grid: Grid) -> Tensor:
    """Draw each circle alone on its own image.

    Args:
        circle: The circles, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `circle.x`.
    """
    return shape.paint(ring(circle, grid), circle.amplitude)


def ring(circle: Circle, grid: Grid) -> Tensor:
    """How deep each pixel lies in a circle's outline [pixel], shape (B, H, W)."""
    distance = grid.squared_distance(circle.x, circle.y).add_(_TINY).sqrt_()
    return shape.outline(distance, radius=circle.radius, thickness=circle.thickness)


CIRCLE = ObjectKind(
    name="circle",
    fields={
        # in the middle half of the frame, so that most of the shape is visible
        "x": Parameter("column", Uniform(0.25, 0.75)),
        "y": Parameter("row", Uniform(0.25, 0.75)),
        # diameter 13 to 32 pixels of 64: visibly round, and mostly inside the frame
        "radius": shape.length(Uniform(0.1, 0.25)),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Circle,
    draw=render,
    edge=shape.edge,
)
