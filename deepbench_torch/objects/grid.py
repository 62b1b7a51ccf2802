"""Pixel centres: the one coordinate convention.

Pixel centres are at integers; x is the column and grows to the right, y is the row and grows
downward. An image of W columns spans -0.5 <= x < W - 0.5. Angles run counter-clockwise from +x
toward +y, as astropy's `theta`.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.numerics.quantities import pixels

LARGEST_SIDE = 1 << 20  # [pixel]


@dataclass(frozen=True)
class Grid:
    """The pixel centres of an image.

    Attributes:
        height: Rows.
        width: Columns.
        margin: Further pixels on every side, so that light from outside can be blurred inward.

    Example:
        >>> import deepbench_torch as db
        >>> db.Grid(2, 3).shape
        (2, 3)
    """

    height: int
    width: int
    margin: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("height", "width", "margin"):
            least = 0 if name == "margin" else 1
            number = check_integer(
                pixels(getattr(self, name), where=f"Grid.{name}"),
                f"Grid.{name}: expected a whole number of pixels >= {least}",
                least=least,
                most=LARGEST_SIDE,
                remedy="use Grid(height, width), as in Grid(64, 64)",
            )
            object.__setattr__(self, name, number)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns drawn, the margin included."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    @property
    def shorter(self) -> int:
        """The shorter side [pixel], the unit of a recipe's lengths; the margin does not count."""
        return min(self.height, self.width)

    def inner(self, images: Tensor) -> Tensor:
        """Return images (B, H, W) drawn with the margin, without it."""
        edge = self.margin
        return images[:, edge : edge + self.height, edge : edge + self.width]

    def centres(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns, shape (W,), and the rows, shape (H, 1), of the pixel centres [pixel].

        Args:
            like: A tensor of the dtype and device that they are to have.
        """
        rows, columns = self.shape
        column = torch.arange(columns, dtype=like.dtype, device=like.device) - self.margin
        row = torch.arange(rows, dtype=like.dtype, device=like.device) - self.margin
        return column, row[:, None]


def per_pixel(values: Tensor) -> Tensor:
    """Return values of shape (B,) as (B, 1, 1), to meet images of shape (B, H, W)."""
    return values.view(-1, 1, 1)
