"""Conventions of torchvision's datasets: repr, targets, class_to_idx, sums, detection batches."""

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset, default_collate
from torchvision.datasets import FakeData

import deepbench_torch as db
from tests.datasets.kinds import Maker, each_dataset, stored


@each_dataset
def test_repr_reads_like_torchvision(make: Maker, tmp_path: Path) -> None:
    """Oracle: the repr of a dataset of torchvision."""
    theirs = repr(FakeData(size=3, transform=abs)).splitlines()
    data = make(tmp_path)
    lines = repr(data).splitlines()
    assert lines[0] == f"Dataset {type(data).__name__}"
    assert lines[1] == f"    Number of datapoints: {len(data)}"
    assert all(line.startswith("    ") for line in lines[1:])
    if make.__name__ != "view":
        assert any(line.startswith("    Classes: ") for line in lines)
    changed = make(tmp_path, transform=abs)
    end = theirs[theirs.index("    StandardTransform") :]
    assert [line.strip() for line in repr(changed).splitlines()[-len(end) :]] == [
        line.strip() for line in end
    ]


def test_repr_of_a_stored_catalogue_names_its_file(tmp_path: Path) -> None:
    assert f"    Root location: {tmp_path.resolve() / 'a.h5'}" in repr(stored(tmp_path))


def test_repr_names_all_arguments_that_determine_rows() -> None:
    text = repr(db.Catalogue("astro", seed=3, split="val"))
    for part in ("Recipe: astro, 28 x 28 pixels", "Seed: 3", "Split: val of 10000 rows"):
        assert part in text
    assert "Classes: star, galaxy, spiral" in text


@each_dataset
def test_targets_are_the_labels(make: Maker, tmp_path: Path) -> None:
    """Oracle: the labels of the rows, for any target and transforms."""
    labels = [label for _, label in make(tmp_path)]
    expected = torch.tensor(labels) if isinstance(labels[0], int) else torch.stack(labels)
    for data in (
        make(tmp_path),
        make(tmp_path, target="index", target_transform=str),
        make(tmp_path, target=["clean", "index"], transforms=max),
    ):
        assert len(data.targets) == len(data)
        assert torch.equal(torch.as_tensor(data.targets), expected)
        assert data.targets is data.targets  # made once
        assert "targets" not in pickle.loads(pickle.dumps(data[:1])).__dict__  # noqa: S301
    if isinstance(labels[0], int):
        assert data.targets == labels
        assert Counter(data.targets) == Counter(labels)
    assert data.class_to_idx == dict(zip(data.classes, range(len(data.classes)), strict=True))


@pytest.mark.parametrize("name", ["astro", "sky"])
def test_sums_are_collections(name: str, tmp_path: Path) -> None:
    train = db.Catalogue(name, size=20, split="train", image_size=8)
    val = db.Catalogue(name, size=20, split="val", image_size=8)
    path = db.materialize(
        db.Catalogue(name, size=20, image_size=8), tmp_path / "a.h5", progress=False
    )
    test = db.StoredCatalogue(path, split="test")
    both, three = train + val, train + val + test
    assert isinstance(both, db.Collection)
    assert isinstance(three, db.Collection)
    whole = db.Catalogue(name, size=20, image_size=8)
    for (image, label), (other, truth) in zip(three, whole, strict=True):
        assert torch.equal(image, other)
        assert torch.equal(torch.as_tensor(label), torch.as_tensor(truth))
    assert len(test + (train + val)) == 20
    assert len(both) == 16


def test_sums_keep_common_transforms_and_refuse_others() -> None:
    def double(image: torch.Tensor) -> torch.Tensor:
        return 2 * image

    def data(split: Any, transform: Any = None) -> db.Catalogue:
        return db.Catalogue("astro", size=20, split=split, image_size=4, transform=transform)

    both: Any = data("train", double) + data("val", double)
    assert isinstance(both, db.Collection)
    assert torch.equal(both[13][0], 2 * data("val")[1][0])
    with pytest.raises(ValueError, match=r"a \+ b: expected the same transforms .*ConcatDataset"):
        data("train", double) + data("val")
    more: Any = both + data("test", double)
    assert torch.equal(more[16][0], 2 * data("test")[0][0])


def test_sums_with_other_datasets_are_concat_datasets() -> None:
    data = db.Catalogue("astro", size=6, image_size=4)
    foreign = TensorDataset(torch.zeros(2, 1, 4, 4), torch.zeros(2))
    weighted = db.Collection([data, data], weights=[1, 1])
    for other in (foreign, weighted, data[:3]):
        both: Any = data + other
        assert isinstance(both, ConcatDataset)
        assert len(both) == 6 + len(other)


def detection(**options: Any) -> db.Catalogue:
    return db.Catalogue("sky", size=12, target=["boxes", "labels"], **options)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "target",
    [["boxes", "labels"], "masks", "boxes", ["label", "components"], ["slots", "masks", "index"]],
    ids=str,
)
def test_detection_targets_collate_by_default(target: Any, workers: int) -> None:
    data = db.Catalogue("sky", size=12, target=target, image_size=16)
    options: dict[str, Any] = {"num_workers": workers, "generator": torch.Generator()}
    for collate in (None, data.collate_fn):
        loader = DataLoader(data, batch_size=8, collate_fn=collate, **options)
        images, targets = next(iter(loader))
        assert isinstance(images, list)
        assert isinstance(targets, list)
        assert len(images) == len(targets) == 8
        assert torch.equal(images[5], data[5][0])
    assert data.collate_fn is data[2:].collate_fn is db.collate_detection


@each_dataset
def test_every_dataset_collates_detection_targets(make: Maker, tmp_path: Path) -> None:
    name = "parameters" if make.__name__ == "series" else "boxes"
    data = make(tmp_path, target=[name, "index"])
    batch = next(iter(DataLoader(data, batch_size=5, generator=torch.Generator())))
    assert len(batch[0]) == 5
    assert isinstance(batch[1], dict if make.__name__ == "series" else list)


def test_streams_collate_detection_targets() -> None:
    made = db.CatalogueStream("sky", target=["boxes", "labels"], batch_size=6, size=12)
    images, targets = next(iter(made))
    assert [len(images), len(targets)] == [6, 6]


def test_a_target_transform_restores_stacking() -> None:
    """Numbers of objects have one shape, so they are stacked."""
    data = detection(target_transform=lambda target: len(target["boxes"]))
    view = detection()[:]
    view.target_transform = data.target_transform
    for each in (data, data[:], view):
        batch = next(iter(DataLoader(each, batch_size=4, generator=torch.Generator())))
        assert batch[1].tolist() == [len(target["boxes"]) for _, target in detection()[:4]]
        assert each.collate_fn is default_collate


def test_joint_transforms_keep_detection_batches() -> None:
    data = detection(transforms=lambda image, target: (image + 1, target))
    images, targets = next(iter(DataLoader(data, batch_size=4, generator=torch.Generator())))
    assert torch.equal(images[0], detection()[0][0] + 1)
    assert len(targets) == 4


LABELS = [
    "labels", ["labels"], ["labels", "index"], ["labels", "parameters", "clean"],
]  # fmt: skip


@pytest.mark.moves_generators  # the first import of Lightning does
@pytest.mark.parametrize("target", LABELS, ids=str)
def test_labels_without_boxes_are_refused(target: Any) -> None:
    message = r'target "labels": expected .* beside it.*use "label" for the class'
    members = [db.Catalogue("star", size=5), db.Catalogue("circle", size=5, seed=1)]
    for make in (
        lambda: db.Catalogue("sky", target=target),
        lambda: db.CatalogueStream("sky", target=target),
        lambda: db.Collection(members, target=target),
        lambda: db.CatalogueDataModule("sky", target=target),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    for fine in (
        ["labels", "boxes"],
        ["masks", "labels"],
        ["slots", "labels"],
        ["label", "labels"],
    ):
        db.Catalogue("sky", target=fine)


def test_series_targets_are_single_precision_and_samples_double() -> None:
    recipe = db.load_recipe("nbody").replace(time={"steps": 4})
    data = db.Catalogue(recipe, size=6, target=["parameters", "used", "energy", "label", "clean"])
    _, target = data[2]

    def kinds(value: Any) -> set[torch.dtype]:
        if isinstance(value, torch.Tensor):
            return {value.dtype}
        return set().union(*map(kinds, value.values()))

    assert kinds(target) == {torch.float32, torch.bool}
    sample: Any = data.samples(2)
    assert {value.dtype for value in sample.parameters.values()} == {torch.float64}
    for name, value in sample.parameters.items():
        assert torch.equal(target["parameters"][name], value[0].float())
