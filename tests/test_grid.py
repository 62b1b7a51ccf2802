"""Pixel centres at integers; x to the right, y downward, angles from +x toward +y."""

import math

import numpy as np
import pytest
import torch

from deepbench_torch.grid import Grid, per_pixel

X = torch.tensor([0.0, 2.25, -7.5], dtype=torch.float64)
Y = torch.tensor([1.0, -0.5, 40.0], dtype=torch.float64)
GRIDS = [Grid(3, 5), Grid(5, 3), Grid(1, 4), Grid(4, 1), Grid(3, 5, margin=2), Grid(1, 1)]
each_grid = pytest.mark.parametrize("grid", GRIDS, ids=str)


def centres(grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns and rows of all pixels by numpy, the margin included: (H, W) each."""
    rows, columns = np.mgrid[
        -grid.margin : grid.height + grid.margin, -grid.margin : grid.width + grid.margin
    ]
    return torch.tensor(columns, dtype=torch.float64), torch.tensor(rows, dtype=torch.float64)


@each_grid
def test_offsets_are_from_whole_pixel_centres(grid: Grid) -> None:
    columns, rows = centres(grid)
    dx, dy = grid.offsets(X, Y)
    assert (dx.shape, dy.shape) == ((3, 1, grid.shape[1]), (3, grid.shape[0], 1))
    for k in range(3):
        assert torch.equal(dx[k].expand(grid.shape), columns - X[k])
        assert torch.equal(dy[k].expand(grid.shape), rows - Y[k])


@each_grid
def test_squared_distance_is_that_of_complex_numbers(grid: Grid) -> None:
    columns, rows = centres(grid)
    found = grid.squared_distance(X, Y)
    assert found.shape == (3, *grid.shape)
    for k in range(3):
        expected = np.abs((columns - X[k]).numpy() + 1j * (rows - Y[k]).numpy()) ** 2
        np.testing.assert_allclose(found[k].numpy(), expected, rtol=1e-14)


@each_grid
@pytest.mark.parametrize("theta", [0.0, 0.3, math.pi / 2, 2.0, -1.0, math.pi])
def test_rotated_coordinates_are_those_of_complex_numbers(grid: Grid, theta: float) -> None:
    """A frame turned by theta sees every point turned by -theta."""
    columns, rows = centres(grid)
    along, across = grid.rotated(X, Y, torch.full_like(X, theta))
    assert along.shape == across.shape == (3, *grid.shape)
    for k in range(3):
        points = (columns - X[k]).numpy() + 1j * (rows - Y[k]).numpy()
        expected = points * np.exp(-1j * theta)
        # a difference of two products of up to 50 pixels
        np.testing.assert_allclose(along[k].numpy(), expected.real, rtol=0, atol=1e-13)
        np.testing.assert_allclose(across[k].numpy(), expected.imag, rtol=0, atol=1e-13)


def test_a_quarter_turn_goes_from_right_to_down() -> None:
    """The point below the centre lies on the first axis of a frame turned by pi / 2."""
    quarter = torch.tensor([math.pi / 2], dtype=torch.float64)
    along, across = Grid(3, 2).rotated(torch.zeros(1).double(), torch.zeros(1).double(), quarter)
    assert float(along[0, 2, 0]) == pytest.approx(2)  # row 2, column 0
    assert float(across[0, 2, 0]) == pytest.approx(0)
    assert float(across[0, 0, 1]) == pytest.approx(-1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_and_empty_batch(dtype: torch.dtype) -> None:
    empty = torch.zeros(0, dtype=dtype)
    for drawn in (
        *Grid(2, 3).rotated(empty, empty, empty),
        Grid(2, 3).squared_distance(empty, empty),
    ):
        assert (drawn.shape, drawn.dtype) == ((0, 2, 3), dtype)


def test_shape_counts_the_margin_and_the_shorter_side_does_not() -> None:
    assert (Grid(3, 5).shape, Grid(3, 5).shorter) == ((3, 5), 3)
    assert (Grid(7, 5, margin=4).shape, Grid(7, 5, margin=4).shorter) == ((15, 13), 5)


def test_the_inner_part_of_a_margin_is_the_grid_without() -> None:
    inner = Grid(3, 5).squared_distance(X, Y)
    outer = Grid(3, 5, margin=2).squared_distance(X, Y)
    assert torch.equal(outer[:, 2:-2, 2:-2], inner)


@pytest.mark.parametrize(
    ("height", "width", "margin"), [(0, 5, 0), (3, 0, 0), (-1, 5, 0), (3, 5, -1)]
)
def test_sizes_that_make_no_sense_are_refused(height: int, width: int, margin: int) -> None:
    with pytest.raises(ValueError) as caught:
        Grid(height, width, margin)
    assert str(caught.value) == (
        "a grid needs at least one row and one column and no negative margin, got "
        f"height {height}, width {width}, margin {margin}"
    )


def test_per_pixel_meets_images() -> None:
    assert per_pixel(torch.arange(4)).shape == (4, 1, 1)
    assert per_pixel(torch.arange(0)).shape == (0, 1, 1)
