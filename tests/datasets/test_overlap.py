"""Splits of different sizes: a warning for shared rows, and none otherwise."""

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deepbench_torch as db

Make = Callable[..., Any]
SHARED = r"expected disjoint rows, got .* which share rows .*; use one size for all splits, with li"


def catalogue(folder: Path, size: int, split: str) -> Any:
    return db.Catalogue("star", size=size, split=split, image_size=4)  # type: ignore[arg-type]


def stored(folder: Path, size: int, split: str) -> Any:
    path = folder / f"{size}.h5"
    if not path.exists():
        db.materialize(db.Catalogue("star", size=size, image_size=4), path, progress=False)
    return db.StoredCatalogue(path, split=split)  # type: ignore[arg-type]


def collection(folder: Path, size: int, split: str) -> Any:
    members = [db.Catalogue("star", size=size, image_size=4), db.Catalogue("circle", image_size=4)]
    return db.Collection(members, split=split)  # type: ignore[arg-type]


def member(folder: Path, size: int, split: str) -> Any:
    return db.Collection([catalogue(folder, size, split)])


def weighted(folder: Path, size: int, split: str) -> Any:
    members = [db.Catalogue("star", size=size, image_size=4)]
    return db.Collection(members, weights=[1], split=split)  # type: ignore[arg-type]


MAKES: list[Make] = [catalogue, stored, collection, member, weighted]
first = pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
second = pytest.mark.parametrize("other", MAKES, ids=lambda make: make.__name__)


@first
@second
def test_splits_that_share_rows_warn(make: Make, other: Make, tmp_path: Path) -> None:
    train = make(tmp_path, 100, "train")
    with pytest.warns(UserWarning, match=SHARED) as caught:
        other(tmp_path, 50, "test")  # rows 40 to 49
    assert "rows 40 to 49" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert len(train)


@first
@second
def test_splits_of_one_size_do_not_warn(make: Make, other: Make, tmp_path: Path) -> None:
    kept = [
        each(tmp_path, 50, split) for split in ("train", "val", "test") for each in (make, other)
    ]
    assert len(kept) == 6


QUIET: list[Any] = [
    {"size": 50, "split": "train"},  # a smaller training set of the same rows
    {"size": 50, "split": None},
    {"size": 50, "split": "test", "seed": 1},
    {"size": 50, "split": "test", "image_size": 5},
    {"size": 100, "split": "test", "limit": 5},
    {"size": 500, "split": "test"},  # rows 400 to 499
]


@pytest.mark.parametrize("options", QUIET, ids=str)
def test_disjoint_rows_do_not_warn(options: Any) -> None:
    train = db.Catalogue("star", size=100, split="train", image_size=4)
    db.Catalogue("star", **{"image_size": 4} | options)
    assert len(train) == 60


def test_rows_are_removed_with_their_dataset() -> None:
    train = db.Catalogue("star", size=100, split="train")
    del train
    db.Catalogue("star", size=50, split="test")


def test_rows_are_removed_with_a_reference_cycle() -> None:
    """A finished trainer keeps its loaders in such a cycle."""
    cycle: dict[str, Any] = {"data": db.Catalogue("star", size=20, split="test")}
    cycle["self"] = cycle
    del cycle
    db.Catalogue("star", size=100, split="train")  # warnings are errors


def test_copies_as_in_workers_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train = db.Catalogue("star", size=20, split="train", image_size=4)
        test = db.Catalogue("star", size=10, split="test", image_size=4)
    for each in (copy.copy(test), pickle.loads(pickle.dumps(test)), test[1:]):  # noqa: S301
        assert len(each)
    assert test.targets
    assert len(train) == 12


@pytest.mark.parametrize("start", [0, 50, 99])
def test_a_stream_that_reaches_a_split_warns(start: int) -> None:
    test = db.Catalogue("star", size=100, split="test")
    with pytest.warns(UserWarning, match=r"got a stream from row .* share rows .*; omit start"):
        db.CatalogueStream("star", start=start)
    assert len(test) == 20
    for options in ({}, {"start": 100}, {"start": start, "seed": 1}, {"start": 1 << 62}):
        db.CatalogueStream("star", **options)  # type: ignore[arg-type]


def test_a_split_that_a_stream_reaches_warns() -> None:
    stream = db.CatalogueStream("star", start=70)
    db.Catalogue("star", size=100, split="train")
    with pytest.warns(UserWarning, match="got split 'val' of 100 rows and a stream from row 70 on"):
        db.Catalogue("star", size=100, split="val")
    assert stream.start == 70


def test_limited_splits_of_one_size_are_disjoint() -> None:
    """A limited split shares no row with any other split, in any process."""
    few: Any = {"size": 1000, "target": "index"}
    test = {index for _, index in db.Catalogue("star", split="test", limit=30, **few)}
    train = set(db.Catalogue("star", split="train", **few).rows)
    assert len(test) == 30
    assert not test & train
