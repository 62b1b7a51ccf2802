"""The law across processes: any workers, start method, kind of dataset and ranks, each row once."""

import pickle
from collections.abc import Iterator
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.training.samplers import EachOnce, EpochShuffle

pytestmark = [
    # a DataLoader draws the seeds of its workers from the global generator
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # more workers than cores
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]
SIZE, BATCH = 36, 3
KINDS = ("map", "stream", "stored")
# rank and number of ranks, workers, start method; no method matters without workers
TABLE = [
    (kind, workers, method, world)
    for kind, workers, method, world in product(
        KINDS, (0, 1, 2, 4), ("fork", "spawn", "forkserver"), (1, 2, 3)
    )
    if workers or method == "fork"
]
# what is quick, and each kind once with each slow method
SHORT = [row for row in TABLE if row[2] == "fork" and (row[1] in (0, 2) or row[3] == 1)] + [
    ("stream", 1, "spawn", 1),
    ("stored", 1, "forkserver", 2),
    ("stream", 2, "forkserver", 2),
]


@pytest.fixture(scope="module", autouse=True)
def server_of_forks() -> None:
    """Have the server import torch once, and not every worker that it forks."""
    get_context("forkserver").set_forkserver_preload(["deepbench_torch"])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "a.h5"
    catalogue = db.Catalogue("star", size=SIZE, seed=7, image_size=5)
    return db.materialize(catalogue, path, progress=False, shard_rows=13)


@pytest.fixture(scope="module")
def expected() -> Tensor:
    """Oracle: the rows of one call of generate."""
    images: Tensor = db.generate("star", 7, torch.arange(SIZE), image_size=5).image
    return images


def loader(kind: str, stored: Path, workers: int, method: str) -> DataLoader[Any]:
    """A loader as a user makes it; only the environment tells it of ranks."""
    options: dict[str, Any] = {"num_workers": workers}
    if workers:
        options["multiprocessing_context"] = method
    if kind == "stream":
        stream = db.CatalogueStream(
            "star", seed=7, start=0, size=SIZE, batch_size=BATCH, image_size=5, target="index"
        )
        return DataLoader(stream, batch_size=None, **options)
    if kind == "map":
        rows: Any = db.Catalogue("star", size=SIZE, seed=7, image_size=5, target="index")
    else:
        rows = db.StoredCatalogue(stored, target="index")
        rows.__getitems__([0, 35])  # it is open here before the workers start
    return DataLoader(rows, batch_size=BATCH, sampler=EpochShuffle(rows, seed=1), **options)


def read(
    row: tuple[str, int, str, int], stored: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """The batches of each rank."""
    kind, workers, method, world = row
    for rank in range(world):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(world))
        yield [tuple(batch) for batch in loader(kind, stored, workers, method)]


def check(
    row: tuple[str, int, str, int],
    stored: Path,
    expected: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ranks = list(read(row, stored, monkeypatch))
    assert len({len(batches) for batches in ranks}) == 1
    turns = [batch for turn in zip(*ranks, strict=True) for batch in turn]
    index = torch.cat([index for _, index in turns])
    assert sorted(index.tolist()) == list(range(SIZE))
    assert torch.equal(torch.cat([images for images, _ in turns]), expected[index])
    if row[0] == "stream":
        assert index.tolist() == list(range(SIZE))


@pytest.mark.parametrize("row", SHORT, ids=lambda row: "-".join(map(str, row)))
def test_each_row_once(
    row: tuple[str, int, str, int],
    stored: Path,
    expected: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(row, stored, expected, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", [row for row in TABLE if row not in SHORT], ids=lambda row: "-".join(map(str, row))
)
def test_each_row_once_in_every_way(
    row: tuple[str, int, str, int],
    stored: Path,
    expected: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(row, stored, expected, monkeypatch)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_evaluation_in_every_way(
    world: int, stored: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = []
    for rank in range(world):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(world))
        rows = db.StoredCatalogue(stored)
        once: DataLoader[Any] = DataLoader(
            rows, batch_size=BATCH, sampler=EachOnce(rows), num_workers=1
        )
        images += [batch for batch, _ in once]
    assert torch.equal(torch.cat(images), expected)


def simple(value: object) -> bool:
    """Whether a value is plain data: nothing that is open, drawn from or locked."""
    if isinstance(value, dict):
        return all(simple(each) for each in value.values())
    if isinstance(value, list | tuple | set):
        return all(simple(each) for each in value)
    plain = (int, float, str, bool, range, Path, Tensor, np.ndarray, np.dtype, torch.device)
    if value is None or isinstance(value, (*plain, AbstractRecipe)):
        return True
    return type(value).__module__.startswith("deepbench_torch.") and simple(vars(value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_that_was_read_is_plain_data_when_it_is_pickled(kind: str, stored: Path) -> None:
    dataset = loader(kind, stored, 0, "fork").dataset
    next(iter(dataset))
    copied = pickle.loads(pickle.dumps(dataset))  # noqa: S301
    assert simple(vars(copied)), vars(copied)
    index = next(iter(copied))[1]
    expected = [BATCH, BATCH + 1, BATCH + 2] if kind == "stream" else 0  # it goes on, or begins
    assert (index.tolist() if kind == "stream" else index) == expected
