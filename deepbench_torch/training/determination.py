"""Coefficient of determination of columns with missing values."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Determination(Metric):
    """Coefficient of determination, averaged over columns; NaN targets do not count.

    Args:
        columns: Number of columns.

    Example:
        >>> import torch
        >>> metric = Determination(1)
        >>> metric.update(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]]))
        >>> metric.compute().item()
        0.5
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self, columns: int) -> None:
        super().__init__()
        for name in ("number", "total", "squares", "residual"):
            zeros = torch.zeros(columns, dtype=torch.float64)
            self.add_state(name, zeros, dist_reduce_fx="sum")
        self.number: Tensor
        self.total: Tensor
        self.squares: Tensor
        self.residual: Tensor

    def update(self, found: Tensor, target: Tensor) -> None:
        """Add rows.

        Args:
            found: Values found, shape (B, columns).
            target: True values, shape (B, columns).
        """
        known = torch.isfinite(target)
        true = torch.where(known, target, 0.0).to(self.total.dtype)
        error = torch.where(known, found - target, 0.0).to(self.total.dtype)
        self.number += known.sum(0)
        self.total += true.sum(0)
        self.squares += true.square().sum(0)
        self.residual += error.square().sum(0)

    def compute(self) -> Tensor:
        """Return the average over columns whose true values differ; NaN without one."""
        spread = self.squares - self.total.square() / self.number.clamp_min(1)
        varies = spread > 1e-12 * self.squares
        if not bool(varies.any()):
            return torch.full((), torch.nan)
        return (1 - self.residual[varies] / spread[varies]).mean().float()
