"""Names of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def label_names(label: Any, classes: Sequence[str]) -> list[str]:
    """Return the classes that a label names.

    Args:
        label: Index of a class, or a flag for each class, shape (K,); number, tensor or array.
        classes: Names of the K classes.

    Example:
        >>> label_names(1, ["star", "galaxy"]), label_names([1.0, 0.0], ["star", "galaxy"])
        (['galaxy'], ['star'])
    """
    flags = np.asarray(label)
    if flags.ndim == 0:
        return [classes[int(flags)]]
    return [name for name, flag in zip(classes, flags, strict=True) if flag]
