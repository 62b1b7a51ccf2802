"""Wrong labels of some training rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from deepbench_torch.numerics import rng

STREAM = "wrong label"


@dataclass(frozen=True)
class WrongLabels:
    """Function of the targets `label` and `index` that gives some rows a wrong class.

    Whether a row's label is wrong, and which of the other classes it states, depends on the seed
    and the row number alone, as everything in a row does.

    Attributes:
        share: Probability of a wrong label, from 0 to 1.
        classes: Number of classes, 2 or more.
        seed: Seed of the rows.

    Example:
        >>> wrong = WrongLabels(share=1.0, classes=2, seed=0)
        >>> wrong({"label": 0, "index": 7})
        1
    """

    share: float
    classes: int
    seed: int

    def __call__(self, target: Mapping[str, int]) -> int:
        """Return the stated label of one row."""
        label, index = (torch.tensor([int(target[k])], device="cpu", dtype=torch.int64)
                        for k in ("label", "index"))  # fmt: skip
        return int(self.of(label, index))

    def of(self, label: Tensor, index: Tensor) -> Tensor:
        """Return the stated labels of some rows.

        Args:
            label: True labels, int64, shape (B,).
            index: Row numbers, int64, shape (B,).
        """
        draw, other = rng.uniform(self.seed, (STREAM,), index, 2)[:, 0].unbind(1)
        steps = 1 + (other * (self.classes - 1)).long()
        return torch.where(draw < self.share, (label + steps) % self.classes, label)
