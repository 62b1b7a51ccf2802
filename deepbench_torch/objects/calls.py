"""Checks of the arguments with which a user renders objects."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from deepbench_torch.objects.grid import Grid

TURN = 2 * math.pi + 1e-6  # [radian]; angles from 0 to 2 pi in float32 are within it


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
    """Warn of angles of more than a turn, which are probably degrees.

    Args:
        name: Kind and parameter.
        angles: Finite angles [radian].
    """
    if bool((angles.abs() > TURN).any()):
        warnings.warn(
            f"{name}: expected radians, got {float(angles.abs().max()):g}, which is more than a "
            "turn; convert degrees with torch.deg2rad or math.radians",
            stacklevel=5,
        )
