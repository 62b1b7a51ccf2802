"""Access to rows: indices, slices, lists, iteration, and the memory of a kept row."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

import deepbench_torch as db
from deepbench_torch.datasets import PairDataset
from tests.datasets.kinds import Maker, catalogue, each_dataset


def same(left: Any, right: Any) -> bool:
    """Return whether two rows are equal, bit for bit, in type and structure."""
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, tuple | list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


KEYS: list[Any] = [
    slice(2, 7), slice(None), slice(None, None, -1), slice(-3, None), slice(5, 2), slice(1, 99, 4),
    [3, 0, -1, 3], (2, 1), range(5, 1, -1), [], np.array([4, 1]), torch.tensor([0, 2]),
    np.array([], dtype=int), slice(np.int64(1), np.int64(4)),
]  # fmt: skip


@each_dataset
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_several_indices_are_a_dataset(make: Maker, key: Any, tmp_path: Path) -> None:
    """Oracle: Python's own indexing of a list of the indices."""
    data = make(tmp_path)
    everything = list(range(len(data)))
    if isinstance(key, slice):
        expected = everything[key]
    else:
        expected = [everything[int(each)] for each in key]
    part = data[key]
    assert isinstance(part, PairDataset)
    assert len(part) == len(expected)
    assert same([*part], [data[each] for each in expected])
    assert part.classes == data.classes
    if expected:
        assert same(part[-1], data[expected[-1]])
        assert same(part[0:1][0], data[expected[0]])


@each_dataset
def test_an_index_may_be_any_integer(make: Maker, tmp_path: Path) -> None:
    data: Any = make(tmp_path)
    for key in (2, np.int64(2), torch.tensor(2), np.array(2), 2 - len(data)):
        assert same(data[key], data[2])


WRONG: list[Any] = [
    1.0, "a", b"a", None, True, [True, False], np.array([True]), torch.tensor([True]), [1.5], ["a"],
    {1, 2}, {1: 2}, np.array([[1, 2]]), torch.tensor([0.5]), slice(0.0, 2), slice("a", None),
    slice(True, None), ...,
]  # fmt: skip


@each_dataset
@pytest.mark.parametrize("key", WRONG, ids=str)
def test_other_keys_are_refused(make: Maker, key: Any, tmp_path: Path) -> None:
    data = make(tmp_path)
    with pytest.raises(TypeError, match=r"dataset index: expected .*, got .*; (convert|use)"):
        data[key]
    with pytest.raises(TypeError, match=r"(dataset index|samples): expected"):
        data.samples(key)


@each_dataset
def test_indices_out_of_range_are_refused(make: Maker, tmp_path: Path) -> None:
    data = make(tmp_path)
    for key in (len(data), -len(data) - 1, 10**30, [0, len(data)]):
        with pytest.raises(IndexError, match=rf"dataset index: expected .* {len(data)} rows, got"):
            data[key]
    with pytest.raises(ValueError, match="a step other than 0"):
        data[::0]
    with pytest.raises(IndexError, match="expected no index for 0 rows, got 0"):
        data[5:5][0]


@each_dataset
def test_iteration_yields_single_rows(make: Maker, tmp_path: Path) -> None:
    data = make(tmp_path)
    assert same(list(data), [data[index] for index in range(len(data))])


@each_dataset
def test_views_load_like_datasets(make: Maker, tmp_path: Path) -> None:
    data = make(tmp_path)
    part, subset = data[1:9], Subset(data, range(1, 9))
    for each in (part, pickle.loads(pickle.dumps(part)), subset):  # noqa: S301
        loader = DataLoader(each, batch_size=8, generator=torch.Generator())
        assert torch.equal(next(iter(loader))[0], torch.stack([image for image, _ in part]))


def test_a_view_is_lazy() -> None:
    """Oracle: rows of an astronomically large catalogue, addressed one by one."""
    data = db.Catalogue("star", size=1 << 62, image_size=4)
    part = data[1 << 60 :: 1 << 59]
    assert len(part) == 6
    assert torch.equal(part[5][0], data[(1 << 60) + 5 * (1 << 59)][0])


def test_a_view_transforms_after_its_dataset() -> None:
    data = db.Catalogue("star", size=9, image_size=4, transform=lambda image: image + 1)
    part = data[2:4]
    part.transform = lambda image: image * 2
    part.target_transform = str
    assert torch.equal(part[0][0], 2 * data[2][0])
    assert [label for _, label in part] == ["0", "0"]
    assert [label for _, label in data[2:4]] == [0, 0]


def test_iteration_makes_batches_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = db.Catalogue._fetch

    def counted(self: db.Catalogue, rows: list[int]) -> Any:
        made.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(db.Catalogue, "_fetch", counted)
    assert len(list(db.Catalogue("star", size=700, image_size=4))) == 700
    assert made == [4, 8, 16, 32, 64, 128, 256, 192]
    made.clear()
    large = db.Catalogue("star", size=12, image_size=512)
    assert len(list(large)) == 12
    assert made == [4, 4, 4]  # batches of 1 MiB
    made.clear()
    next(iter(large))
    assert made == [4]


def test_transforms_are_called_row_by_row() -> None:
    """Oracle: a random transform in a loop over single rows."""
    log: list[str] = []

    def logged(image: torch.Tensor) -> torch.Tensor:
        log.append("made")
        return image

    data = db.Catalogue("star", size=6, image_size=4, transform=logged)
    for _ in data:
        log.append("used")
    assert log == ["made", "used"] * 6


TARGETS = ["label", "parameters", "boxes", "masks", "slots", "components", "clean", "index"]
SERIES_TARGETS = ["label", "parameters", "used", "clean", "energy", "index"]


def owned(value: Any) -> bool:
    """Return whether all tensors of a row have exactly their own memory."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes() == value.nbytes
    if isinstance(value, dict):
        return all(map(owned, value.values()))
    return all(map(owned, value)) if isinstance(value, tuple | list) else True


@each_dataset
def test_a_row_keeps_no_other_row_in_memory(make: Maker, tmp_path: Path) -> None:
    names = SERIES_TARGETS if make.__name__ == "series" else TARGETS
    data = make(tmp_path, target=names)
    rows = [data[3], *data, *data[2:6], *data.__getitems__([1, 2, 1, 0])]
    loader = DataLoader(data, batch_size=4, collate_fn=list, generator=torch.Generator())
    assert all(map(owned, [*rows, *next(iter(loader))]))
    by_label = make(tmp_path)
    assert all(map(owned, [by_label[3], *by_label, *by_label.__getitems__([1, 2])]))


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("target", ["label", TARGETS, ["clean", "index"]])
def test_a_row_of_a_stream_keeps_no_other_row_in_memory(
    target: Any, batch_size: int | None
) -> None:
    made = db.CatalogueStream("sky", size=20, batch_size=batch_size, target=target, image_size=8)
    assert all(map(owned, made))


def test_samples_takes_indices_or_rows() -> None:
    whole = db.Catalogue("astro", size=100, image_size=4)
    val = db.Catalogue("astro", size=100, image_size=4, split="val")
    keys: list[Any] = [0, -1, [3, 0, -2], slice(2, 5), torch.tensor([1, 2]), []]
    for key in keys:
        sample = val.samples(key)
        rows = list(range(60, 80))
        expected = np.atleast_1d(np.array(rows)[key if key != [] else slice(0, 0)]).tolist()
        assert sample.index.tolist() == expected
        assert torch.equal(sample.clean, whole.samples(rows=expected).clean)
    assert torch.equal(val.samples(0).data[0], val[0][0])
    assert val.samples(rows=[61, 60]).index.tolist() == [61, 60]
    assert val.samples(rows=val.rows).index.tolist() == rows
    part: Any = val[3:5]
    assert part.samples(1).index.tolist() == [64]


@pytest.mark.parametrize("row", [0, 59, 80, -1, 10**30])
def test_rows_of_other_splits_are_not_samples(row: int) -> None:
    val = db.Catalogue("astro", size=100, split="val")
    with pytest.raises(IndexError, match=r"(row numbers 60 to 79|dataset index: expected)"):
        val.samples(rows=[row])


def test_samples_requires_indices_or_rows() -> None:
    val = db.Catalogue("astro", size=100, split="val")
    with pytest.raises(TypeError, match="expected places or rows, got neither"):
        val.samples()
    with pytest.raises(TypeError, match="expected places or rows, got both"):
        val.samples([0], rows=[60])


def test_samples_of_stored_rows_and_collections(tmp_path: Path) -> None:
    made = db.Catalogue("astro", size=20, image_size=4, seed=2)
    db.materialize(made, tmp_path / "a.h5", progress=False)
    kept = db.StoredCatalogue(tmp_path / "a.h5", split="test")
    assert kept.samples([1, 0]).index.tolist() == [17, 16]
    assert torch.equal(kept.samples(1).data[0], kept[1][0])
    both = db.Collection([kept, db.Catalogue("star", size=9, image_size=4)], target="index")
    samples = both.samples([0, 6, 1, 5])
    assert {name: sample.index.tolist() for name, sample in samples.items()} == {
        "astro": [16, 17],
        "star": [2, 1],
    }
    assert list(both.samples(slice(0, 2))) == ["astro"]


def test_limit_selects_the_first_rows_of_a_split(tmp_path: Path) -> None:
    made = db.Catalogue("astro", size=100, image_size=4)
    db.materialize(made, tmp_path / "a.h5", progress=False)
    common: dict[str, Any] = {"split": "test", "limit": 3, "target": "index"}
    for few in (
        db.Catalogue("astro", size=100, image_size=4, **common),
        db.StoredCatalogue(tmp_path / "a.h5", **common),
    ):
        assert [index for _, index in few] == [80, 81, 82]
        assert list(few.rows) == [80, 81, 82]
        assert "limit 3" in repr(few)
    few = db.Catalogue("astro", size=100, limit=3)
    with pytest.raises(ValueError, match=r"limit=3; write the catalogue without limit"):
        db.materialize(few, tmp_path / "few.h5", progress=False)


@pytest.mark.parametrize("limit", [0, -1, 21, 2.0, True, "5"])
def test_a_limit_beyond_the_split_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match=r"limit: expected None or 1 to 20, .*use a larger size"):
        db.Catalogue("astro", size=100, split="val", limit=limit)


def test_a_mask_names_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"convert a mask with mask.nonzero\(\)"):
        catalogue(tmp_path)[torch.ones(50, dtype=torch.bool)]
