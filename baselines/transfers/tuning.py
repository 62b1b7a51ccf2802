"""Training of a network on labelled subsets: from its weights, or from random ones."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.transfers.probes import score
from baselines.transfers.sources import Source
from baselines.transfers.target import Target, permutation
from deepbench_torch.training.layers import with_outputs

EPOCHS, STEPS, BATCH = 60, 300, 32  # at most so many epochs, and so many steps
RATES = (0.001, 0.005)  # learning rates of Adam, of which the validation labels choose one
CLOSE = 0.95  # fraction of the final score


class Tuned(NamedTuple):
    """Result of a training.

    Attributes:
        score: Score of the test rows.
        epochs: Epochs until the validation score was 95 % of its final value.
    """

    score: float
    epochs: int


def tune(source: Source, target: Target, *, count: int, number: int) -> Tuned:
    """Train all weights of a network on one labelled subset, and test it.

    Args:
        source: Source of the first weights.
        target: Target with its labels.
        count: Labels of each class, or values in all; 0 for the complete pool.
        number: Number of the subset, and seed of the new head and of the order.
    """
    run = _Run(source, target, rows=target.subset(count, number), seed=number)
    results = [run.train(rate) for rate in RATES]
    _, best = max(results, key=lambda result: result[0])
    return best


def epochs_to(curve: list[float]) -> int:
    """Return the first epoch, from 1, from which on a curve is near its final value or above."""
    limit = CLOSE * curve[-1]
    below = [epoch for epoch, value in enumerate(curve, start=1) if value < limit]
    return max(below, default=0) + 1


class _Run:
    """Images, labels and rows of one training."""

    def __init__(
        self, source: Source, target: Target, *, rows: NDArray[np.int64], seed: int
    ) -> None:
        self.source, self.target, self.rows, self.seed = source, target, rows, seed
        self.image = source.transforms(target.image)
        self.center: Any = 0.0
        self.spread: Any = 1.0
        self.label = torch.as_tensor(target.label)
        if target.kind == "values":
            own: Any = target.label[rows]
            self.center, self.spread = own.mean(0), own.std(0) + 1e-12
            every: Any = target.label
            self.label = torch.as_tensor((every - self.center) / self.spread).float()

    def train(self, rate: float) -> tuple[float, Tuned]:
        """Return the final validation score at a learning rate, and the result."""
        network = self._network()
        optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
        batches = max(1, len(self.rows) // BATCH)
        epochs = max(1, min(EPOCHS, STEPS // batches))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, total_steps=epochs * batches, pct_start=0.1, cycle_momentum=False
        )
        curve = []
        for epoch in range(epochs):
            self._epoch(network, optimizer, schedule, batches=batches, epoch=epoch)
            curve.append(self._score(network, self.target.val))
        return curve[-1], Tuned(self._score(network, self.target.test), epochs_to(curve))

    def _network(self) -> nn.Module:
        assert self.source.build is not None, self.source.name  # noqa: S101 - not the pixels
        outputs = len(self.target.names)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return with_outputs(self.source.build(), outputs)

    def _epoch(
        self, network: nn.Module, optimizer: Any, schedule: Any, *, batches: int, epoch: int
    ) -> None:
        network.train()
        name = f"{self.target.name}.epoch{epoch}"
        order = self.rows[permutation(len(self.rows), name=name, seed=self.seed)]
        for part in np.array_split(order, batches):
            loss = self._loss(network(self.image[part]), self.label[part])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()

    def _loss(self, outputs: Tensor, label: Tensor) -> Tensor:
        values = self.target.kind == "values"
        loss = nn.functional.mse_loss if values else nn.functional.cross_entropy
        return loss(outputs, label)

    def _score(self, network: nn.Module, rows: NDArray[np.int64]) -> float:
        network.eval()
        with torch.inference_mode():
            parts = [
                network(self.image[part]) for part in np.array_split(rows, len(rows) // 256 + 1)
            ]
        outputs = torch.cat(parts).numpy()
        if self.target.kind == "class":
            return score(self.target, outputs.argmax(1), rows)
        return score(self.target, outputs * self.spread + self.center, rows)
