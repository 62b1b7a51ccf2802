"""Statistics of the pixels of images, or of each channel of time series."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

ROWS = 1000  # the first rows of a dataset; enough for three digits, and made in a second
Numbers = float | tuple[float, ...]


@dataclass(frozen=True)
class Statistics:
    """Range, mean and standard deviation of the values of some rows, before any transform.

    Images have one number over all pixels. Time series have a number for each channel, in the
    order and the units of `data.recipe.channels`.

    Attributes:
        least: Least value.
        greatest: Greatest value.
        mean: Mean.
        std: Standard deviation, over all values (divided by their number).
        rows: Number of rows.
    """

    least: Numbers
    greatest: Numbers
    mean: Numbers
    std: Numbers
    rows: int


class _Sums(NamedTuple):
    """Number of values; least, greatest, mean and sum of squared deviations, shape (C,) each."""

    values: int
    least: Tensor
    greatest: Tensor
    mean: Tensor
    squares: Tensor


def statistics_of(batches: Iterable[Tensor]) -> Statistics:
    """Return the statistics of batches of rows, in double precision.

    Batches are merged by the formula of Chan, Golub & LeVeque (1983, Am. Stat. 37, 242), which
    subtracts no large sums.

    Args:
        batches: Images, shape (B, 1, H, W), or time series, shape (B, T, C); B is not 0.

    Raises:
        ValueError: If there is no batch.
    """
    total, rows, series = None, 0, False
    for batch in batches:
        series = batch.ndim == 3
        values = batch.detach().double().flatten(0, 1) if series else batch.double().reshape(-1, 1)
        part = _sums(values)
        total = part if total is None else _merged(total, part)
        rows += len(batch)
    if total is None:
        raise ValueError("statistics: expected at least one row, got none; use a larger dataset")
    std = (total.squares / total.values).sqrt()

    def plain(numbers: Tensor) -> Numbers:
        return tuple(numbers.tolist()) if series else float(numbers)

    return Statistics(
        plain(total.least), plain(total.greatest), plain(total.mean), plain(std), rows
    )


def _sums(values: Tensor) -> _Sums:
    """Return the sums of values of shape (N, C)."""
    mean = values.mean(0)
    squares = (values - mean).square().sum(0)
    return _Sums(len(values), values.amin(0), values.amax(0), mean, squares)


def _merged(one: _Sums, other: _Sums) -> _Sums:
    count = one.values + other.values
    shift = other.mean - one.mean
    return _Sums(
        count,
        one.least.minimum(other.least),
        one.greatest.maximum(other.greatest),
        one.mean + shift * (other.values / count),
        one.squares + other.squares + shift.square() * (one.values * other.values / count),
    )
