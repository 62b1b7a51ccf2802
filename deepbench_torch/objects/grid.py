"""Pixels: the one coordinate convention.

Pixel centres are at integers; x is the column and grows to the right, y is the row and grows
downward. An image of W columns spans -0.5 <= x < W - 0.5. Angles run counter-clockwise from +x
toward +y, as astropy's `theta`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.numerics.quantities import pixels
from deepbench_torch.objects.nodes import MOST_SAMPLES, nodes

LARGEST_SIDE = 1 << 20  # [pixel]


@dataclass(frozen=True)
class Grid:
    """The pixels of an image, and the points at which their light is sampled.

    Attributes:
        height: Rows.
        width: Columns.
        margin: Further pixels on every side, so that light from outside can be blurred inward.
        samples: Points along each axis of a pixel over which its light is averaged; 1 for the
            centre alone.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import deepbench_torch as db
        >>> db.Grid(2, 3).shape
        (2, 3)
    """

    height: int
    width: int
    margin: int = field(default=0, kw_only=True)
    samples: int = field(default=1, kw_only=True)

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
        rule = f"Grid.samples: expected a whole number from 1 to {MOST_SAMPLES}"
        number = check_integer(self.samples, rule, least=1, most=MOST_SAMPLES)
        object.__setattr__(self, "samples", number)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns rendered, the margin included."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    @property
    def shorter(self) -> int:
        """The shorter side [pixel], the unit of a recipe's lengths; the margin does not count."""
        return min(self.height, self.width)

    def inner(self, images: Tensor) -> Tensor:
        """Return images (B, H, W) rendered with the margin, without it."""
        edge = self.margin
        return images[:, edge : edge + self.height, edge : edge + self.width]

    def points(self) -> Iterator[tuple[float, float, float]]:
        """Yield the points of a pixel: their offsets from its centre, and their weights.

        Along a row first: column and row [pixel], and weight; the weights sum to 1.
        """
        for down, share in nodes(self.samples):
            for across, weight in nodes(self.samples):
                yield across, down, share * weight

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
