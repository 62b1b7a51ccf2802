"""Checks of the arguments with which a user renders objects."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from deepbench_torch.objects.grid import Grid

LARGEST_ANGLE = 4 * math.pi  # [radian]; an optimiser may pass a turn, degrees are far beyond


def check_call(kind: str, *, parameters: Any, grid: Any) -> None:
    """Check the types of the arguments of `render`.

    Raises:
        TypeError: If the grid is not a Grid, or the parameters are neither a mapping nor a record.
    """
    if not isinstance(grid, Grid):
        raise TypeError(
            f"{kind}.render: expected a Grid, got {type(grid).__name__}; use "
            "render(parameters, db.Grid(height, width))"
        )
    if not isinstance(parameters, Mapping | tuple):
        raise TypeError(
            f"{kind}.render: expected parameters by name, got {type(parameters).__name__}; pass a "
            "dict of tensors (B,)"
        )


def doubt_degrees(name: str, angles: Tensor) -> None:
    """Warn of angles of more than two turns, which are probably degrees.

    Args:
        name: Kind and parameter.
        angles: Finite angles [radian].
    """
    if bool((angles.abs() > LARGEST_ANGLE).any()):
        warnings.warn(
            f"{name}: expected radians, got {float(angles.abs().max()):g}, which is more than "
            "two turns; convert degrees with torch.deg2rad or math.radians",
            stacklevel=5,
        )
