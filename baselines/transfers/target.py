"""Images of another origin with labels, divided into a pool, a validation and a test part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.numerics import rng

Kind = Literal["class", "values"]
LABELS = {
    "class": (1, 2, 5, 10, 20, 50, 100),  # labels of each class
    "values": (10, 20, 50, 100, 200),  # labels in all
}
SUBSETS = 10


@dataclass(frozen=True)
class Target:
    """Labelled images, and which of them may be used for what.

    Attributes:
        name: Name.
        image: Images, float32, shape (N, 1, H, W).
        label: Class indices, int64, shape (N,), or measured values, float64, shape (N, K).
        names: Names of the classes or of the values.
        pool: Rows from which labelled subsets are chosen.
        val: Rows by which settings are chosen.
        test: Rows that are scored.
    """

    name: str
    image: Tensor
    label: NDArray[np.generic]
    names: tuple[str, ...]
    pool: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def kind(self) -> Kind:
        """Whether labels are classes or values."""
        return "class" if self.label.ndim == 1 else "values"

    @property
    def counts(self) -> list[int]:
        """Numbers of labels that the pool has, and its complete size last, as 0."""
        if self.kind == "values":
            return [count for count in LABELS["values"] if count < len(self.pool)] + [0]
        least = min(np.bincount(self.label[self.pool].astype(np.int64)))
        return [count for count in LABELS["class"] if count < least] + [0]

    def subset(self, count: int, number: int) -> NDArray[np.int64]:
        """Return the rows of a labelled subset; a larger one of its number contains it.

        Args:
            count: Labels of each class, or values in all; 0 for the complete pool.
            number: Number of the subset.
        """
        if count == 0:
            return self.pool
        order = self.pool[permutation(len(self.pool), name=f"{self.name}.subset", seed=number)]
        if self.kind == "values":
            return order[:count]
        label = self.label[order]
        rows = [order[label == each][:count] for each in range(len(self.names))]
        return np.concatenate(rows)


def permutation(count: int, *, name: str, seed: int = 0) -> NDArray[np.int64]:
    """Return a permutation that depends on the name and the seed only."""
    words = rng.words(seed, (f"transfer.{name}",), torch.zeros(1, dtype=torch.int64), count)
    order: NDArray[np.int64] = words[0, 0].argsort(stable=True).numpy()
    return order


def divided(
    name: str,
    image: Tensor,
    label: NDArray[np.generic],
    *,
    names: tuple[str, ...],
    sizes: tuple[int, int],
) -> Target:
    """Return a target whose rows are divided at random.

    Args:
        name: Name of the target.
        image: Images, shape (N, 1, H, W).
        label: Labels of the rows.
        names: Names of the classes or of the values.
        sizes: Numbers of rows of the pool and of the validation part; all others are the test.
    """
    order = permutation(len(image), name=name)
    pool, val, test = np.split(order, np.cumsum(sizes))
    return Target(name, image, label, names, pool, val, test)


MakeTarget = Callable[[], Target]
