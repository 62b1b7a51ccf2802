"""Lightning on one process and on two that talk by gloo: rows, validation, files and resuming."""

import json
import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torchmetrics import MeanMetric, SumMetric

import deepbench_torch as db
from deepbench_torch.storage.work import chunks
from deepbench_torch.training.samplers import EachOnce, EpochShuffle

pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated"),
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*number of training batches"),
    # it says that a length could be wrong; the stream's is right for every rank
    pytest.mark.filterwarnings("ignore:Your .IterableDataset. has .__len__. defined"),
]


class Recorder(lightning.LightningModule):
    """Notes the rows of each step and the learning rate; its BatchNorm makes ranks wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.net = nn.Sequential(nn.Flatten(), nn.LazyBatchNorm1d(affine=False), nn.LazyLinear(1))
        self.net(torch.zeros(2, 1, 6, 6))
        self.mean, self.count = MeanMetric(), SumMetric()
        self.steps: list[dict[str, Any]] = []
        self.validated: list[int] = []
        self.synced: list[float] = []

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        images, target = batch
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        note = {"step": self.global_step, "epoch": self.current_epoch, "rate": rate}
        self.steps.append(note | {"rows": target["index"].tolist()})
        loss: Tensor = self.net(images).square().mean()
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        images, target = batch
        self.net(images)
        self.validated += target["index"].tolist()
        self.mean.update(target["index"].float())
        self.count.update(torch.ones(len(images)))

    def on_validation_epoch_end(self) -> None:
        self.synced += [float(self.mean.compute()), float(self.count.compute())]
        self.mean.reset()
        self.count.reset()

    def on_fit_end(self) -> None:
        counts = {"steps": self.steps, "validated": self.validated, "synced": self.synced}
        (self.folder / f"rank{self.global_rank}.json").write_text(json.dumps(counts))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.01)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
        return {
            "optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }  # fmt: skip


def fit(folder: Path, data: db.CatalogueDataModule, ranks: int, **options: Any) -> list[Any]:
    """Train and return what each rank noted."""
    folder.mkdir(exist_ok=True)
    checkpoint = options.pop("ckpt_path", None)
    trainer = lightning.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        devices=ranks,
        strategy="ddp_fork" if ranks > 1 else "auto",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        **options,
    )
    trainer.fit(Recorder(folder), data, ckpt_path=checkpoint, weights_only=False)
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(ranks)]


def module(**options: Any) -> db.CatalogueDataModule:
    plain: dict[str, Any] = {"size": 105, "image_size": 6, "batch_size": 5, "seed": 4}
    return db.CatalogueDataModule("star", target=["label", "index"], **plain | options)


@pytest.mark.parametrize("fresh", [False, True])
def test_two_ranks(fresh: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, original = tmp_path / "made", chunks.make_chunk

    def noted(recipe: Any, seed: int, rows: range) -> chunks.Chunk:
        with made.open("a") as file:
            file.write(f"{rows}\n")
        return original(recipe, seed, rows)

    monkeypatch.setattr(chunks, "make_chunk", noted)
    data = module(root=tmp_path / "data", fresh=fresh, num_workers=1)
    ranks = fit(tmp_path / "run", data, 2, max_epochs=2)
    assert made.read_text() == "range(0, 105)\n"  # the file, once
    assert [path.name for path in (tmp_path / "data").iterdir()] == [data.path and data.path.name]
    for epoch in range(2):
        seen = [[n["rows"] for n in rank["steps"] if n["epoch"] == epoch] for rank in ranks]
        assert [len(steps) for steps in seen] == [6, 6]
        rows = [row for steps in seen for step in steps for row in step]
        assert len(set(rows)) == 60
        first = (1 << 62) + 63 * epoch  # beyond every catalogue
        assert set(rows) <= (set(range(first, first + 63)) if fresh else set(range(63)))
    validated = [rank["validated"] for rank in ranks]
    assert sorted(validated[0] + validated[1]) == sorted([*range(63, 84)] * 2)
    for rank in ranks:  # over both ranks each row once, in either epoch
        assert rank["synced"] == [pytest.approx(73), 21] * 2


class Stop(Callback):
    """Saves after a step within an epoch, and ends the training."""

    def __init__(self, step: int, path: Path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


@pytest.mark.parametrize(("ranks", "workers"), [(1, 0), (1, 2), (2, 1)])
def test_a_run_resumes_within_an_epoch(ranks: int, workers: int, tmp_path: Path) -> None:
    """Oracle: the rows and the learning rates of a run that was never stopped."""
    whole = fit(tmp_path / "whole", module(fresh=True, batch_size=6), 1, max_epochs=3)[0]["steps"]
    assert [len(note["rows"]) for note in whole] == [6] * 30
    checkpoint = tmp_path / "stopped.ckpt"
    stopped = fit(
        tmp_path / "parts", module(fresh=True, batch_size=6), 1, max_epochs=3,
        callbacks=[Stop(14, checkpoint)],
    )[0]["steps"]  # fmt: skip
    later = fit(
        tmp_path / "later",
        module(fresh=True, batch_size=6 // ranks, num_workers=workers),
        ranks,
        max_epochs=3,
        ckpt_path=checkpoint,
    )
    rest = []
    for notes in zip(*(rank["steps"] for rank in later), strict=True):
        rest.append(notes[0] | {"rows": [row for note in notes for row in note["rows"]]})
    assert [note["rows"] for note in stopped[:14] + rest] == [note["rows"] for note in whole]
    assert [note["rate"] for note in stopped[:14] + rest] == [note["rate"] for note in whole]


@pytest.fixture
def at_rank(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    def move(rank: int, world: int) -> None:
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(world))

    return move


def test_training_orders_of_ranks(at_rank: Callable[[int, int], None]) -> None:
    dataset = db.Catalogue("star", size=50)
    at_rank(0, 1)
    alone = list(EpochShuffle(dataset, seed=3))
    for world in (2, 3, 7):
        orders = []
        for rank in range(world):
            at_rank(rank, world)
            order = EpochShuffle(dataset, seed=3)
            orders.append(list(order))
            assert len(order) == len(orders[-1]) == 50 // world
        assert [row for turn in zip(*orders, strict=True) for row in turn] == alone[
            : 50 - 50 % world
        ]


def test_evaluation_has_each_row_once_in_equally_many_batches(
    at_rank: Callable[[int, int], None],
) -> None:
    for size, most in product(range(3, 130), (1, 2, 5)):
        dataset = db.Catalogue("star", size=size)
        for world in (1, 2, 3):
            rows, batches = [], set()
            for rank in range(world):
                at_rank(rank, world)
                order = EachOnce(dataset)
                rows += list(order)
                batches.add(math.ceil(len(order) / order.batch_size(most)))
            assert rows == list(range(size))
            assert len(batches) == 1
    at_rank(0, 4)
    with pytest.raises(ValueError, match="expected 4 rows or more for 4 ranks, got 3; use a"):
        EachOnce(db.Catalogue("star", size=3))
