"""One small dataset of each kind, for laws that hold for all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deepbench_torch as db
from deepbench_torch.datasets import PairDataset

Maker = Callable[..., PairDataset]


def catalogue(folder: Path, **options: Any) -> PairDataset:
    return db.Catalogue("astro", size=50, seed=5, image_size=(6, 8), **options)


def split(folder: Path, **options: Any) -> PairDataset:
    return db.Catalogue("sky", size=100, split="val", image_size=(6, 8), **options)


def series(folder: Path, **options: Any) -> PairDataset:
    recipe = db.load_recipe("pendulum").replace(time={"steps": 4})
    return db.Catalogue(recipe, size=20, **options)


def stored(folder: Path, **options: Any) -> PairDataset:
    path = folder / "a.h5"
    if not path.exists():
        made = db.Catalogue("astro", size=20, image_size=(6, 8))
        db.materialize(made, path, progress=False)
    return db.StoredCatalogue(path, **options)


def compressed(folder: Path, **options: Any) -> PairDataset:
    path = folder / "c.h5"
    if not path.exists():
        made = db.Catalogue("geometric", size=20, image_size=(6, 8))
        db.materialize(made, path, compression="gzip", progress=False)
    return db.StoredCatalogue(path, **options)


def collection(folder: Path, **options: Any) -> PairDataset:
    members = [
        db.Catalogue("star", size=12, image_size=(6, 8)),
        db.Catalogue("sky", size=9, seed=1, image_size=(6, 8)),
    ]
    return db.Collection(members, weights=[2, 1], **options)


def view(folder: Path, **options: Any) -> PairDataset:
    return catalogue(folder, **options)[40:10:-2]


MAKERS: list[Maker] = [catalogue, split, series, stored, compressed, collection, view]
each_dataset = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
