"""Pixel centres at integers; x to the right, y downward, angles from +x toward +y."""

from typing import Any

import numpy as np
import pytest
import torch

from deepbench_torch.objects.grid import Grid, per_pixel

X = torch.zeros(0, dtype=torch.float64)
GRIDS = [Grid(3, 5), Grid(5, 3), Grid(1, 4), Grid(4, 1), Grid(3, 5, margin=2), Grid(1, 1)]
each_grid = pytest.mark.parametrize("grid", GRIDS, ids=str)


def centres(grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns and rows of all pixels by numpy, the margin included: (H, W) each."""
    rows, columns = np.mgrid[
        -grid.margin : grid.height + grid.margin, -grid.margin : grid.width + grid.margin
    ]
    return torch.tensor(columns, dtype=torch.float64), torch.tensor(rows, dtype=torch.float64)


@each_grid
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pixel_centres_are_at_integers(grid: Grid, dtype: torch.dtype) -> None:
    columns, rows = centres(grid)
    column, row = grid.centres(torch.zeros(0, dtype=dtype))
    assert (column.dtype, row.dtype) == (dtype, dtype)
    assert torch.equal(column.expand(grid.shape).double(), columns)
    assert torch.equal(row.expand(grid.shape).double(), rows)


def test_shape_counts_the_margin_and_the_shorter_side_does_not() -> None:
    assert (Grid(3, 5).shape, Grid(3, 5).shorter) == ((3, 5), 3)
    assert (Grid(7, 5, margin=4).shape, Grid(7, 5, margin=4).shorter) == ((15, 13), 5)


def test_the_inner_part_of_a_margin_is_the_grid_without() -> None:
    inner, outer = (torch.add(*grid.centres(X)) for grid in (Grid(3, 5), Grid(3, 5, margin=2)))
    assert torch.equal(Grid(3, 5, margin=2).inner(outer[None])[0], inner)


WRONG_SIZES: list[tuple[Any, Any, Any, str]] = [
    (0, 5, 0, "height"),
    (3, 0, 0, "width"),
    (-1, 5, 0, "height"),
    (3, 5, -1, "margin"),
    (2.5, 5, 0, "height"),
    (3, "5", 0, "width"),
    (True, 5, 0, "height"),
    (3, float("nan"), 0, "width"),
    (3, (5, 5), 0, "width"),
    (3, 5, 0.5, "margin"),
    (3, 1 << 40, 0, "width"),
    (None, 5, 0, "height"),
]


@pytest.mark.parametrize(("height", "width", "margin", "name"), WRONG_SIZES)
def test_wrong_sizes_are_refused(height: Any, width: Any, margin: Any, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^Grid\.{name}: expected a whole number .*got .*; use"):
        Grid(height, width, margin=margin)


def test_integers_of_any_type_are_sizes() -> None:
    grid = Grid(np.int64(3), torch.tensor(5))  # type: ignore[arg-type]
    assert [type(grid.height), type(grid.width), grid] == [int, int, Grid(3, 5)]


def test_a_third_number_is_no_channel() -> None:
    """`Grid(28, 28, 1)` would have a margin, and images of 30 x 30 pixels."""
    with pytest.raises(TypeError, match="positional"):
        Grid(28, 28, 1)  # type: ignore[call-arg]


def test_per_pixel_meets_images() -> None:
    assert per_pixel(torch.arange(4)).shape == (4, 1, 1)
    assert per_pixel(torch.arange(0)).shape == (0, 1, 1)
