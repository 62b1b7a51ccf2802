"""CatalogueStream: rows of generate(), each once, on any process; epochs and resuming."""

import copy
import pickle
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

import deepbench_torch as db

# a DataLoader samples the seeds of its workers from the global generator
pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:.*set_vital.*"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # more workers than cores
]

START = 2**62  # the default start


def stream(**options: Any) -> db.CatalogueStream:
    plain: dict[str, Any] = {"image_size": 4, "batch_size": 3, "target": "index"}
    return db.CatalogueStream("star", **plain | options)


def loader(dataset: db.CatalogueStream, workers: int, **options: Any) -> DataLoader[Any]:
    return DataLoader(dataset, batch_size=None, num_workers=workers, **options)


def rows(batches: Any) -> list[int]:
    """Return the row numbers in batches, counted from the default start."""
    return [row - START for _, index in batches for row in index.tolist()]


@pytest.fixture
def three_ranks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets the rank of this process, one of three."""
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "0")
    return lambda rank: monkeypatch.setenv("RANK", str(rank))


def test_batches_are_rows_of_generate() -> None:
    made = db.CatalogueStream("astro", seed=3, start=7, size=10, batch_size=4, image_size=(6, 8))
    sample = db.generate("astro", 3, torch.arange(7, 17), image_size=(6, 8))
    images, labels = zip(*made, strict=True)
    assert [len(part) for part in images] == [4, 4, 2]
    assert torch.equal(torch.cat(images), sample.image)
    assert torch.equal(torch.cat(labels), sample.label)
    assert labels[0].dtype == torch.int64
    assert (made.classes, made.seed, made.recipe.shape) == (
        db.load_recipe("astro").classes,
        3,
        (1, 6, 8),
    )


def test_rows_one_by_one_are_rows_of_generate() -> None:
    made = stream(batch_size=None, target="label")
    sample = db.generate("star", 0, torch.arange(START, START + 100), image_size=4)
    images = [image for image, _ in islice(made, 100)]
    assert torch.equal(torch.stack(images), sample.image)


def test_a_stream_starts_beyond_every_catalogue() -> None:
    with pytest.raises(ValueError, match="size: expected a positive whole number of rows"):
        db.Catalogue("star", size=START + 1)
    largest = db.Catalogue("star", size=START)
    recipe = db.load_recipe("star").replace(size=12_345, seed=6)
    for made in (db.CatalogueStream("star"), db.CatalogueStream(recipe)):
        assert made.start == START == largest.rows[-1] + 1
    assert made.seed == 6
    assert (db.CatalogueStream(recipe, seed=0, start=0).start, made.seed) == (0, 6)


@pytest.mark.parametrize("size", [None, 1, 5])
def test_rows_stay_below_63_bits(size: int | None) -> None:
    last = 2**63 - (size or 1)
    assert len(next(iter(stream(start=last, size=size, batch_size=1))))
    with pytest.raises(ValueError, match=r"(expected rows below|start: expected)"):
        stream(start=last + 1, size=size or 2)
    resumed = stream(start=last, size=size, batch_size=1)
    with pytest.raises(ValueError, match=r"expected rows below 2\*\*63"):
        [*islice(resumed, 9), *resumed]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", [DataLoader, StatefulDataLoader])
@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"batch_size": 1}], ids=str)
def test_batches_of_batches_are_refused(options: Any, kind: Any, workers: int) -> None:
    read = kind(stream(size=12), num_workers=workers, **options)
    with pytest.raises(ValueError, match=r"expected batch_size=None .*or StreamLoader\(stream\)"):
        next(iter(read))
    one_by_one = kind(stream(size=12, batch_size=None), num_workers=workers, **options)
    assert len(next(iter(one_by_one))[1]) == options.get("batch_size", 1)
    batches = kind(stream(size=12), num_workers=workers, batch_size=None)
    assert len(next(iter(batches))[1]) == 3


def test_targets_transforms_and_collate() -> None:
    made = stream(target=["label", "clean"], transform=lambda image: image + 1, batch_size=5)
    images, targets = next(iter(made))
    sample = db.generate("star", 0, torch.arange(START, START + 5), image_size=4)
    assert torch.equal(images, sample.image + 1)
    assert torch.equal(targets["clean"], sample.clean)
    boxes = stream(target=["boxes", "labels"], collate_fn=db.collate_detection, image_size=16)
    images, targets = next(iter(boxes))
    assert len(images) == len(targets) == 3
    negative = next(iter(stream(target_transform=lambda index: -index)))[1]
    assert negative.tolist() == [-START, -START - 1, -START - 2]


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_ranks_and_workers_cover_each_row_once(
    workers: int, batch_size: int | None, three_ranks: Any
) -> None:
    parts = []
    for rank in range(3):
        three_ranks(rank)
        made = stream(size=28, batch_size=batch_size)
        together = None if batch_size else 2
        parts.append(list(DataLoader(made, batch_size=together, num_workers=workers)))
        assert len(made) == (4 if batch_size else 9)
    assert len({len(part) for part in parts}) == 1
    every = 28 if batch_size else 27  # three ranks omit the last single row
    assert sorted(rows(batch for part in parts for batch in part)) == list(range(every))


@pytest.mark.parametrize("persistent", [False, True])
def test_epochs_continue(persistent: bool) -> None:
    read = loader(stream(size=8), 2, persistent_workers=persistent)
    assert [rows(read) for _ in range(3)] == [list(range(first, first + 8)) for first in (0, 8, 16)]
    assert len(read) == 3
    # an epoch that is left early ends
    assert rows(islice(read, 1)) == [24, 25, 26]
    assert rows(read) == list(range(32, 40))


def test_epochs_continue_in_this_process() -> None:
    made = stream(size=7)
    assert [rows(made) for _ in range(2)] == [list(range(7)), list(range(7, 14))]
    assert rows(islice(made, 1)) == [14, 15, 16]
    assert rows(made) == list(range(21, 28))


def test_a_stream_without_end_continues() -> None:
    made = stream()
    assert rows(islice(made, 2)) == list(range(6))
    assert rows(islice(made, 1)) == [6, 7, 8]
    with pytest.raises(TypeError, match="expected a stream with a size, got size=None; set size"):
        len(made)
    read = loader(stream(), 2)
    seen = rows(islice(read, 3)) + rows(islice(read, 3))
    assert len(set(seen)) == 18


def test_rows_that_fill_no_batch_may_be_omitted(three_ranks: Any) -> None:
    made = stream(size=20, drop_last=True)
    assert rows(made) == [0, 1, 2, 9, 10, 11]
    assert rows(made) == [20, 21, 22, 29, 30, 31]
    with pytest.raises(ValueError, match="3 rows for each of 3 ranks, got an epoch of 5 rows"):
        iter(stream(size=5, drop_last=True)).__next__()


@pytest.mark.parametrize("after", [0, 1, 4, 7, 9, 10])
@pytest.mark.parametrize(("before", "later"), [(0, 2), (2, 1), (2, 3)])
def test_a_loader_resumes_with_other_workers(before: int, later: int, after: int) -> None:
    """Oracle: the rows of one epoch and the next, in order."""
    first = db.StreamLoader(stream(size=28), num_workers=before)
    seen = rows(islice(first, after))
    assert seen == list(range(min(28, 3 * after)))
    second = db.StreamLoader(stream(size=28), num_workers=later)
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))  # noqa: S301
    rest = rows(second) if after < 10 else []
    assert seen + rest == list(range(28))
    assert rows(second) == list(range(28, 56))
    assert second.state_dict()["rows"] == 56


@pytest.mark.parametrize("workers", [0, 2])
def test_another_loader_continues_the_stream(workers: int) -> None:
    made = stream(size=9)
    assert [rows(db.StreamLoader(made, num_workers=workers)) for _ in range(2)] == [
        list(range(9)), list(range(9, 18)),
    ]  # fmt: skip
    endless = stream()
    assert [rows(islice(db.StreamLoader(endless, num_workers=workers), 2)) for _ in range(2)] == [
        list(range(6)), list(range(6, 12)),
    ]  # fmt: skip


def test_a_loader_loses_no_prefetched_row() -> None:
    read = db.StreamLoader(stream(), num_workers=2, persistent_workers=True)
    assert [rows(islice(read, 2)) for _ in range(3)] == [
        list(range(first, first + 6)) for first in (0, 6, 12)
    ]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", ["ours", "torchdata"])
def test_a_job_resumes_on_other_ranks(
    kind: str, workers: int, three_ranks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Any:
        if kind == "ours":
            return db.StreamLoader(stream(), num_workers=workers)
        return StatefulDataLoader(stream(), batch_size=None, num_workers=workers)

    reads = [make() for _ in range(3)]
    parts = []
    for rank, read in enumerate(reads):
        three_ranks(rank)
        parts.append(list(islice(read, 2)))
    in_turn = [batch for turn in zip(*parts, strict=True) for batch in turn]
    assert rows(in_turn) == list(range(18))
    states = [read.state_dict() for read in reads]
    assert kind != "ours" or states[0] == states[1] == states[2]
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    alone = db.StreamLoader(stream(batch_size=5), num_workers=1)
    alone.load_state_dict(states[1])
    assert rows(islice(alone, 2)) == list(range(18, 28))


@pytest.mark.parametrize(("before", "later"), [(0, 0), (2, 2), (2, 3), (1, 0)])
def test_torchdata_resumes(before: int, later: int) -> None:
    first: Any = StatefulDataLoader(stream(size=28), batch_size=None, num_workers=before)
    seen = rows(islice(first, 3))
    state = first.state_dict()
    made = stream(size=28)
    second: Any = StatefulDataLoader(made, batch_size=None, num_workers=later)
    if before == later:
        second.load_state_dict(state)
    else:
        made.load_state_dict(state)
    assert seen + rows(second) == list(range(28))
    assert rows(second) == list(range(28, 56))


def test_rows_one_by_one_resume_with_as_many_workers_only() -> None:
    made = stream(batch_size=None, size=28)
    first: Any = StatefulDataLoader(made, batch_size=3, num_workers=2)
    seen = rows(islice(first, 3))
    state = first.state_dict()
    second: Any = StatefulDataLoader(copy.copy(made), batch_size=3, num_workers=2)
    second.load_state_dict(state)
    assert sorted(seen + rows(second)) == list(range(28))
    with pytest.raises(ValueError, match=r"are not in step; set batch_size in the stream, or"):
        made.load_state_dict(state)


def test_a_state_of_another_stream_is_refused() -> None:
    state = stream().state_dict()
    with pytest.raises(ValueError, match="a stream with seed 1, got one with 0; make"):
        stream(seed=1).load_state_dict(state)
    with pytest.raises(ValueError, match=r"a stream with recipe '.*make the stream with its a"):
        stream(image_size=5).load_state_dict(state)
    with pytest.raises(ValueError, match=r"expected the state of a stream, got"):
        stream().load_state_dict({key: state[key] for key in state if key != "seed"})
    with pytest.raises(ValueError, match=r"the state of a stream, got {'a': 1}; pass"):
        stream().load_state_dict({"a": 1})


def test_a_copy_continues_separately() -> None:
    made = stream()
    next(iter(made))
    blob = pickle.dumps(made)
    assert len(blob) < 5000
    there = pickle.loads(blob)  # noqa: S301
    for each in (made, there, copy.deepcopy(made)):
        assert rows(islice(each, 1)) == [3, 4, 5]


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells what is in memory")
def test_shared_memory_is_anonymous() -> None:
    """Oracle: the system's list of the memory maps of this process."""
    made = stream()
    address = made._progress._table.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(end, 16) for end in line.split()[0].split("-"))
        if first <= address < last:
            assert " rw-s " in line
            assert line.endswith(" (deleted)")
            return
    pytest.fail("the table is not in the memory maps")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: expected None or a positive number of rows, got 0; use 1"),
        ({"batch_size": -1}, "batch_size: expected None or a positive number, got -1; use 1"),
        ({"start": -1}, r"start: expected a row number from 0 to 2\*\*63 - 1, got -1; omit"),
        ({"target": "colour"}, "target: expected .*, got 'colour'; use"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stream(**options)


def test_a_loader_requires_batches_and_a_device_no_workers() -> None:
    with pytest.raises(ValueError, match="got batch_size=None; set batch_size in the stream"):
        db.StreamLoader(stream(batch_size=None))
    rows = stream()
    rows.__dict__["device"] = torch.device("cuda")  # as on a machine with a GPU
    with pytest.raises(ValueError, match=r"expected num_workers=0 with .*, got 1 workers; use"):
        next(iter(loader(rows, 1)))
