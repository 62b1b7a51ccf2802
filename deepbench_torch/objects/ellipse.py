"""Ellipse: solid, or the outline between two concentric ellipses."""

import math
from typing import NamedTuple

from torch import Tensor, cos, minimum, sin, sqrt, where

from deepbench_torch.objects import shape
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.shape import EDGE, inner, paint
from deepbench_torch.priors import Uniform

_PI = math.pi


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


def constants(
    x: Tensor,
    y: Tensor,
    width: Tensor,
    height: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Ellipse`."""
    a, b = width * 0.5 + EDGE, height * 0.5 + EDGE
    inset = thickness + 2.0 * EDGE
    p = where(a > inset, a - inset, 0.0) / a
    q = where(b > inset, b - inset, 0.0) / b
    return x, y, cos(theta), sin(theta), a, b, p * p, q * q, amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    a: Tensor,
    b: Tensor,
    p2: Tensor,
    q2: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of ellipses at pixel centres.

    Inside is (u / a)**2 + (v / b)**2 <= 1 with the semi-axes a and b. An outline ends inward at the
    ellipse whose semi-axes p a and q b are shorter by `thickness`, as in vector graphics.
    That deviates from a true offset, which is no ellipse: between the axes the outline is thinner.
    """
    dx, dy = column - x, row - y
    u2 = _squared((dx * cosine + dy * sine) / a)
    v2 = _squared((dy * cosine - dx * sine) / b)
    within = 1.0 - (u2 + v2)
    # outside (u / p a)**2 + (v / q b)**2 = 1, in a form that lets the inner axes be 0
    beyond = u2 * q2 + v2 * p2 - p2 * q2
    return paint(minimum(within, beyond), amplitude)


def _squared(ratio: Tensor) -> Tensor:
    """Return the square, kept finite: an infinite one would make the gradients NaN."""
    bounded = where(abs(ratio) < 1e9, ratio, 1e9)
    return bounded * bounded


def frame(
    x: Tensor,
    y: Tensor,
    width: Tensor,
    height: Tensor,
    theta: Tensor,
    thickness: Tensor,
    amplitude: Tensor,
) -> Constants:
    """Return the centre and half the sides of a box that holds each ellipse [pixel]."""
    a, b = width * 0.5, height * 0.5
    along, across = a * cos(theta), b * sin(theta)
    up, aside = a * sin(theta), b * cos(theta)
    return x, y, sqrt(along * along + across * across), sqrt(up * up + aside * aside)


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
    a, b = width * 0.5, height * 0.5
    hole = inner(a, thickness) * inner(b, thickness)
    return _PI * (a * b - hole) * amplitude


ELLIPSE = ObjectKind(
    name="ellipse",
    # 1.4 to 5 times as wide as high: never close to a circle
    fields=shape.tilted(width=Uniform(0.35, 0.6), height=Uniform(0.12, 0.25)),
    record=Ellipse,
    constants=constants,
    light=light,
    frame=frame,
    edge=shape.edge,
    flux=flux,
)
