"""Splits: rows of a catalogue for training, validation and test."""

from typing import Literal

from deepbench_torch.arguments import check_integer

LARGEST_SIZE = 1 << 62  # rows; their numbers stay within 63 bits
Split = Literal["train", "val", "test"]


def split_rows(size: int, split: Split | None) -> range:
    """Return the row numbers of a split: 60 %, 20 % and 20 % of `size`, in order.

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
    first, second = size * 3 // 5, size * 4 // 5
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
