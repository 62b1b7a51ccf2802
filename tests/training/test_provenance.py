"""Training rows in a checkpoint, and the warning of a test on them."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, random_split

import deepbench_torch as db
from deepbench_torch.training.provenance import from_state, leaks, rows_of, to_state, union
from tests.training.fitting import TRAINING_MARKS, classifier, module, trainer

pytestmark = TRAINING_MARKS


def rows_in(data: Any) -> set[int]:
    """Return the rows of the recipe astro in a dataset, by `rows_of`."""
    found = rows_of(DataLoader(data, batch_size=4))
    return {
        row
        for origin, ranges in found.items()
        if origin.name == "astro"
        for first, last in ranges.tolist()
        for row in range(first, last + 1)
    }


def astro(**options: Any) -> db.Catalogue:
    usual: dict[str, Any] = {"size": 40, "target": "index"}
    return db.Catalogue("astro", **usual | options)


def halves() -> Any:
    return random_split(astro(), [25, 15], generator=torch.Generator().manual_seed(0))[0]


DATASETS: list[tuple[str, Callable[[], Any]]] = [
    ("all", astro),
    ("split", lambda: astro(split="val")),
    ("slice", lambda: astro()[5:30:3]),
    ("view of a view", lambda: astro(split="test")[[6, 1, 2, 3]][1:]),
    ("subset", lambda: Subset(astro(), [9, 3, 4, 5])),
    ("random", halves),
    ("subset of a subset", lambda: Subset(Subset(astro(), [9, 3, 4, 5]), [0, 2])),
    ("parts", lambda: ConcatDataset([astro(split="train"), astro(split="test")])),
    ("subset of parts", lambda: Subset(ConcatDataset([astro(), astro(split="test")]), [3, 39, 41])),
    ("collection", lambda: db.Collection([astro(split="train"), astro(split="test")])),
    ("split of a collection", lambda: db.Collection([astro()], split="val")),
    ("sizes", lambda: db.Collection([astro()], sizes=[7])),
]


@pytest.mark.parametrize("make", [d[1] for d in DATASETS], ids=[d[0] for d in DATASETS])
def test_rows_are_those_that_the_dataset_returns(make: Callable[[], Any]) -> None:
    """Oracle: the row numbers that the dataset itself returns as its target."""
    data = make()
    assert rows_in(data) == {int(data[index][1]) for index in range(len(data))}


def test_rows_of_a_stored_catalogue(tmp_path: Path) -> None:
    db.materialize(astro(), tmp_path / "a.h5", progress=False)
    assert rows_in(db.StoredCatalogue(tmp_path / "a.h5", split="test")) == {*range(32, 40)}


def test_datasets_of_other_packages_have_no_rows() -> None:
    assert rows_of(DataLoader(TensorDataset(torch.zeros(3)))) == {}
    assert rows_of(DataLoader(Subset(TensorDataset(torch.zeros(3)), [1]))) == {}
    assert rows_of([1, 2]) == {}


def test_the_state_is_plain_and_complete(tmp_path: Path) -> None:
    found = union([rows_of(DataLoader(halves())), rows_of(DataLoader(db.Catalogue("sky")))])
    torch.save(to_state(found), tmp_path / "state.pt")
    again = from_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert {o: r.tolist() for o, r in again.items()} == {o: r.tolist() for o, r in found.items()}


def test_leaks_count_shared_rows() -> None:
    train, test = (rows_of(DataLoader(astro(size=size, split=split))) for size, split in
                   ((100, "train"), (40, "test")))  # fmt: skip
    (leak,) = leaks(train, test)
    assert leak.startswith("8 of 8 rows of astro (recipe ")
    assert leak.endswith("trained rows 0 to 59, now rows 32 to 39")
    assert leaks(train, rows_of(DataLoader(astro(seed=1)))) == []
    assert leaks(train, rows_of(DataLoader(astro(image_size=12)))) == []


def trained(folder: Path, **options: Any) -> Path:
    """Return the checkpoint of a network trained on rows 0 to 59."""
    run = trainer(folder, max_steps=1, limit_val_batches=0)
    run.fit(classifier(), datamodule=module(size=100, **options))
    run.save_checkpoint(folder / "trained.ckpt")
    return folder / "trained.ckpt"


@pytest.mark.filterwarnings("ignore:.*overlap")
@pytest.mark.parametrize("entrance", ["test", "validate"])
@pytest.mark.parametrize("way", ["load_from_checkpoint", "ckpt_path", "dataloader"])
def test_a_test_on_training_rows_warns(entrance: str, way: str, tmp_path: Path) -> None:
    path = trained(tmp_path)
    run, data = trainer(tmp_path), module(size=40)
    model = classifier() if way == "ckpt_path" else db.Classifier.load_from_checkpoint(path)
    rows = "32 to 39" if entrance == "test" else "24 to 31"
    message = rf"8 of 8 rows of astro .* seed 0\) .* trained rows 0 to 59, now rows {rows}"
    options: dict[str, Any] = {"datamodule": data}
    if way == "dataloader":
        split: Any = {"test": "test", "validate": "val"}[entrance]
        rest = db.Catalogue("astro", size=40, split=split)
        options = {"dataloaders": DataLoader(rest, batch_size=4)}
    if way == "ckpt_path":
        options |= {"ckpt_path": path, "weights_only": True}
    with pytest.warns(UserWarning, match=message):
        getattr(run, entrance)(model, verbose=False, **options)


def test_disjoint_splits_do_not_warn(tmp_path: Path) -> None:
    """Rely on pytest, which turns warnings into errors."""
    model = db.Classifier.load_from_checkpoint(trained(tmp_path))
    for data in (module(size=100), module(size=40, seed=1), module(size=40, image_size=30)):
        trainer(tmp_path).test(model, datamodule=data, verbose=False)
        trainer(tmp_path).validate(model, datamodule=data, verbose=False)
    parts = random_split(
        db.Catalogue("astro", size=40, seed=7), [30, 10], generator=torch.Generator()
    )
    run = trainer(tmp_path, max_epochs=2)
    first, second = (DataLoader(part, batch_size=5) for part in parts)
    run.fit(classifier(), first, second)


def test_a_leak_within_one_fit_warns_once(tmp_path: Path) -> None:
    train, val = db.Catalogue("astro", size=40), db.Catalogue("astro", size=40, split="val")
    run = trainer(tmp_path, max_epochs=3, num_sanity_val_steps=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.fit(classifier(), DataLoader(train, batch_size=8), DataLoader(val, batch_size=8))
    leaks_found = [str(w.message) for w in caught if "was trained on" in str(w.message)]
    assert len(leaks_found) == 1
    assert leaks_found[0].startswith("Classifier: validation: 8 of 8 rows of astro")


@pytest.mark.parametrize("epochs", [1, 2])
def test_rows_of_a_stream_are_those_it_returned(epochs: int, tmp_path: Path) -> None:
    stream = db.CatalogueStream("astro", start=10, size=16, batch_size=8)
    model = classifier()
    run = trainer(tmp_path, max_epochs=epochs)
    run.fit(model, db.StreamLoader(stream))
    (ranges,) = model.trained_rows.values()
    assert ranges.tolist() == [[10, 10 + 16 * epochs - 1]]


def test_rows_add_up_over_fits(tmp_path: Path) -> None:
    model = db.Classifier.load_from_checkpoint(trained(tmp_path))
    trainer(tmp_path, max_steps=1, limit_val_batches=0).fit(
        model, datamodule=module(size=20, seed=3)
    )
    seen = {origin.seed: ranges.tolist() for origin, ranges in model.trained_rows.items()}
    assert seen == {0: [[0, 59]], 3: [[0, 11]]}
