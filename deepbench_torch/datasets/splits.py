"""Splits: rows of a catalogue for training, validation and test."""

from typing import Literal

from deepbench_torch.numerics.checks import check_integer

SHARES = "the first 60 %, the next 20 %, the last 20 %"
LARGEST_SIZE = 1 << 62  # rows; their numbers stay within 63 bits
Split = Literal["train", "val", "test"]


def split_rows(size: int, split: Split | None) -> range:
    """Return the row numbers of a split: shares of `size` as in `SHARES`.

    Raises:
        ValueError: If the size is not positive, or the split is unknown or empty.
    """
    size = check_integer(
        size,
        "size: expected a positive whole number of rows",
        least=1,
        most=LARGEST_SIZE,
        remedy="use 1 to 2**62",
    )
    first, second = _ends(size)
    splits = {
        None: range(size),
        "train": range(first),
        "val": range(first, second),
        "test": range(second, size),
    }
    if not isinstance(split, str | None) or split not in splits:
        raise ValueError(
            f"split: expected None, 'train', 'val' or 'test', got {split!r}; use one of these"
        )
    if not splits[split]:
        raise ValueError(
            f"split: expected rows in {split!r}, got none of {size} rows; use size=5 or more"
        )
    return splits[split]


def split_of(row: int, size: int) -> Split:
    """Return the split that a row of a catalogue belongs to."""
    first, second = _ends(size)
    if row < first:
        return "train"
    return "val" if row < second else "test"


def _ends(size: int) -> tuple[int, int]:
    """Return the ends of the splits train and val."""
    return size * 3 // 5, size * 4 // 5
