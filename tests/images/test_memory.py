"""Memory stays as it is from epoch to epoch, whatever the number of rows and workers."""

from pathlib import Path
from typing import Any

import psutil
import pytest
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.training.samplers import EpochShuffle

pytestmark = [
    # a DataLoader draws the seeds of its workers from the global generator
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # more workers than cores
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]


def resident() -> int:
    """Bytes that this process and its workers have in memory."""
    process = psutil.Process()
    family = [process, *process.children(recursive=True)]
    return sum(int(each.memory_info().rss) for each in family)


def after_each_epoch(loader: DataLoader[Any], *, rows: int, epochs: int = 3) -> list[int]:
    """The memory in use at the end of each epoch, before its workers go."""
    used = []
    for epoch in range(epochs):
        if isinstance(loader.sampler, EpochShuffle):
            loader.sampler.set_epoch(epoch)
        seen = 0
        for images, _ in loader:
            seen += len(images)
            if seen == rows:
                used.append(resident())
        assert seen == rows
    return used


def stored_loader(folder: Path, *, rows: int, workers: int) -> DataLoader[Any]:
    catalogue = db.Catalogue("star", size=rows, image_size=4)
    path = db.materialize(catalogue, folder / "a.h5", progress=False, shard_rows=rows // 7)
    stored = db.StoredCatalogue(path)
    order = EpochShuffle(stored, seed=0)
    return DataLoader(
        stored, batch_size=500, sampler=order, num_workers=workers, persistent_workers=True
    )


def stream_loader(*, rows: int, workers: int) -> DataLoader[Any]:
    stream = db.CatalogueStream("star", size=rows, batch_size=500, image_size=4)
    return DataLoader(stream, batch_size=None, num_workers=workers, persistent_workers=True)


@pytest.mark.parametrize("kind", ["stored", "stream"])
def test_memory_over_a_few_rows(kind: str, tmp_path: Path) -> None:
    """The memory of the first batches settles within the first epoch."""
    rows, workers = 28_000, 2
    loader = (
        stored_loader(tmp_path, rows=rows, workers=workers)
        if kind == "stored"
        else stream_loader(rows=rows, workers=workers)
    )
    used = after_each_epoch(loader, rows=rows)
    assert used[-1] <= 1.05 * used[0], used


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["stored", "stream"])
def test_memory_over_a_million_rows(kind: str, tmp_path: Path) -> None:
    rows, workers = 1_000_000, 4
    loader = (
        stored_loader(tmp_path, rows=rows, workers=workers)
        if kind == "stored"
        else stream_loader(rows=rows, workers=workers)
    )
    used = after_each_epoch(loader, rows=rows)
    print(f"{kind}: {[round(each / 1e6) for each in used]} MB after each epoch")
    assert used[-1] <= 1.05 * used[0], used
