"""Misuse of datasets: what would change nothing, or only a part, is refused with its remedy."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Subset
from torchvision import transforms as v1
from torchvision.transforms import v2

import deepbench_torch as db
from tests.datasets.kinds import Maker, catalogue, collection, each_dataset, split, view

SETTABLE = {"transform", "target_transform", "transforms"}
ARGUMENTS = {
    "catalogue": "recipe seed size split limit image_size rows",
    "split": "recipe seed size split limit image_size rows",
    "series": "recipe seed size split limit image_size rows",
    "stored": "recipe seed size split limit image_size rows path stored",
    "compressed": "recipe seed size split limit image_size rows path stored",
    "collection": "members weights sizes size split paired image_size target domains order",
    "view": "dataset indices image_size target",
}


@each_dataset
def test_what_decides_the_rows_cannot_be_set(make: Maker, tmp_path: Path) -> None:
    """A set seed or split would change the rows of one part and the repr of another."""
    data = make(tmp_path)
    before = repr(data)
    derived = ["targets", "classes", "class_to_idx", "statistics"]
    for name in [*ARGUMENTS[make.__name__].split(), *derived]:
        with pytest.raises(AttributeError, match=rf"\.{name}: expected no change .*make a new one"):
            setattr(data, name, 5)
    assert repr(data) == before
    for name in sorted(SETTABLE):
        setattr(data, name, None)
    data.note = "of the user"
    assert repr(copy.copy(data)) == repr(pickle.loads(pickle.dumps(data))) == before  # noqa: S301


@each_dataset
def test_labels_cannot_be_changed_in_place(make: Maker, tmp_path: Path) -> None:
    """The rows are made again on each access, so a changed list would change nothing."""
    labels = make(tmp_path).targets
    if isinstance(labels, torch.Tensor):
        return
    before = list(labels)
    changes: list[Callable[[Any], Any]] = [
        lambda each: each.__setitem__(0, 99),
        lambda each: each.__setitem__(slice(0, 2), [1, 1]),
        lambda each: each.append(1),
        lambda each: each.sort(),
        lambda each: each.reverse(),
        lambda each: each.__iadd__([1]),
        lambda each: each.__delitem__(0),
    ]
    for change in changes:
        with pytest.raises(TypeError, match=r"targets: .*target_transform"):
            change(labels)
    for other in (list(labels), copy.copy(labels), copy.deepcopy(labels), labels[:]):
        other.append(3)
    assert type(pickle.loads(pickle.dumps(labels))) is list  # noqa: S301
    assert labels == before


def test_a_target_is_checked_when_it_is_set(tmp_path: Path) -> None:
    for make in (catalogue, split):
        data = make(tmp_path)
        with pytest.raises(ValueError, match=r"target: .*'lable'"):
            data.target = "lable"
        data.target = "index"
        assert data[1][1] == data.rows[1]  # type: ignore[attr-defined]


WRONG_FUNCTIONS = [
    (v2.RandomHorizontalFlip, r"got the class RandomHorizontalFlip; make an instance"),
    ([v2.RandomHorizontalFlip()], r"got \[.*Compose"),
    ("flip", r"got 'flip'; .*Compose"),
    (3, r"got 3; .*Compose"),
]


@each_dataset
@pytest.mark.parametrize("name", sorted(SETTABLE))
@pytest.mark.parametrize(("value", "message"), WRONG_FUNCTIONS, ids=["class", "list", "text", "3"])
def test_a_transform_is_a_function(
    make: Maker, tmp_path: Path, name: str, value: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=f"^{name}: expected .*{message}"):
        setattr(make(tmp_path), name, value)
    with pytest.raises(TypeError, match=f"^{name}: expected .*{message}"):
        make(tmp_path, **{name: value})


WRONG_RESULTS: list[tuple[str, Callable[..., Any], str]] = [
    ("transform", lambda image: None, "transform: .*got None; add a return statement"),
    ("transforms", lambda image, target: (None, target), "transforms: .*got None; add a return"),
    ("transforms", lambda image, target: None, "transforms: .*image and the target, got NoneType"),
    ("transforms", lambda image, target: image, "transforms: .*got Tensor; .*as transform"),
    ("transforms", lambda image, target: (1, 2, 3), "transforms: .*got 3 values"),
]


@each_dataset
@pytest.mark.parametrize(("name", "function", "message"), WRONG_RESULTS)
def test_a_transform_returns_what_it_must(
    make: Maker, tmp_path: Path, name: str, function: Callable[..., Any], message: str
) -> None:
    data = make(tmp_path, **{name: function})
    reads: list[Callable[[], Any]] = [
        lambda: data[0],
        lambda: list(data),
        lambda: data.__getitems__([0, 1]),
        lambda: data[:2][0],
    ]
    for read in reads:
        with pytest.raises(TypeError, match=message):
            read()


MOVING = {
    "v2": v2.Resize(4),
    "v1": v1.Resize(4),
    "flip": v2.RandomHorizontalFlip(),
    "crop": v1.RandomCrop(4),
    "composed": v2.Compose([v2.Identity(), v2.RandomRotation(10)]),
    "nested": v1.Compose([v1.RandomApply([v1.RandomVerticalFlip()])]),
    "chosen": v2.RandomChoice([v2.Identity(), v2.RandomAffine(10)]),
    "sequential": torch.nn.Sequential(v2.CenterCrop(4)),
}


@pytest.mark.parametrize("name", list(MOVING))
@pytest.mark.parametrize("target", ["boxes", "masks", ["label", "boxes"]])
def test_an_image_alone_does_not_move_beside_its_boxes(
    name: str, target: Any, tmp_path: Path
) -> None:
    moving = MOVING[name]
    for make in (catalogue, split, collection, view):
        with pytest.raises(ValueError, match=r"^transform: expected .*got \w+; pass it as trans"):
            make(tmp_path, target=target, transform=moving)
        make(tmp_path, target=target, transforms=v2.Identity())
        make(tmp_path, target="label", transform=moving)
        make(tmp_path, target=target, transform=moving, target_transform=str)
    with pytest.raises(ValueError, match=r"^transform: expected"):
        db.CatalogueStream("astro", target=target, transform=moving)
    data = catalogue(tmp_path, target=target)
    with pytest.raises(ValueError, match=r"^transform: expected"):
        data.transform = moving


def test_a_function_that_changes_the_size_is_refused_beside_boxes(tmp_path: Path) -> None:
    def cut(image: torch.Tensor) -> torch.Tensor:
        return image[:, :4, :4]

    for make in (catalogue, split, collection, view):
        with pytest.raises(ValueError, match=r"got \(1, 6, 8\) made \(1, 4, 4\); pass it as trans"):
            make(tmp_path, target="boxes", transform=cut)[0]
        assert make(tmp_path, target="clean", transform=cut)[0][0].shape == (1, 4, 4)
        scaled = make(tmp_path, target="boxes", transform=cut, target_transform=len)
        assert scaled[0][0].shape == (1, 4, 4)


def test_boxes_and_image_move_together(tmp_path: Path) -> None:
    """Oracle: torchvision, which moves the boxes of `transforms`."""
    plain = catalogue(tmp_path, target="boxes")[0][1]
    moved = catalogue(tmp_path, target="boxes", transforms=v2.Resize((3, 4)))[0][1]
    torch.testing.assert_close(torch.as_tensor(moved), torch.as_tensor(plain).float() / 2)


def test_only_a_dataset_can_be_added(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        catalogue(tmp_path) + 1  # type: ignore[operator]
    both: Any = catalogue(tmp_path) + Subset(catalogue(tmp_path), [0])
    assert len(both) == 51


STREAM = (
    "recipe seed size start batch_size drop_last image_size target transform transforms classes"
)


@pytest.mark.parametrize("name", STREAM.split())
def test_a_stream_cannot_be_changed(name: str) -> None:
    stream = db.CatalogueStream("astro", batch_size=4, size=8)
    with pytest.raises(AttributeError, match=rf"CatalogueStream\.{name}: expected no change"):
        setattr(stream, name, 2)
    assert [len(images) for images, _ in stream] == [4, 4]


def test_a_stream_has_no_indices() -> None:
    stream = db.CatalogueStream("astro", batch_size=4, size=8)
    reads: list[Callable[[], Any]] = [lambda: stream[0], lambda: Subset(stream, [0])[0]]
    for read in reads:
        with pytest.raises(TypeError, match=r"CatalogueStream: .*got 0; use a Catalogue"):
            read()
