"""Line: a straight segment with square ends."""

from typing import NamedTuple

from torch import Tensor, maximum, minimum, sqrt, where

from deepbench_torch.numerics.exact_math import sqrt as exact_sqrt
from deepbench_torch.objects import shape
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.rectangle import light
from deepbench_torch.objects.shape import pen
from deepbench_torch.priors import Uniform
from deepbench_torch.priors.parameter import Parameter


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


def constants(
    x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, thickness: Tensor, amplitude: Tensor
) -> Constants:
    """Return the constants of `rectangle.light`, shape (B,) each, from the parameters of `Line`.

    A line is the solid rectangle of the segment's length and the line's thickness.
    """
    length, cosine, sine = _direction(x1 - x0, y1 - y0)
    shorter = minimum(length, thickness)
    middle, reach = pen(shorter * 0.5, shorter * 0.5)
    along, across = (length - shorter) * 0.5, (thickness - shorter) * 0.5
    x, y = x0 * 0.5 + x1 * 0.5, y0 * 0.5 + y1 * 0.5
    return x, y, cosine, sine, along, across, middle, reach, amplitude


def _direction(dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return length [pixel], cosine and sine of vectors, shape (B,) each; without length, of +x.

    Scaled by the larger part first, so that no square is too large or too small for its dtype.
    """
    larger = maximum(abs(dx), abs(dy))
    none = larger == 0.0
    scale = where(none, 1.0, larger)
    cosine, sine = where(none, 1.0, dx / scale), dy / scale
    norm = sqrt(cosine * cosine + sine * sine)
    return larger * norm, cosine / norm, sine / norm


def frame(
    x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, thickness: Tensor, amplitude: Tensor
) -> Constants:
    """Return the centre and half the sides of a box that holds each line [pixel]."""
    half = thickness * 0.5
    x, y = x0 * 0.5 + x1 * 0.5, y0 * 0.5 + y1 * 0.5
    return x, y, abs(x1 - x0) * 0.5 + half, abs(y1 - y0) * 0.5 + half


def flux(
    x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, thickness: Tensor, amplitude: Tensor
) -> Tensor:
    """Return the area times the brightness, shape (B,)."""
    across, down = x1 - x0, y1 - y0
    length = exact_sqrt(across * across + down * down)
    return length * thickness * amplitude


LINE = ObjectKind(
    name="line",
    fields={
        # from anywhere to anywhere: all directions, within 5 % as often as each other; packaged
        # recipes leave out short lines by their layout
        "x0": Parameter("column", Uniform(0.1, 0.9)),
        "y0": Parameter("row", Uniform(0.1, 0.9)),
        "x1": Parameter("column", Uniform(0.1, 0.9)),
        "y1": Parameter("row", Uniform(0.1, 0.9)),
        # length at least 6 times the thickness, which is 1 pixel of 28 or more
        "thickness": shape.thickness(Uniform(0.035, 0.05)),
        "amplitude": shape.amplitude(),
    },
    record=Line,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
