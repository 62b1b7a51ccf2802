"""Shapes of neat parameters, whose edges run through pixel centres: by counting and symmetry."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from deepbench_torch import OBJECTS, Grid

GRID = Grid(25, 31)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
each_centre = pytest.mark.parametrize("centre", [(15.0, 12.0), (14.5, 11.5), (15.3, 12.2)])


def render(kind: str, dtype: torch.dtype = torch.float32, /, **parameters: float) -> Tensor:
    """Where a shape lies, bool of shape (H, W); solid, in the middle, if nothing else is said."""
    ordinary = {"x": 15.0, "y": 12.0, "thickness": math.inf, "amplitude": 1.0}
    values = {name: (ordinary | parameters)[name] for name in OBJECTS[kind].parameters}
    tensors = {name: torch.tensor([value], dtype=dtype) for name, value in values.items()}
    return OBJECTS[kind].render(tensors, GRID)[0] != 0


def test_edges_belong_to_the_shape() -> None:
    # of the square lattice 81 points lie in a circle of radius 5, 12 of them on it
    assert render("circle", radius=5.0).sum() == 81
    assert render("ellipse", width=10.0, height=10.0, theta=0.0).sum() == 81
    assert render("arc", radius=5.0, start=0.0, extent=2 * math.pi).sum() == 81
    assert render("rectangle", width=8.0, height=4.0, theta=0.0).sum() == 9 * 5
    # and 25 in a circle of radius sqrt(8), four of them on it
    assert render("polygon", radius=math.sqrt(8), vertices=4.0, theta=math.pi / 4).sum() == 25


def test_inner_edges_belong_to_the_outline() -> None:
    # 21 points lie nearer to the centre than sqrt(8), four exactly so far
    assert render("circle", radius=5.0, thickness=5 - math.sqrt(8)).sum() == 81 - 21
    # points of the inner rectangle, 6 by 2, without its edges: 5 by 1
    assert render("rectangle", width=8.0, height=4.0, theta=0.0, thickness=1.0).sum() == 45 - 5
    square = {"radius": math.sqrt(8), "vertices": 4.0, "theta": math.pi / 4}
    assert render("polygon", thickness=1.0, **square).sum() == 25 - 1
    assert render("ellipse", width=10.0, height=10.0, theta=0.0, thickness=2.0).sum() == 81 - 25


@pytest.mark.parametrize(
    ("kind", "own", "inradius"),
    [
        ("ellipse", {"width": 17.0, "height": 9.0, "theta": 0.5}, 4.5),
        ("circle", {"radius": 8.3}, 8.3),
        ("rectangle", {"width": 17.0, "height": 9.0, "theta": 0.5}, 4.5),
        ("polygon", {"radius": 9.0, "vertices": 5.0, "theta": 0.2}, 9 * math.cos(math.pi / 5)),
        ("arc", {"radius": 8.3, "start": 1.0, "extent": 4.0}, 8.3),
    ],
)
def test_thickness_of_half_the_shape_is_solid(
    kind: str, own: dict[str, float], inradius: float
) -> None:
    solid = render(kind, **own)
    for thickness in (inradius, 1.01 * inradius, 2 * inradius, 1e6):
        assert torch.equal(render(kind, thickness=thickness, **own), solid)
    assert not torch.equal(render(kind, thickness=inradius - 2, **own), solid)


@each_dtype
@each_centre
@pytest.mark.parametrize("kind", ["ellipse", "rectangle"])
@pytest.mark.parametrize("thickness", [2.0, math.inf])
def test_quarter_turn_exchanges_width_and_height(
    kind: str, thickness: float, centre: tuple[float, float], dtype: torch.dtype
) -> None:
    own = {"x": centre[0], "y": centre[1], "thickness": thickness}
    for width, height in ((10.0, 6.0), (9.0, 7.0), (8.2, 3.3)):
        upright = render(kind, dtype, width=height, height=width, theta=0.0, **own)
        for turns in (1, 3, -1, 5):
            turned = render(
                kind, dtype, width=width, height=height, theta=turns * math.pi / 2, **own
            )
            assert torch.equal(turned, upright)


def test_polygon_has_a_vertex_at_theta() -> None:
    for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        mask = render("polygon", radius=8.0, vertices=3.0, theta=math.atan2(dy, dx))
        assert mask[12 + 8 * dy, 15 + 8 * dx]
        assert not mask[12 - 8 * dy, 15 - 8 * dx]


@pytest.mark.parametrize("thickness", [2.3, math.inf])
def test_polygon_of_four_is_a_square(thickness: float) -> None:
    own = {"x": 15.3, "y": 13.1, "thickness": thickness}
    polygon = render("polygon", radius=9.0, vertices=4.0, theta=0.3, **own)
    side = 9 * math.sqrt(2)
    square = render("rectangle", width=side, height=side, theta=0.3 + math.pi / 4, **own)
    assert torch.equal(polygon, square)


@each_dtype
@each_centre
def test_arc_of_a_full_turn_is_a_ring(centre: tuple[float, float], dtype: torch.dtype) -> None:
    own = {"x": centre[0], "y": centre[1], "radius": 9.0}
    for thickness in (3.0, 9.0, math.inf):
        ring = render("circle", dtype, thickness=thickness, **own)
        for start in np.linspace(-math.pi, 2 * math.pi, 25).tolist():
            arc = render("arc", dtype, start=start, extent=2 * math.pi, thickness=thickness, **own)
            assert torch.equal(arc, ring)
    assert not render("arc", dtype, start=0.0, extent=2 * math.pi, thickness=3.0, **own)[12, 15]


@each_dtype
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_arcs_of_quarters_hold_both_of_their_ends(quarters: int, dtype: torch.dtype) -> None:
    rows, columns = np.mgrid[:25, :31]
    for first in range(4):
        expected = np.zeros((25, 31), dtype=bool)
        for quarter in range(first, first + quarters):
            turned = np.rint(((columns - 15) + 1j * (rows - 12)) * (-1j) ** quarter)
            expected |= (turned.real >= 0) & (turned.imag >= 0) & (np.abs(turned) <= 9)
        start, extent = first * math.pi / 2, quarters * math.pi / 2
        rendered = render("arc", dtype, radius=9.0, start=start, extent=extent)
        assert np.array_equal(rendered.numpy(), expected)


@pytest.mark.parametrize("extent", [1e-6, 0.01, 1.0, math.pi, 4.0])
def test_arc_and_the_rest_of_its_turn_make_the_ring(extent: float) -> None:
    own = {"x": 14.2, "y": 11.7, "radius": 9.0, "thickness": 3.0}  # no centre lies on a ray
    arc = render("arc", start=0.7, extent=extent, **own)
    rest = render("arc", start=0.7 + extent, extent=2 * math.pi - extent, **own)
    assert torch.equal(arc | rest, render("circle", **own))
    assert not (arc & rest).any()


def test_narrow_arc_does_not_appear_beyond_its_centre() -> None:
    narrow = render("arc", radius=9.0, start=0.0, extent=1e-6)
    assert narrow.nonzero().tolist() == [[12, column] for column in range(15, 25)]


def test_line_has_butt_ends_and_its_full_width() -> None:
    along = render("line", x0=2.0, y0=5.0, x1=10.0, y1=5.0, thickness=2.0)
    down = render("line", x0=5.0, y0=2.0, x1=5.0, y1=10.0, thickness=2.0)
    expected = torch.zeros(25, 31, dtype=torch.bool)
    expected[4:7, 2:11] = True
    assert torch.equal(along, expected)
    assert torch.equal(down[:25, :25], expected[:25, :25].T)


@pytest.mark.parametrize("slope", [1.0, -1.0, 0.0, 20.0])
def test_line_does_not_depend_on_the_order_of_its_ends(slope: float) -> None:
    there = render("line", x0=4.2, y0=12 - slope, x1=21.7, y1=12 + 1.1 * slope, thickness=2.4)
    back = render("line", x0=21.7, y0=12 + 1.1 * slope, x1=4.2, y1=12 - slope, thickness=2.4)
    assert torch.equal(there, back)


def test_line_of_no_length_renders_at_most_its_end() -> None:
    point = render("line", x0=6.0, y0=9.0, x1=6.0, y1=9.0, thickness=2.0)
    assert point.nonzero().tolist() == [[8, 6], [9, 6], [10, 6]]  # as if it pointed along x
    assert not render("line", x0=6.4, y0=9.0, x1=6.4, y1=9.0, thickness=2.0).any()
