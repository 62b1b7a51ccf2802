"""Rows that a network was trained on, so that a test on the same rows is noticed."""

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
MOST_PLACES = 10_000_000  # rows of a view or collection that are listed one by one


class Origin(NamedTuple):
    """Recipe and seed of rows: rows of one number are the same image if these are.

    Attributes:
        name: Name of the recipe.
        digest: Digest of the recipe.
        seed: The seed.
    """

    name: str
    digest: str
    seed: int


Rows = dict[Origin, Tensor]  # ranges [first, last], int64 of shape (R, 2), ascending and apart


def rows_of(loader: object) -> Rows:
    """Return the rows of a loader's dataset; nothing for datasets of others.

    Of a `StreamLoader` these are the rows from its start to the last that it has returned.
    """
    if isinstance(loader, StreamLoader):
        stream, taken = loader.stream, int(loader.state_dict()["rows"])
        return {_origin(stream): _ranges(range(stream.start, stream.start + taken))}
    return _dataset_rows(loader.dataset) if isinstance(loader, DataLoader) else {}


def united(parts: Iterable[Rows]) -> Rows:
    """Return the rows of several parts together."""
    found: dict[Origin, list[Tensor]] = {}
    for part in parts:
        for origin, ranges in part.items():
            found.setdefault(origin, []).append(ranges)
    merged = {origin: _merged(torch.cat(ranges)) for origin, ranges in found.items()}
    return {origin: rows for origin, rows in merged.items() if 0 < len(rows) <= MOST_RANGES}


def leaks(trained: Rows, tested: Rows) -> list[str]:
    """Return a sentence for each recipe and seed of which rows were trained on and tested."""
    sentences = []
    for origin in trained.keys() & tested.keys():
        mine, theirs = trained[origin], tested[origin]
        count = _shared(mine, theirs)
        if count:
            sentences.append(
                f"{count} of {_count(theirs)} rows of {origin.name} (recipe {origin.digest:.8}, "
                f"seed {origin.seed}) are rows that this network was trained on: trained "
                f"{_span(mine)}, now {_span(theirs)}"
            )
    return sorted(sentences)


def to_state(rows: Rows) -> list[dict[str, Any]]:
    """Return rows as plain values and tensors for a checkpoint."""
    return [origin._asdict() | {"ranges": ranges} for origin, ranges in rows.items()]


def from_state(state: Sequence[dict[str, Any]]) -> Rows:
    """Return the rows that `to_state` wrote."""
    return {
        Origin(each["name"], each["digest"], each["seed"]): each["ranges"].cpu() for each in state
    }


def _origin(dataset: RowDataset | CatalogueStream) -> Origin:
    return Origin(dataset.recipe.name, dataset.recipe.digest, dataset.seed)


def _dataset_rows(dataset: object) -> Rows:
    if isinstance(dataset, RowDataset):
        return {_origin(dataset): _ranges(dataset.rows)}
    if isinstance(dataset, ConcatDataset):
        return united(_dataset_rows(part) for part in dataset.datasets)
    if isinstance(dataset, Subset | DatasetView | Collection):
        try:
            return _listed(dataset, range(len(dataset)))
        except (TypeError, IndexError, ValueError):  # indices of another kind
            return {}
    return {}


def _listed(dataset: object, places: Sequence[int]) -> Rows:
    """Return the rows at some places of a dataset."""
    if len(places) > MOST_PLACES:
        return {}
    if isinstance(dataset, RowDataset):
        return {_origin(dataset): _ranges([dataset.rows[place] for place in places])}
    if isinstance(dataset, Subset | DatasetView):
        return _listed(dataset.dataset, [dataset.indices[place] for place in places])
    if isinstance(dataset, Collection):
        found: dict[int, list[int]] = {}
        for place in places:
            member, there = dataset.order[place]
            found.setdefault(member, []).append(there)
        return united(_listed(dataset.members[member], own) for member, own in found.items())
    if isinstance(dataset, ConcatDataset):
        parts: list[list[int]] = [[] for _ in dataset.datasets]
        ends = torch.tensor(dataset.cumulative_sizes)
        for place in places:
            part = int(torch.searchsorted(ends, place, right=True))
            parts[part].append(place - (int(ends[part - 1]) if part else 0))
        return united(map(_listed, dataset.datasets, parts))
    return {}


def _ranges(rows: Sequence[int]) -> Tensor:
    if isinstance(rows, range) and rows.step == 1:
        pair = [[rows.start, rows.stop - 1]] if rows else []
        return torch.tensor(pair, dtype=torch.int64, device="cpu").view(-1, 2)
    numbers = torch.tensor(list(rows), dtype=torch.int64, device="cpu")
    return _merged(torch.stack((numbers, numbers), dim=1))


def _merged(ranges: Tensor) -> Tensor:
    """Return ranges in ascending order, with those joined that touch or overlap."""
    if not len(ranges):
        return ranges
    ranges = ranges[ranges[:, 0].argsort(stable=True)]
    reached = ranges[:, 1].cummax(0).values
    first = torch.ones(len(ranges), dtype=torch.bool, device="cpu")
    first[1:] = ranges[1:, 0] > reached[:-1] + 1
    ends = torch.cat((first[1:], first.new_ones(1)))
    return torch.stack((ranges[first, 0], reached[ends]), dim=1)


def _shared(one: Tensor, other: Tensor) -> int:
    """Return how many rows two sets of ranges share."""
    both = torch.cat((one, other))
    return _count(one) + _count(other) - _count(_merged(both))


def _count(ranges: Tensor) -> int:
    return int((ranges[:, 1] - ranges[:, 0] + 1).sum())


def _span(ranges: Tensor) -> str:
    span = f"rows {int(ranges[0, 0])} to {int(ranges[-1, 1])}"
    return span if len(ranges) == 1 else f"{_count(ranges)} of {span}"
