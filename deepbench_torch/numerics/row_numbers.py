"""Checks of what addresses rows: a seed and row numbers."""

import torch
from torch import Tensor

from deepbench_torch.numerics import rng
from deepbench_torch.numerics.checks import check_integer

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def check_seed(seed: int) -> int:
    """Return the seed as int.

    Raises:
        ValueError: If it is not a whole number of 63 bits.
    """
    rule = "seed must be a whole number from 0 to 2**63 - 1"
    return check_integer(seed, rule, least=0, most=rng.LARGEST_SEED)


def check_index(index: Tensor) -> Tensor:
    """Return row numbers as int64 on the CPU, shape (B,).

    Raises:
        ValueError: If they are not whole numbers from 0 on, or of another shape.
    """
    if not isinstance(index, Tensor) or index.is_meta:
        raise ValueError(
            f"index: expected a tensor of whole numbers, got {index!r:.60}; use "
            "torch.tensor([0, 1]) for the first two rows"
        )
    index = index.cpu()
    if index.dim() != 1 or index.dtype not in _INTEGERS:
        raise ValueError(
            f"index must be whole numbers of shape (B,), got {index.dtype} of shape "
            f"{tuple(index.shape)}; for one row give torch.tensor([i])"
        )
    if len(index) and int(index.min()) < 0:
        raise ValueError(f"index must not be negative, got {int(index.min())}")
    return index.long()
