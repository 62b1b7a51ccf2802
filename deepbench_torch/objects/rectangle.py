"""Rectangle: solid, or an outline with square corners."""

from typing import NamedTuple

from torch import Tensor, cos, maximum, minimum, sin

from deepbench_torch.objects import shape
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.shape import inner, outline, paint, pen
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


def constants(
    x: Tensor,
    y: Tensor,
    width: Tensor,
    height: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Rectangle`."""
    shorter = minimum(width, height)
    middle, reach = pen(shorter * 0.5, thickness)
    along, across = (width - shorter) * 0.5, (height - shorter) * 0.5
    return x, y, cos(theta), sin(theta), along, across, middle, reach, amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    along: Tensor,
    across: Tensor,
    middle: Tensor,
    reach: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of rectangles at pixel centres.

    The distance is counted square to the sides from the line at which a rectangle's inward offsets
    vanish, and is half the shorter side at the edge.
    """
    dx, dy = column - x, row - y
    u = abs(dx * cosine + dy * sine) - along
    v = abs(dy * cosine - dx * sine) - across
    return paint(outline(maximum(u, v), middle, reach), amplitude)


def frame(
    x: Tensor,
    y: Tensor,
    width: Tensor,
    height: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the centre and half the sides of a box that holds each rectangle [pixel]."""
    a, b = width * 0.5, height * 0.5
    cosine, sine = abs(cos(theta)), abs(sin(theta))
    return x, y, a * cosine + b * sine, a * sine + b * cosine


def flux(
    x: Tensor,
    y: Tensor,
    width: Tensor,
    height: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the area times the brightness, shape (B,)."""
    inset = 2.0 * thickness
    hole = inner(width, inset) * inner(height, inset)
    return (width * height - hole) * amplitude


RECTANGLE = ObjectKind(
    name="rectangle",
    # 1.2 to 3.7 times as wide as high: no square, whose symmetry is a quarter turn, and no line
    fields=shape.tilted(width=Uniform(0.3, 0.55), height=Uniform(0.15, 0.25)),
    record=Rectangle,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
