"""Rows used for training a network, for a warning if a test uses the same rows."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Subset

from deepbench_torch.datasets import RowDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.streams import CatalogueStream, StreamLoader
from deepbench_torch.datasets.view import DatasetView

MOST_RANGES = 1_000_000  # of one recipe and seed; 16 MB of a checkpoint
MOST_INDICES = 10_000_000  # rows of a view or collection that are listed one by one


class Origin(NamedTuple):
    """Recipe and seed of rows; equal origin and row number mean the same scene.

    Attributes:
        name: Name of the recipe.
        digest: Digest of the recipe's scenes, the same for every realization of the noise.
        seed: Seed of the rows.
    """

    name: str
    digest: str
    seed: int


Rows = dict[Origin, Tensor]  # ranges [first, last], int64 of shape (R, 2), ascending, disjoint


def rows_of(loader: object) -> Rows:
    """Return the rows of a loader's dataset; nothing for datasets of other packages.

    For a `StreamLoader`, return the rows from its start to the last row that it has returned.
    """
    if isinstance(loader, StreamLoader):
        stream, count = loader.stream, int(loader.state_dict()["rows"])
        return {_origin(stream): _ranges(range(stream.start, stream.start + count))}
    return _dataset_rows(loader.dataset) if isinstance(loader, DataLoader) else {}


def union(parts: Iterable[Rows]) -> Rows:
    """Return the union of several sets of rows."""
    found: dict[Origin, list[Tensor]] = {}
    for part in parts:
        for origin, ranges in part.items():
            found.setdefault(origin, []).append(ranges)
    merged = {origin: _merged(torch.cat(ranges)) for origin, ranges in found.items()}
    return {origin: rows for origin, rows in merged.items() if 0 < len(rows) <= MOST_RANGES}


def leaks(trained: Rows, tested: Rows) -> list[str]:
    """Return a sentence for each recipe and seed with rows in both sets."""
    sentences = []
    for origin in trained.keys() & tested.keys():
        known, new = trained[origin], tested[origin]
        count = _count_shared(known, new)
        if count:
            sentences.append(
                f"{count} of {_count(new)} rows of {origin.name} (recipe {origin.digest:.8}, "
                f"seed {origin.seed}) are rows that this network was trained on: trained "
                f"{_span(known)}, now {_span(new)}"
            )
    return sorted(sentences)


def to_state(rows: Rows) -> list[dict[str, Any]]:
    """Return rows as plain values and tensors for a checkpoint."""
    return [origin._asdict() | {"ranges": ranges} for origin, ranges in rows.items()]


def from_state(state: Sequence[dict[str, Any]]) -> Rows:
    """Return the rows of a state that `to_state` returned."""
    return {
        Origin(each["name"], each["digest"], each["seed"]): each["ranges"].cpu() for each in state
    }


def _origin(dataset: RowDataset | CatalogueStream) -> Origin:
    return Origin(dataset.recipe.name, dataset.recipe.scene_digest, dataset.seed)


def _dataset_rows(dataset: object) -> Rows:
    if isinstance(dataset, RowDataset):
        return {_origin(dataset): _ranges(dataset.rows)}
    if isinstance(dataset, ConcatDataset):
        return union(_dataset_rows(part) for part in dataset.datasets)
    if isinstance(dataset, Subset | DatasetView | Collection):
        try:
            return _rows_at(dataset, range(len(dataset)))
        except (TypeError, IndexError, ValueError):  # indices of another type
            return {}
    return {}


def _rows_at(dataset: object, indices: Sequence[int]) -> Rows:
    """Return the rows at some indices of a dataset."""
    if len(indices) > MOST_INDICES:
        return {}
    if isinstance(dataset, RowDataset):
        return {_origin(dataset): _ranges([dataset.rows[index] for index in indices])}
    if isinstance(dataset, Subset | DatasetView):
        return _rows_at(dataset.dataset, [dataset.indices[index] for index in indices])
    if isinstance(dataset, Collection):
        by_member: dict[int, list[int]] = {}
        for index in indices:
            member, member_index = dataset.order[index]
            by_member.setdefault(member, []).append(member_index)
        return union(_rows_at(dataset.members[member], own) for member, own in by_member.items())
    if isinstance(dataset, ConcatDataset):
        parts: list[list[int]] = [[] for _ in dataset.datasets]
        ends = torch.tensor(dataset.cumulative_sizes)
        for index in indices:
            part = int(torch.searchsorted(ends, index, right=True))
            parts[part].append(index - (int(ends[part - 1]) if part else 0))
        return union(map(_rows_at, dataset.datasets, parts))
    return {}


def _ranges(rows: Sequence[int]) -> Tensor:
    if isinstance(rows, range) and rows.step == 1:
        pair = [[rows.start, rows.stop - 1]] if rows else []
        return torch.tensor(pair, dtype=torch.int64, device="cpu").view(-1, 2)
    numbers = torch.tensor(list(rows), dtype=torch.int64, device="cpu")
    return _merged(torch.stack((numbers, numbers), dim=1))


def _merged(ranges: Tensor) -> Tensor:
    """Return ranges in ascending order; adjacent and overlapping ranges are joined."""
    if not len(ranges):
        return ranges
    ranges = ranges[ranges[:, 0].argsort(stable=True)]
    reached = ranges[:, 1].cummax(0).values
    first = torch.ones(len(ranges), dtype=torch.bool, device="cpu")
    first[1:] = ranges[1:, 0] > reached[:-1] + 1
    ends = torch.cat((first[1:], first.new_ones(1)))
    return torch.stack((ranges[first, 0], reached[ends]), dim=1)


def _count_shared(one: Tensor, other: Tensor) -> int:
    """Return the number of rows in both sets of ranges."""
    both = torch.cat((one, other))
    return _count(one) + _count(other) - _count(_merged(both))


def _count(ranges: Tensor) -> int:
    return int((ranges[:, 1] - ranges[:, 0] + 1).sum())


def _span(ranges: Tensor) -> str:
    span = f"rows {int(ranges[0, 0])} to {int(ranges[-1, 1])}"
    return span if len(ranges) == 1 else f"{_count(ranges)} of {span}"
