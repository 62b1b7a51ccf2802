"""Pixel centres: the one coordinate convention.

Pixel centres are at integers; x is the column and grows to the right, y is the row and grows
downward. An image of W columns spans -0.5 <= x < W - 0.5. Angles run counter-clockwise from +x
toward +y, as astropy's `theta`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from deepbench_torch.quantities import pixels


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

    def offsets(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Distances of the pixel centres from points, along either axis [pixel].

        Args:
            x: Columns of the points, shape (B,).
            y: Rows of the points, shape (B,).

        Returns:
            Along x, shape (B, 1, W), and along y, shape (B, H, 1); dtype and device of x.
        """
        rows, columns = self.shape
        column = torch.arange(columns, dtype=x.dtype, device=x.device) - self.margin
        row = torch.arange(rows, dtype=x.dtype, device=x.device) - self.margin
        return column - per_pixel(x), row[:, None] - per_pixel(y)

    def squared_distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Squared distance of every pixel centre from points [pixel^2], shape (B, H, W)."""
        dx, dy = self.offsets(x, y)
        return dx * dx + dy * dy

    def rotated(self, x: Tensor, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates of the pixel centres in frames turned by an angle [pixel].

        Args:
            x: Columns of the frames' origins, shape (B,).
            y: Rows of the frames' origins, shape (B,).
            theta: Angles of the frames' first axes [radian], shape (B,).

        Returns:
            Along the first and the second axis, each of shape (B, H, W).
        """
        return self.turned(x, y, cos=theta.cos(), sin=theta.sin())

    def turned(self, x: Tensor, y: Tensor, *, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        """The same as `rotated` for angles given by their cosine and sine, shape (B,) each."""
        dx, dy = self.offsets(x, y)
        cos, sin = per_pixel(cos), per_pixel(sin)
        return dx * cos + dy * sin, dy * cos - dx * sin


def scaled(values: Tensor, factor: Tensor, *, reuse: bool) -> Tensor:
    """The product of both, shape of `values`; written over them if `reuse`."""
    return torch.mul(values, factor, out=values if reuse else None)


def per_pixel(values: Tensor) -> Tensor:
    """Values of shape (B,) as (B, 1, 1), to meet images of shape (B, H, W)."""
    return values.view(-1, 1, 1)
