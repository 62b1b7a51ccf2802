"""Roots of smooth periodic functions of an angle, for many functions in one batch."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

POINTS = 720  # of the grid on which roots are bracketed, every half degree
STEP = 2 * math.pi / POINTS  # [radian]
MOST_ROOTS = 16  # of one function
# denser grids and points of each: in the end steps of 3e-5, above the rounding of a triple root
_LEVELS, _FINE = 2, 33
_STEPS = 60  # of bisection: below the rounding of an angle


def roots(
    function: Callable[[Tensor], Tensor], *, count: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Return the roots of functions of an angle in a full turn.

    Roots are bracketed by changes of sign between the points of a grid, which grows denser toward
    the roots, so that roots that lie close together are found, too.

    Args:
        function: From angles (B, N) [radian] to values (B, N), float64; periodic.
        count: The number of functions B.
        device: Where the angles are.

    Returns:
        Angles, float64, shape (B, MOST_ROOTS), in increasing order; NaN where there is no further
        root.

    Example:
        >>> found = roots(lambda angle: (2 * angle).sin(), count=1)
        >>> (found[0, :5] / math.pi).round(decimals=6).tolist()
        [0.0, 0.5, 1.0, 1.5, nan]
    """
    # off the axes, where symmetric functions have roots: one on a point has no change of sign
    start = 0.437 * STEP - STEP
    points = torch.arange(POINTS, dtype=torch.float64, device=device)
    grid = (points * STEP + start).expand(count, -1)
    dense = (_zoomed(function, grid) - start).remainder(2 * math.pi) + start
    ends = torch.cat((grid, dense, grid[:, :1] + 2 * math.pi), dim=1).sort(dim=1).values
    negative = function(ends) < 0
    changes = negative[:, 1:] != negative[:, :-1]
    order = changes.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :MOST_ROOTS]
    low, high = ends[:, :-1].gather(1, order), ends[:, 1:].gather(1, order)
    root = _bisected(function, low, high, falling=negative[:, 1:].gather(1, order))
    return torch.where(changes.gather(1, order), root, math.nan)


def _bisected(
    function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, *, falling: Tensor
) -> Tensor:
    """Return the root between two angles; `falling` where the function is negative at `high`."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        beyond = (function(middle) < 0) == falling
        low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
    return (low + high) / 2


def _zoomed(function: Callable[[Tensor], Tensor], grid: Tensor) -> Tensor:
    """Return angles round the points where |value| dips, ever denser toward the least |value|.

    Roots that lie close together are then apart from each other, in steps of this grid.

    Args:
        function: As for `roots`.
        grid: Angles of a full turn (B, POINTS).
    """
    size = function(grid).abs()
    dip = (size <= size.roll(1, dims=1)) & (size <= size.roll(-1, dims=1))
    order = dip.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :MOST_ROOTS]
    middle, reach, found = grid.gather(1, order), STEP, []
    for _ in range(_LEVELS):
        steps = torch.linspace(-reach, reach, _FINE, dtype=torch.float64, device=grid.device)
        fine = middle[..., None] + steps
        found.append(fine.flatten(1))
        least = function(found[-1]).abs().view(fine.shape).argmin(dim=-1, keepdim=True)
        middle, reach = fine.gather(-1, least)[..., 0], reach * 2 / (_FINE - 1)
    return torch.cat(found, dim=1)
