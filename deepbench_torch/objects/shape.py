"""Parts of all geometric shapes, in which every pixel is 0 or one brightness.

A pixel belongs to a shape when its centre lies inside it or on its edge; the same holds for the
inner edge of an outline. A centre within `EDGE` of an edge lies on it, so that rounding does not
decide about the pixels that neat parameters (whole pixels, quarter turns) put there.
"""

import math
from typing import Protocol

from torch import Tensor, floor, minimum, sign, where

from deepbench_torch.priors import Choice, Fixed, Prior, Uniform
from deepbench_torch.priors.parameter import Parameter


class HasAmplitude(Protocol):
    """The record of any shape."""

    @property
    def amplitude(self) -> Tensor:
        """The brightness of each, shape (B,)."""


EDGE = 1e-4  # [pixel]; float32 is exact to 0.00003 pixel across an image of 256
# solid in half of the images, else an outline of 2 or 4 pixels of 64
PENS = Choice((math.inf, 0.03, 0.06), weights=(2.0, 1.0, 1.0))


def outline(distance: Tensor, middle: Tensor, reach: Tensor) -> Tensor:
    """Return the depth of each pixel in an outline [pixel]: at least 0 on it, shape (B, H, W).

    Args:
        distance: From the middle of the shape, where it is 0, outward to its edge [pixel], shape
            (B, H, W).
        middle: The distance halfway between both edges, as `pen` returns it.
        reach: Half the thickness, as `pen` returns it.
    """
    return reach - abs(distance - middle)


def pen(radius: Tensor, thickness: Tensor) -> tuple[Tensor, Tensor]:
    """Return the middle and the reach of an outline [pixel], shape (B,) each.

    Args:
        radius: The distance at the edge [pixel], shape (B,).
        thickness: How far the outline reaches inward from the edge [pixel], shape (B,); the shape
            is solid if that is the radius or more.
    """
    half = minimum(thickness, radius) * 0.5
    return radius - half, half + EDGE


def paint(depth: Tensor, amplitude: Tensor) -> Tensor:
    """Return `amplitude` where `depth` is at least 0, elsewhere 0; its gradient by depth is 0."""
    return floor(sign(depth) * 0.5 + 1.0) * amplitude


def centre() -> dict[str, Parameter]:
    """Return the fields of a centre in the middle half of the frame: most of a shape is visible."""
    return {
        "x": Parameter("column", Uniform(0.25, 0.75)),
        "y": Parameter("row", Uniform(0.25, 0.75)),
    }


def tilted(*, width: Prior, height: Prior) -> dict[str, Parameter]:
    """Return the fields of a shape that is the same after half a turn."""
    return {
        **centre(),
        "width": length(width),
        "height": length(height),
        "theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
        "thickness": thickness(),
        "amplitude": amplitude(),
    }


def length(prior: Prior) -> Parameter:
    """Return the field of a size of a shape."""
    return Parameter(
        "length",
        prior,
        gt=0.0,
        remedy="a shape of no size has no light, so leave its slot empty instead",
    )


def thickness(prior: Prior = PENS) -> Parameter:
    """Return the field of the thickness of an outline."""
    return Parameter(
        "length",
        prior,
        gt=0.0,
        le=math.inf,
        remedy="a shape of no thickness has no light, so leave its slot empty instead",
    )


def amplitude() -> Parameter:
    """Return the field of the brightness: by default 1, so that images are 0 and 1."""
    return Parameter("brightness", Fixed(1.0), ge=0.0)


def ring_area(radius: Tensor, thickness: Tensor) -> Tensor:
    """Return the area between two concentric circles over pi, shape (B,) [pixel^2].

    Args:
        radius: Outer radius [pixel], shape (B,).
        thickness: How far it reaches inward [pixel], shape (B,).
    """
    hole = inner(radius, thickness)
    return radius * radius - hole * hole


def inner(radius: Tensor, thickness: Tensor) -> Tensor:
    """Return the distance of the inner edge [pixel], 0 for a solid shape, shape (B,)."""
    return where(radius > thickness, radius - thickness, 0.0)


def edge(record: HasAmplitude) -> Tensor:
    """Return half of the brightness: each pixel of a shape has all of it, any other nothing."""
    return record.amplitude / 2
