"""One-cycle schedule of the learning rate, for every limit of a run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback, GradientAccumulationScheduler, Timer

import deepbench_torch as db
from deepbench_torch.training.schedule import OneCycle, Progress, cycle_factor
from tests.training.fitting import TRAINING_MARKS, classifier, module, trainer

pytestmark = TRAINING_MARKS


class Rates(Callback):
    """Callback that records the rate of each optimiser step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


def torch_cycle(total: int, lr: float = 0.01) -> list[float]:
    """Return the rates of `OneCycleLR` of torch, the oracle."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=total, pct_start=0.1, cycle_momentum=False
    )
    rates = []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        if step < total - 1:
            optimizer.step()
            schedule.step()
    return rates


def rates_of(total: int, lr: float = 0.01) -> list[float]:
    return [
        lr * Progress(step, max(0.0, 0.1 * total - 1), total - 1).factor for step in range(total)
    ]


@pytest.mark.parametrize("total", [11, 15, 100, 5640])
def test_rates_are_those_of_torch(total: int) -> None:
    assert rates_of(total) == pytest.approx(torch_cycle(total), rel=1e-12)


@pytest.mark.parametrize("total", range(1, 11))
def test_short_runs_begin_at_the_largest_rate_and_fall(total: int) -> None:
    rates = rates_of(total, lr=1.0)
    assert rates[0] == 1.0
    assert rates == sorted(rates, reverse=True)


def fitted(folder: Path, *, model: Any = None, data: Any = None, **options: Any) -> list[float]:
    """Return the rates of a run."""
    checkpoint = options.pop("ckpt_path", None)
    recorder = Rates()
    callbacks = [*options.pop("callbacks", []), recorder]
    run = trainer(folder, callbacks=callbacks, limit_val_batches=0, **options)
    run.fit(model or classifier(), datamodule=data or module(), ckpt_path=checkpoint)
    run.save_checkpoint(folder / "last.ckpt")
    return recorder.rates


# Three batches of eight rows an epoch
RUNS: list[tuple[str, dict[str, Any], int]] = [
    ("epochs", {"max_epochs": 4}, 12),
    ("steps", {"max_steps": 5, "max_epochs": -1}, 5),
    ("steps before epochs", {"max_steps": 5, "max_epochs": 9}, 5),
    ("epochs before steps", {"max_steps": 50, "max_epochs": 4}, 12),
    ("accumulation", {"max_epochs": 6, "accumulate_grad_batches": 2}, 12),
    (
        "changing accumulation",
        {"max_epochs": 6, "callbacks": [GradientAccumulationScheduler({0: 1, 2: 3})]},
        10,
    ),
    ("limit", {"max_epochs": 6, "limit_train_batches": 2}, 12),
    ("part", {"max_epochs": 12, "limit_train_batches": 0.4}, 12),
    ("overfit", {"max_epochs": 6, "overfit_batches": 2}, 12),
    ("reload", {"max_epochs": 4, "reload_dataloaders_every_n_epochs": 1}, 12),
    ("quick", {"fast_dev_run": 2}, 2),
]


@pytest.mark.filterwarnings("ignore:You requested to overfit")
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(("options", "total"), [r[1:] for r in RUNS], ids=[r[0] for r in RUNS])
def test_the_cycle_is_as_long_as_the_run(
    options: dict[str, Any], total: int, fresh: bool, tmp_path: Path
) -> None:
    found = fitted(tmp_path, data=module(fresh=fresh), **options)
    assert found == pytest.approx(rates_of(total), rel=1e-12)


def test_an_infinite_stream_follows_the_steps(tmp_path: Path) -> None:
    stream = db.StreamLoader(db.CatalogueStream("astro", batch_size=4))
    recorder = Rates()
    trainer(tmp_path, max_steps=6, callbacks=[recorder]).fit(classifier(), stream)
    assert recorder.rates == pytest.approx(rates_of(6), rel=1e-12)


@pytest.mark.parametrize("limits", [{}, {"max_epochs": 1000}])
def test_a_run_limited_by_time_follows_the_clock(limits: dict[str, int], tmp_path: Path) -> None:
    """Replace the clock, so that the rates do not depend on the speed of the machine."""

    class Clock(Timer):
        """Timer of one minute that advances by five seconds a step."""

        def __init__(self) -> None:
            super().__init__(duration={"seconds": 60})
            self.now = 0.0

        def time_elapsed(self, stage: Any = "train") -> float:
            return self.now

        def on_train_batch_end(self, trainer: Any, *args: Any, **kwargs: Any) -> None:
            self.now += 5.0
            super().on_train_batch_end(trainer, *args, **kwargs)

    options = {"max_epochs": -1} | limits
    rates = fitted(tmp_path, callbacks=[Clock()], **options)
    # a rate is set before the clock advances; step 2 of 3,000 is nearer its end than time 0
    times = [0, *range(0, 60, 5)][:12]
    assert rates == pytest.approx([0.01 * Progress(time, 6, 60).factor for time in times], rel=1e-3)


def test_max_time_limits_the_cycle(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_epochs=-1, max_time="00:01:00:00")
    run.fit_loop.max_epochs = -1
    factor = cycle_factor(run)
    assert factor(0) == pytest.approx(1 / 25)
    assert factor(10**6) == factor(0)  # no second has passed


def test_a_run_without_a_limit_stays_at_the_largest_rate(tmp_path: Path) -> None:
    factor = cycle_factor(trainer(tmp_path, max_epochs=-1))
    rates = [factor(step) for step in (0, 500, 1000, 10**9)]
    assert rates == [pytest.approx(1 / 25), pytest.approx(0.52), 1.0, 1.0]


def test_a_resumed_run_follows_the_cycle_of_its_own_length(tmp_path: Path) -> None:
    fitted(tmp_path, max_epochs=2)
    model = classifier(lr=0.02, weight_decay=0.5)
    later = fitted(tmp_path, model=model, max_epochs=5, ckpt_path=tmp_path / "last.ckpt")
    assert later == pytest.approx(rates_of(15, lr=0.02)[6:], rel=1e-12)
    groups = model.trainer.optimizers[0].param_groups
    assert {group["weight_decay"] for group in groups} == {0.5}


def test_a_resumed_run_has_the_rates_of_an_uninterrupted_run(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == 5:
                trainer.save_checkpoint(tmp_path / "five.ckpt")

    complete = fitted(tmp_path, max_epochs=4, callbacks=[Stop()], data=module(fresh=True))
    later = fitted(
        tmp_path, max_epochs=4, data=module(fresh=True), ckpt_path=tmp_path / "five.ckpt"
    )
    assert later == complete[5:]


def test_a_second_fit_of_a_trainer_continues_the_cycle(tmp_path: Path) -> None:
    recorder, model, data = Rates(), classifier(), module()
    run = trainer(tmp_path, max_epochs=2, callbacks=[recorder], limit_val_batches=0)
    run.fit(model, datamodule=data)
    run.fit_loop.max_epochs = 4
    run.fit(model, datamodule=data)
    assert recorder.rates == pytest.approx(rates_of(6) + rates_of(12)[6:], rel=1e-12)


def test_each_new_trainer_starts_a_cycle(tmp_path: Path) -> None:
    model, data = classifier(), module()
    for _ in range(2):
        found = fitted(tmp_path, model=model, data=data, max_epochs=2)
        assert found == pytest.approx(rates_of(6), rel=1e-12)


def test_the_state_is_only_the_step() -> None:
    """Resume a state of `OneCycleLR` of torch as well, which has more keys."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = OneCycle(optimizer, factor=lambda step: 1 / (1 + step))
    assert schedule.state_dict() == {"last_epoch": 0}
    schedule.load_state_dict({"last_epoch": 4, "total_steps": 6, "_step_count": 5})
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert schedule.get_last_lr() == [0.1]
