"""One-cycle schedule of the learning rate, for runs limited by steps, epochs, time or nothing."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, final

import lightning
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler, Timer
from torch.optim.lr_scheduler import LRScheduler
from typing_extensions import override

WARM_UP = 0.1  # fraction of the run
FIRST = 1 / 25  # rate at the first step, relative to the largest
LAST = FIRST / 1e4  # rate at the last step, relative to the largest
ENDLESS_WARM_UP = 1000  # steps of warm-up of a run without a limit


class Progress(NamedTuple):
    """Position of a run, in steps or seconds.

    Attributes:
        position: Current position.
        warm: End of the warm-up.
        end: End of the run.
    """

    position: float
    warm: float
    end: float

    @property
    def share(self) -> float:
        """Completed fraction of the run."""
        return self.position / self.end if self.end > 0 else 1.0

    @property
    def factor(self) -> float:
        """Learning rate relative to the largest: half a cosine up, half a cosine down."""
        if self.position < self.warm:
            return _cosine(FIRST, 1.0, share=self.position / self.warm)
        length = self.end - self.warm
        done = (self.position - self.warm) / length if length > 0 else 0.0
        return _cosine(1.0, LAST, share=min(done, 1.0))


@final
class OneCycle(LRScheduler):
    """One cycle: up to the largest rate over a tenth of the run, then down to almost 0.

    The rates are those of `torch.optim.lr_scheduler.OneCycleLR(pct_start=0.1)` for ten steps or
    more. Its state is only the step, so a resumed run follows the cycle of its own length.

    Args:
        optimizer: Optimizer whose rates are set; each group's own rate is its largest. Groups
            that are added later keep their rates.
        factor: Function of the step that returns the relative rate.
        step: First step of the run.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        factor: Callable[[int], float],
        step: int = 0,
    ) -> None:
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        self.factor = factor
        super().__init__(optimizer)
        if step:
            self.load_state_dict({"last_epoch": step})

    @override
    def get_lr(self) -> list[float | torch.Tensor]:
        """Return the rate of each group of parameters."""
        factor = self.factor(self.last_epoch)
        later = self.optimizer.param_groups[len(self.peaks) :]
        return [peak * factor for peak in self.peaks] + [group["lr"] for group in later]

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the step."""
        return {"last_epoch": self.last_epoch}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the step, and the rates that belong to it."""
        self.last_epoch = int(state_dict["last_epoch"])
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


def cycle_factor(trainer: lightning.Trainer) -> Callable[[int], float]:
    """Return the relative rate as a function of the step for a trainer's run.

    If the trainer limits both steps (or epochs) and time, the nearer limit is used. Without a
    limit, the rate stays at its largest after a warm-up of 1,000 steps.
    """
    total, timer = total_steps(trainer), _timer(trainer)

    def factor(step: int) -> float:
        ends = [] if total is None else [_by_steps(step, total)]
        if timer is not None:
            ends.append(_by_time(timer))
        if not ends:
            return Progress(step, ENDLESS_WARM_UP, math.inf).factor
        return max(ends, key=lambda end: end.share).factor

    return factor


def total_steps(trainer: lightning.Trainer) -> int | None:
    """Return the number of optimiser steps of a run; None without a limit."""
    total = trainer.estimated_stepping_batches  # loads the training loader
    changing = _accumulation(trainer)
    batches = trainer.num_training_batches
    epochs = trainer.max_epochs
    if changing is not None and epochs is not None and epochs > 0 and math.isfinite(batches):
        factors = (changing.get_accumulate_grad_batches(epoch) for epoch in range(epochs))
        total = sum(math.ceil(batches / factor) for factor in factors)
        total = total if trainer.max_steps < 0 else min(total, trainer.max_steps)
    return int(total) if math.isfinite(total) and total > 0 else None


def _by_steps(step: int, total: int) -> Progress:
    return Progress(step, max(0.0, WARM_UP * total - 1), total - 1)


def _by_time(timer: Timer) -> Progress:
    elapsed = timer.time_elapsed()
    duration = elapsed + max(0.0, timer.time_remaining() or 0.0)
    return Progress(elapsed, WARM_UP * duration, duration)


def _timer(trainer: lightning.Trainer) -> Timer | None:
    timers = (each for each in _callbacks(trainer) if isinstance(each, Timer))
    return next((timer for timer in timers if timer.time_remaining() is not None), None)


def _accumulation(trainer: lightning.Trainer) -> GradientAccumulationScheduler | None:
    found = (
        each for each in _callbacks(trainer) if isinstance(each, GradientAccumulationScheduler)
    )
    return next(found, None)


def _callbacks(trainer: lightning.Trainer) -> list[Any]:
    return list(trainer.callbacks)  # type: ignore[attr-defined]


def _cosine(start: float, end: float, *, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
