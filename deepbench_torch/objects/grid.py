"""Pixel centres: the one coordinate convention.

Pixel centres are at integers; x is the column and grows to the right, y is the row and grows
downward. An image of W columns spans -0.5 <= x < W - 0.5. Angles run counter-clockwise from +x
toward +y, as astropy's `theta`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from deepbench_torch.numerics.quantities import pixels


@dataclass(frozen=True)
class Grid:
    """The pixel centres of an image.

    Attributes:
        height: Rows.
        width: Columns.
        margin: Further pixels on every side, so that light from outside can be blurred inward.
    """

    height: int
    width: int
    margin: int = 0

    def __post_init__(self) -> None:
        for name in ("height", "width", "margin"):
            number = pixels(getattr(self, name), where=f"Grid.{name}")
            object.__setattr__(self, name, number)
        if self.height < 1 or self.width < 1 or self.margin < 0:
            raise ValueError(
                f"a grid needs at least one row and one column and no negative margin, got "
                f"height {self.height}, width {self.width}, margin {self.margin}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns drawn, the margin included."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    @property
    def shorter(self) -> int:
        """The shorter side [pixel], the unit of a recipe's lengths; the margin does not count."""
        return min(self.height, self.width)

    def inner(self, images: Tensor) -> Tensor:
        """Images (B, H, W) drawn with the margin, without it."""
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
    """Values of shape (B,) as (B, 1, 1), to meet images of shape (B, H, W)."""
    return values.view(-1, 1, 1)
