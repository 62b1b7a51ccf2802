"""All rows of a dataset as two NumPy arrays, for scikit-learn and other array libraries."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.datasets.indexing import chunks
from deepbench_torch.datasets.targets import Target, is_detection
from deepbench_torch.numerics.checks import check_flag

if TYPE_CHECKING:
    from deepbench_torch.datasets.base import PairDataset

REMEDY = 'use "label", "vector", "clean" or "index", or data.to_table() for the parameters'


def dataset_arrays(
    dataset: "PairDataset", target: Target, *, flat: bool
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return the data and the targets of all rows; see `PairDataset.arrays`.

    Both arrays are allocated once and filled in batches.

    Args:
        dataset: The rows.
        target: Name of a target of one shape for all rows.
        flat: Whether each row is one line of numbers.

    Raises:
        ValueError: If the dataset has no rows, or the target is not an array.
    """
    flat = check_flag(flat, where="arrays.flat")
    plain = dataset.with_target(target)
    if not isinstance(target, str) or is_detection(target):
        raise ValueError(_not_rectangular(target))
    if not len(plain):
        raise ValueError("arrays: expected at least one row, got none; use a larger dataset")
    first_data, first_target = plain._pairs([0])[0]
    data = _room(len(plain), first_data, target=target)
    targets = _room(len(plain), first_target, target=target)
    for chunk in chunks(len(plain), plain.rows_per_batch):
        pairs = plain._pairs(chunk)
        rows = slice(chunk.start, chunk.stop)
        torch.stack([image for image, _ in pairs], out=data[rows])
        if targets.dim() == 1:
            values = [value for _, value in pairs]
            targets[rows] = torch.tensor(values, dtype=targets.dtype, device="cpu")
        else:
            torch.stack([value for _, value in pairs], out=targets[rows])
    return tuple(_shaped(values, flat=flat) for values in (data, targets))  # type: ignore[return-value]


def _room(count: int, row: Any, *, target: Target) -> Tensor:
    """Return room for some rows such as this one: int64, shape (N,), or of the shape of a tensor.

    Raises:
        ValueError: If the row is neither an integer nor a tensor.
    """
    if isinstance(row, Tensor):
        return row.new_empty((count, *row.shape))
    if isinstance(row, int):
        return torch.empty(count, dtype=torch.int64, device="cpu")
    raise ValueError(_not_rectangular(target))


def _shaped(values: Tensor, *, flat: bool) -> NDArray[Any]:
    array: NDArray[Any] = values.numpy()
    return array.reshape(len(array), -1) if flat and array.ndim > 2 else array


def _not_rectangular(target: Target) -> str:
    return f"arrays: expected a target of one shape for all rows, got {target!r}; {REMEDY}"
