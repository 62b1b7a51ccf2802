"""Data module in every use by Lightning, and from every source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import deepbench_torch as db
from tests.training.fitting import TRAINING_MARKS, classifier, module, trainer

pytestmark = TRAINING_MARKS
FIRST_FRESH = 1 << 62  # first row outside every catalogue


class Recorder(lightning.LightningModule):
    """Module that records the rows of training, by epoch, and of evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)
        self.trained: dict[int, list[int]] = {}
        self.evaluated: list[int] = []

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.trained.setdefault(self.current_epoch, []).extend(batch[1].tolist())
        loss: Tensor = self.net(batch[0].flatten(1).mean(1, keepdim=True)).mean()
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.evaluated += batch[1].tolist()

    test_step = validation_step

    def predict_step(self, batch: Any, batch_idx: int) -> list[int]:
        rows: list[int] = batch[1].tolist()
        return rows

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def rows_module(**options: Any) -> db.CatalogueDataModule:
    """Return a data module with training rows 0 to 23, then 24 to 31 and 32 to 39."""
    defaults: dict[str, Any] = {"target": "index", "image_size": 8}
    return module("star", **defaults | options)


def trained_rows(folder: Path, data: Any = None, **options: Any) -> dict[int, list[int]]:
    model = Recorder()
    defaults: dict[str, Any] = {"limit_val_batches": 0, "max_epochs": 3}
    trainer(folder, **defaults | options).fit(model, datamodule=data or rows_module(fresh=True))
    return model.trained


def fresh(epoch: int, count: int = 24) -> list[int]:
    return list(range(FIRST_FRESH + 24 * epoch, FIRST_FRESH + 24 * epoch + count))


RUNS: list[tuple[str, dict[str, Any], int]] = [
    ("plain", {}, 24),
    ("reload", {"reload_dataloaders_every_n_epochs": 1}, 24),
    ("reload every second", {"reload_dataloaders_every_n_epochs": 2}, 24),
    ("limit", {"limit_train_batches": 2}, 16),
    ("limit and reload", {"limit_train_batches": 2, "reload_dataloaders_every_n_epochs": 1}, 16),
    ("part", {"limit_train_batches": 0.34}, 8),
    ("accumulation", {"accumulate_grad_batches": 2}, 24),
    ("validation within", {"val_check_interval": 2, "limit_val_batches": 1}, 24),
    ("sanity", {"num_sanity_val_steps": 2, "limit_val_batches": 1}, 24),
]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("options", "count"), [r[1:] for r in RUNS], ids=[r[0] for r in RUNS])
def test_each_epoch_has_rows_of_its_own(
    options: dict[str, Any], count: int, workers: int, tmp_path: Path
) -> None:
    data = rows_module(fresh=True, num_workers=workers)
    assert trained_rows(tmp_path, data, **options) == {
        epoch: fresh(epoch, count) for epoch in range(3)
    }


@pytest.mark.parametrize(("options", "count"), [r[1:] for r in RUNS], ids=[r[0] for r in RUNS])
def test_each_epoch_has_the_training_split_in_another_order(
    options: dict[str, Any], count: int, tmp_path: Path
) -> None:
    found = trained_rows(tmp_path, rows_module(), **options)
    complete = trained_rows(tmp_path, rows_module())
    assert found == {epoch: rows[:count] for epoch, rows in complete.items()}
    assert [sorted(rows) for rows in complete.values()] == [list(range(24))] * 3
    assert len({tuple(rows) for rows in complete.values()}) == 3


@pytest.mark.parametrize("fresh_rows", [False, True])
def test_overfitting_uses_the_same_rows_in_each_epoch(fresh_rows: bool, tmp_path: Path) -> None:
    model, data = Recorder(), rows_module(fresh=fresh_rows)
    trainer(tmp_path, max_epochs=2, overfit_batches=1).fit(model, datamodule=data)
    assert model.trained == {epoch: list(range(8)) for epoch in range(2)}
    assert model.evaluated == list(range(24, 32)) * 2


def test_a_new_trainer_starts_again_and_the_same_one_continues(tmp_path: Path) -> None:
    data = rows_module(fresh=True)
    for _ in range(2):
        assert trained_rows(tmp_path, data, max_epochs=2) == {0: fresh(0), 1: fresh(1)}
    model, run = Recorder(), trainer(tmp_path, max_epochs=2, limit_val_batches=0)
    run.fit(model, datamodule=data)
    run.fit_loop.max_epochs = 4
    run.fit(model, datamodule=data)
    assert model.trained == {epoch: fresh(epoch) for epoch in range(4)}


@pytest.mark.parametrize("reload", [0, 1])
def test_a_run_resumed_with_more_epochs_continues_with_the_next_rows(
    reload: int, tmp_path: Path
) -> None:
    run = trainer(tmp_path, max_epochs=2, limit_val_batches=0)
    run.fit(Recorder(), datamodule=rows_module(fresh=True))
    run.save_checkpoint(tmp_path / "two.ckpt")
    model, data = Recorder(), rows_module(fresh=True)
    later = trainer(
        tmp_path, max_epochs=4, limit_val_batches=0, reload_dataloaders_every_n_epochs=reload
    )
    later.fit(model, datamodule=data, ckpt_path=tmp_path / "two.ckpt", weights_only=False)
    assert model.trained == {2: fresh(2), 3: fresh(3)}
    assert trained_rows(tmp_path, data, max_epochs=1) == {0: fresh(0)}  # a new run starts again


def test_loaders_without_a_trainer_continue() -> None:
    data = rows_module(fresh=True)
    epochs = [[row for _, rows in data.train_dataloader() for row in rows.tolist()] for _ in "ab"]
    assert epochs == [fresh(0), fresh(1)]


@pytest.mark.parametrize("persistent", [False, True])
def test_an_abandoned_iteration_advances_no_worker(persistent: bool) -> None:
    """Check that a worker that starts late follows the newer iteration."""
    stream = db.CatalogueStream("star", batch_size=4, size=24, target="index", image_size=8)
    loader = db.StreamLoader(stream, num_workers=2, persistent_workers=persistent)
    loader.load_state_dict(stream.state_at(24))
    unused = iter(loader)
    assert [row for _, rows in loader for row in rows.tolist()] == fresh(1)
    for epoch in (2, 4):
        abandoned = iter(loader)
        next(abandoned)
        assert [row for _, rows in loader for row in rows.tolist()] == fresh(epoch + 1)
    del unused


def test_a_stream_loader_survives_reloading(tmp_path: Path) -> None:
    """Test a module that creates a new loader of its stream in each epoch."""

    class Own(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.stream = db.CatalogueStream(
                "star", batch_size=8, size=24, target="index", image_size=8
            )

        def train_dataloader(self) -> db.StreamLoader:
            return db.StreamLoader(self.stream)

    model = Own()
    trainer(tmp_path, max_epochs=3, reload_dataloaders_every_n_epochs=1).fit(model)
    assert model.trained == {epoch: fresh(epoch) for epoch in range(3)}


def test_a_stream_loader_survives_prediction_and_evaluation(tmp_path: Path) -> None:
    def loader() -> db.StreamLoader:
        return db.StreamLoader(
            db.CatalogueStream("star", batch_size=8, size=24, target="index", image_size=8)
        )

    found: Any = trainer(tmp_path).predict(Recorder(), loader())
    assert [row for rows in found for row in rows] == fresh(0)
    model = Recorder()
    trainer(tmp_path).test(model, loader(), verbose=False)
    assert model.evaluated == fresh(0)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(
    ("entrance", "rows"), [("validate", range(24, 32)), ("test", range(32, 40))]
)
def test_evaluation_alone(entrance: str, rows: range, stored: bool, tmp_path: Path) -> None:
    model, data = Recorder(), rows_module(root=tmp_path / "data" if stored else None)
    getattr(trainer(tmp_path), entrance)(model, datamodule=data, verbose=False)
    assert model.evaluated == list(rows)


def test_prediction_uses_the_test_rows(tmp_path: Path) -> None:
    found: Any = trainer(tmp_path).predict(Recorder(), datamodule=rows_module(batch_size=3))
    assert [len(rows) for rows in found] == [3, 3, 2]
    assert [row for rows in found for row in rows] == list(range(32, 40))
    probability: Any = trainer(tmp_path).predict(classifier(), datamodule=module())
    assert torch.cat(probability).sum(1).tolist() == pytest.approx([1.0] * 8)


def test_loaders_without_prepare_store_the_file_first(tmp_path: Path) -> None:
    data = rows_module(root=tmp_path)
    assert [row for _, rows in data.test_dataloader() for row in rows.tolist()] == [*range(32, 40)]
    assert data.path is not None
    assert data.path.is_file()


@pytest.mark.parametrize("target", ["boxes", "masks", ["boxes", "labels"], ["clean", "components"]])
@pytest.mark.parametrize("fresh_rows", [False, True])
def test_detection_targets_are_collated_as_lists(target: Any, fresh_rows: bool) -> None:
    """Oracle: the rows one by one."""
    data = module("sky", target=target, fresh=fresh_rows)
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        images, targets = next(iter(loader))
        assert len(images) == len(targets) == 8
        assert all(image.shape == (1, 64, 64) for image in images)
    row = db.Catalogue("sky", size=40, split="test", target=target)[0][1]
    torch.testing.assert_close(targets[0], row)


def add(value: float) -> Callable[[Tensor], Tensor]:
    return lambda image: image * 0 + value


def first_pixels(data: db.CatalogueDataModule) -> list[float]:
    loaders = (
        data.train_dataloader(), data.val_dataloader(), data.test_dataloader(),
        data.predict_dataloader(),
    )  # fmt: skip
    return [float(next(iter(loader))[0].max()) for loader in loaders]


@pytest.mark.parametrize("fresh_rows", [False, True])
def test_each_split_has_its_transform(fresh_rows: bool) -> None:
    options = {"train_transform": add(1), "val_transform": add(2), "test_transform": add(3)}
    assert first_pixels(module(fresh=fresh_rows, **options)) == [1, 2, 3, 3]
    assert first_pixels(module(fresh=fresh_rows, transform=add(4))) == [4, 4, 4, 4]
    mixed = module(fresh=fresh_rows, transform=add(4), train_transform=add(1))
    assert first_pixels(mixed) == [1, 4, 4, 4]
    own = db.Catalogue("astro", size=40, transform=add(5))
    assert first_pixels(db.CatalogueDataModule(own, batch_size=8, fresh=fresh_rows)) == [5] * 4


SIZES = {"recipe": (None, None, 2000, 7), "requested": (50, 3, 50, 3)}


@pytest.mark.parametrize(("size", "seed", "rows", "found"), SIZES.values(), ids=SIZES)
def test_size_and_seed_default_to_those_of_the_recipe(
    size: int | None, seed: int | None, rows: int, found: int
) -> None:
    recipe = db.load_recipe("astro").replace(size=2000, seed=7)
    data = db.CatalogueDataModule(recipe, size=size, seed=seed)
    assert (len(data.catalogue), data.seed) == (rows, found)
    default = db.CatalogueDataModule("astro")
    assert (len(default.catalogue), default.seed) == (10_000, 0)


def sources(folder: Path) -> dict[str, Any]:
    catalogue = db.Catalogue("astro", size=40, seed=5)
    collection = db.Collection([catalogue, db.Catalogue("star", size=20, image_size=28)])
    file = db.materialize(catalogue, folder / "own.h5", progress=False)
    several = db.materialize(collection, folder / "both", progress=False)
    (folder / "own.yaml").write_text("extends: astro\nsize: 40\nseed: 5\n")
    return {
        "catalogue": catalogue,
        "stored": db.StoredCatalogue(file),
        "file": file,
        "text": str(file),
        "collection": collection,
        "folder": several,
        "yaml": folder / "own.yaml",
    }


@pytest.mark.parametrize("kind", [
    "catalogue", "stored", "file", "text", "collection", "folder", "yaml",
])  # fmt: skip
def test_every_source_is_split(kind: str, tmp_path: Path) -> None:
    """Oracle: the splits of the datasets themselves."""
    source = sources(tmp_path)[kind]
    data = db.CatalogueDataModule(source, batch_size=4)
    parts: dict[str, Any] = {"catalogue": db.Catalogue("astro", size=40, seed=5)}
    if kind in ("collection", "folder"):
        parts["star"] = db.Catalogue("star", size=20, image_size=28)
    for split in ("val", "test"):
        loader: DataLoader[Any] = getattr(data, f"{split}_dataloader")()
        images = torch.cat([batch[0] for batch in loader])
        own = [
            db.Catalogue(part.recipe, size=part.size, seed=part.seed, split=split)
            for part in db.Collection(list(parts.values())).members
        ]
        expected = torch.stack([image for part in own for image, _ in part])
        assert torch.equal(images, expected)
    assert sum(len(batch[0]) for batch in data.train_dataloader()) == (36 if len(parts) > 1 else 24)


REFUSED: list[tuple[str, Callable[[Path], Any], dict[str, Any], str]] = [
    ("split", lambda _: db.Catalogue("astro", split="train"), {}, "expected all splits, got"),
    ("limit", lambda _: db.Catalogue("astro", limit=9), {}, "expected all rows, got"),
    ("stored size", lambda p: sources(p)["file"], {"size": 99}, "expected size=None or that of"),
    ("stored seed", lambda p: sources(p)["stored"], {"seed": 9}, "expected seed=None or that"),
    ("pixels", lambda p: sources(p)["folder"], {"image_size": 9}, "expected image_size=None or"),
    ("root", lambda p: sources(p)["file"], {"root": "x"}, "root: expected None for a Stored"),
    ("fresh", lambda p: sources(p)["collection"], {"fresh": True}, "fresh: expected False for a"),
    ("batch", lambda _: "astro", {"batch_size": 0}, "batch_size: expected a whole number >= 1"),
    ("batch text", lambda _: "astro", {"batch_size": "64"}, "batch_size: expected a whole number"),
    ("workers", lambda _: "astro", {"num_workers": -1}, "num_workers: expected a whole number"),
]


@pytest.mark.parametrize(
    ("make", "options", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_wrong_sources_are_refused(
    make: Callable[[Path], Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        db.CatalogueDataModule(make(tmp_path), **options)


def test_other_datasets_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a recipe, a Catalogue, StoredCatalogue or"):
        db.CatalogueDataModule([1, 2, 3])  # type: ignore[arg-type]


def test_the_root_is_expanded_as_a_user_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    data = rows_module(root="~/[data]")
    data.prepare_data()
    assert data.path is not None
    assert data.path.parent == tmp_path / "[data]"
    assert data.path.is_file()


@pytest.mark.parametrize("paired", [False, True])
def test_the_members_of_a_collection_keep_their_seeds(paired: bool) -> None:
    """Oracle: the same collection, split without the data module."""
    members = [db.Catalogue(kind, size=20) for kind in ("star", "galaxy")]
    data = db.CatalogueDataModule(db.Collection(members, paired=paired), batch_size=40)
    images = torch.cat([batch[0] for batch in data.test_dataloader()])
    own = db.Collection(members, paired=paired, split="test")
    assert torch.equal(images, torch.stack([image for image, _ in own]))
