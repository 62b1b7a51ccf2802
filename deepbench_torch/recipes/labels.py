"""Names of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def label_names(label: Any, classes: Sequence[str]) -> list[str]:
    """Return the classes that a label names; names with values if it is of numbers.

    Args:
        label: Index of a class, or a flag or a number for each, shape (K,); number, tensor or
            array.
        classes: Names of the K classes.

    Example:
        >>> label_names(1, ["star", "galaxy"]), label_names([1.0, 0.0], ["star", "galaxy"])
        (['galaxy'], ['star'])
    """
    flags = np.asarray(label)
    if flags.ndim == 0:
        return [classes[int(flags)]]
    if not np.isin(flags, (0, 1)).all():
        return [f"{name} {value:.4g}" for name, value in zip(classes, flags, strict=True)]
    return [name for name, flag in zip(classes, flags, strict=True) if flag]
