"""Catalogue: the conventions of a torchvision dataset, and the row law in a DataLoader."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.datasets import split_rows


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("astro", size=50, seed=5, image_size=(12, 15))


def test_an_item_is_an_image_and_a_label(catalogue: db.Catalogue) -> None:
    image, label = catalogue[7]
    assert image.shape == (1, 12, 15)
    assert image.dtype == torch.float32
    assert isinstance(label, int)
    assert catalogue.classes == ["star", "galaxy", "spiral"]
    assert len(catalogue) == 50


def test_items_are_the_rows_of_generate(catalogue: db.Catalogue) -> None:
    sample = db.generate("astro", 5, torch.arange(50), image_size=(12, 15))
    for index in (0, 13, 49, -1):
        image, label = catalogue[index]
        assert torch.equal(image, sample.image[index])
        assert label == int(sample.label[index])
    pairs = catalogue.__getitems__([3, 1, 1])
    assert [label for _, label in pairs] == sample.label[[3, 1, 1]].tolist()


def test_iteration_ends(catalogue: db.Catalogue) -> None:
    assert len(list(catalogue)) == 50


def test_a_larger_catalogue_begins_with_the_smaller(catalogue: db.Catalogue) -> None:
    larger = db.Catalogue("astro", size=500, seed=5, image_size=(12, 15))
    assert all(torch.equal(catalogue[i][0], larger[i][0]) for i in range(50))


def test_splits_are_ranges_that_cover_all() -> None:
    for size in (5, 7, 10, 99, 10_000):
        parts = [split_rows(size, split) for split in ("train", "val", "test")]
        assert [row for part in parts for row in part] == list(range(size))
    assert [len(split_rows(10_000, split)) for split in ("train", "val", "test")] == [
        6000,
        2000,
        2000,
    ]
    assert split_rows(9, None) == range(9)


def test_split_rows_equal_those_of_the_catalogue(catalogue: db.Catalogue) -> None:
    test = db.Catalogue("astro", size=50, seed=5, split="test", image_size=(12, 15))
    assert len(test) == 10
    assert torch.equal(test[0][0], catalogue[40][0])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_and_start_methods_change_nothing(method: str) -> None:
    catalogue = db.Catalogue("astro", size=40, seed=1, image_size=8)
    loader: DataLoader[Any] = DataLoader(
        catalogue,
        batch_size=6,
        num_workers=2,
        multiprocessing_context=method,
        generator=torch.Generator(),
    )
    there = torch.cat([images for images, _ in loader])
    assert torch.equal(there, torch.stack([catalogue[index][0] for index in range(40)]))


def test_a_stock_loader_requests_complete_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = db.Catalogue("astro", size=20, image_size=8)
    requested: list[int] = []
    original = db.Catalogue._fetch

    def counted(self: db.Catalogue, rows: list[int]) -> Any:
        requested.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(db.Catalogue, "_fetch", counted)
    images, labels = next(iter(DataLoader(catalogue, batch_size=16, generator=torch.Generator())))
    assert requested == [16]
    assert images.shape == (16, 1, 8, 8)
    assert labels.dtype == torch.int64


def test_pickles_small_and_equal(catalogue: db.Catalogue) -> None:
    blob = pickle.dumps(catalogue)
    assert len(blob) < 4000
    assert torch.equal(pickle.loads(blob)[3][0], catalogue[3][0])  # noqa: S301


def test_transforms_are_called_as_in_torchvision() -> None:
    common: dict[str, Any] = {"size": 6, "image_size": 4}
    plain = db.Catalogue("astro", **common)
    both = db.Catalogue(
        "astro", transform=lambda image: image + 1, target_transform=lambda label: -label, **common
    )
    assert torch.equal(both[2][0], plain[2][0] + 1)
    assert both[2][1] == -plain[2][1]
    pair = db.Catalogue("astro", transforms=lambda image, label: (image * 2, str(label)), **common)
    assert torch.equal(pair[2][0], plain[2][0] * 2)
    assert pair[2][1] == str(plain[2][1])
    with pytest.raises(ValueError, match=r"expected None beside .*, got both; use either"):
        db.Catalogue("astro", transforms=lambda i, t: (i, t), transform=lambda i: i)


def test_targets(catalogue: db.Catalogue) -> None:
    sample = db.generate("astro", 5, torch.arange(50), image_size=(12, 15))

    def target(name: Any) -> Any:
        return db.Catalogue("astro", size=50, seed=5, image_size=(12, 15), target=name)[9][1]

    assert target("index") == 9
    assert torch.equal(target("clean"), sample.clean[9])
    parameters = target("parameters")
    assert torch.equal(parameters["star"]["gamma"], sample.scene["star"]["gamma"][9])
    assert torch.equal(parameters["spiral"]["present"], sample.present["spiral"][9])
    several = target(["label", "index"])
    assert several == {"label": int(sample.label[9]), "index": 9}


def test_dict_targets_collate() -> None:
    catalogue = db.Catalogue("astro", size=9, image_size=4, target=["label", "parameters", "clean"])
    _, target = next(iter(DataLoader(catalogue, batch_size=9, generator=torch.Generator())))
    assert target["label"].shape == (9,)
    assert target["clean"].shape == (9, 1, 4, 4)
    assert target["parameters"]["galaxy"]["n"].shape == (9, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size: expected a positive whole number of rows, got 0; use"),
        ({"size": -3}, "got -3"),
        ({"size": 2.5}, "got 2.5"),
        ({"size": True}, "got True"),
        (
            {"split": "validation"},
            "split: expected None, 'train', 'val' or 'test', got 'validation'",
        ),
        ({"size": 1, "split": "train"}, "expected rows in 'train', got none of 1 rows; use size=5"),
        ({"target": "colour"}, "expected a target of images, got 'colour'; use one of label, p"),
        ({"target": [["label"]]}, r"a target of images, got \['label'\]; use one of label, parame"),
        ({"target": ["label", "colour"]}, "expected a target of images, got 'colour'"),
        ({"target": []}, r"expected a target of images, got \[\]; use one of label"),
        ({"target": None}, "expected a target of images, got None"),
        ({"split": ["train"]}, "split: expected None, 'train', 'val' or 'test'"),
        ({"image_size": True}, "image_size must be"),
        ({"image_size": 8.0}, "image_size must be"),
        ({"image_size": 10**9}, "image_size must be a number of pixels from 1 to 16384"),
        ({"seed": -1}, "seed must be"),
        ({"image_size": "64"}, "image_size must be"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.Catalogue("astro", **arguments)


def test_integers_of_numpy_are_integers() -> None:
    given: dict[str, Any] = {"size": np.int64(30), "seed": np.int32(3)}
    index: Any = np.int64(4)
    given |= {"image_size": (np.int64(8), np.int16(9))}
    numbers = db.Catalogue("astro", **given)
    plain = db.Catalogue("astro", size=30, seed=3, image_size=(8, 9))
    assert torch.equal(numbers[index][0], plain[4][0])
