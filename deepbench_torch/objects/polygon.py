"""Polygon: regular, solid or an outline."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.differentiation import plain_values
from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import shape
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import Choice, Uniform


class Polygon(NamedTuple):
    """A batch of regular polygons; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        radius: From the centre to a vertex [pixel].
        vertices: Number of vertices, whole and at least 3.
        theta: Angle of a vertex [radian].
        thickness: Of the outline, inward from the sides; inf is solid [pixel].
        amplitude: Brightness.
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    vertices: Tensor
    theta: Tensor
    thickness: Tensor
    amplitude: Tensor


def render(polygon: Polygon, grid: Grid) -> Tensor:
    """Draw each polygon alone on its own image.

    Args:
        polygon: The polygons, B of them.
        grid: Pixel centres of an H by W image.

    Returns:
        Images, shape (B, H, W), dtype of `polygon.x`.
    """
    inradius = polygon.radius * (math.pi / polygon.vertices).cos()
    distance = toward_nearest_side(polygon, grid)
    depth = shape.outline(distance, radius=inradius, thickness=polygon.thickness)
    return shape.paint(depth, polygon.amplitude)


def toward_nearest_side(polygon: Polygon, grid: Grid) -> Tensor:
    """Distance from the centre, square to the nearest side [pixel], shape (B, H, W).

    The largest of those square to each side. All polygons of a batch are given as many sides as the
    one that has most; the surplus repeats their own, which changes no bit.
    """
    dx, dy = grid.offsets(polygon.x, polygon.y)
    cos, sin = _normals(polygon)
    distance = dx.new_zeros(len(dx), *grid.shape)  # never negative: the normals add up to zero
    for side in range(cos.shape[1]):
        square = dx * per_pixel(cos[:, side]) + dy * per_pixel(sin[:, side])
        distance = torch.maximum(distance, square)
    return distance


def _normals(polygon: Polygon) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angles at which the sides face, shape (B, sides) each."""
    vertices = polygon.vertices[:, None]
    most = int(plain_values(vertices).max()) if len(vertices) else 0
    side = torch.arange(most, dtype=vertices.dtype, device=vertices.device) % vertices
    angle = polygon.theta[:, None] + (side + 0.5) * (2 * math.pi / vertices)
    return angle.cos(), angle.sin()


POLYGON = ObjectKind(
    name="polygon",
    fields={
        # in the middle half of the frame, so that most of the shape is visible
        "x": Parameter("column", Uniform(0.25, 0.75)),
        "y": Parameter("row", Uniform(0.25, 0.75)),
        # 10 to 19 pixels of 64 from the centre to a vertex: the corners are countable
        "radius": shape.length(Uniform(0.15, 0.3)),
        # four is a square, and small polygons of seven or more look like circles
        "vertices": Parameter(
            "number", Choice((3.0, 5.0, 6.0)), above=3.0, closed=True, whole=True
        ),
        # a sixth of a turn, the symmetry of six vertices, so that no two values give one image; for
        # triangles it covers half of the directions
        "theta": Parameter("angle", Uniform(0.0, math.pi / 3)),
        "thickness": shape.thickness(),
        "amplitude": shape.amplitude(),
    },
    record=Polygon,
    draw=render,
    edge=shape.edge,
)
