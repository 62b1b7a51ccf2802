"""Sources of streams: a recipe, or the recipes of a collection by turns."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deepbench_torch.datasets import LARGEST_SIZE, Catalogue, PairDataset, PairTransform, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.order import Interleaved
from deepbench_torch.datasets.overlap import STREAM, Part
from deepbench_torch.datasets.targets import Target, target_rows
from deepbench_torch.generate import ImageSize, generate
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples import AbstractSample, own_rows

TURNS = 1 << 12  # rows after which the turns of a collection's members repeat
Source = Catalogue | Collection


def stream_source(
    given: str | Path | AbstractRecipe | Collection,
    *,
    seed: int | None,
    image_size: ImageSize,
    target: Target | None,
    transform: Transform | None,
    target_transform: Transform | None,
    transforms: PairTransform | None,
) -> Source:
    """Return the dataset whose recipes, target and transforms a stream uses.

    Raises:
        TypeError: If another dataset is given.
        ValueError: If a collection is given together with a seed or an image size.
    """
    if isinstance(given, PairDataset) and not isinstance(given, Collection):
        raise TypeError(
            f"CatalogueStream: expected a recipe or a Collection, got a {type(given).__name__}; "
            "give its recipe and seed"
        )
    if not isinstance(given, Collection):
        return Catalogue(
            given,
            size=LARGEST_SIZE,
            seed=seed,
            image_size=image_size,
            target="label" if target is None else target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
    if seed is not None or image_size is not None:
        raise ValueError(
            "CatalogueStream: expected seed=None and image_size=None for a Collection, got "
            f"{seed!r} and {image_size!r}; its members have theirs"
        )
    source = given.with_target(given.target if target is None else target)
    own = (given.transform, given.target_transform, given.transforms)
    new = (transform, target_transform, transforms)
    chosen: Any = own if new == (None, None, None) else new
    source.transform, source.target_transform, source.transforms = chosen
    return source


def digest_of(source: Source) -> str:
    """Return what identifies the recipes of a source and their turns, for states."""
    if isinstance(source, Catalogue):
        return source.recipe.digest
    facts = [(member.recipe.digest, member.seed) for member in source.members]
    return hashlib.sha256(repr((facts, _weights(source))).encode()).hexdigest()


def parts_from(source: Source, start: int) -> list[Part]:
    """Return the rows that a stream from `start` on uses of each recipe."""
    rows = range(start, LARGEST_SIZE)  # epochs go on from row to row
    members = [source] if isinstance(source, Catalogue) else source.members
    return [Part(member.recipe, member.seed, STREAM, 0, rows) for member in members]


def _weights(source: Collection) -> list[float]:
    """How often each member comes: by its weight, else by its number of rows."""
    return source.weights or [float(len(part)) for part in source.order.parts]


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of a source by their numbers.

    Row r of a collection is row r of the member whose turn it is, so no row of a member comes
    twice, and the turns depend on the collection and r alone.

    Attributes:
        source: The source.
        device: Device that renders images.
    """

    source: Source
    device: torch.device

    def sample(self, rows: list[int]) -> AbstractSample | None:
        """Return rows as one sample; None for a collection, whose rows have several recipes."""
        if isinstance(self.source, Collection):
            return None
        return self._sample(self.source.recipe, self.source.seed, rows)

    def pairs(self, rows: list[int]) -> list[tuple[Any, Any]]:
        """Return data and targets of some rows, before the transforms."""
        source = self.source
        if not isinstance(source, Collection):
            return sample_pairs(self._sample(source.recipe, source.seed, rows), source.target)
        turns = self._turns[torch.tensor(rows, dtype=torch.int64, device="cpu") % TURNS].tolist()
        made: list[tuple[Any, Any]] = [(None, None)] * len(rows)
        for number in sorted(set(turns)):
            mine = [place for place, turn in enumerate(turns) if turn == number]
            member = source.members[number]
            sample = self._sample(member.recipe, member.seed, [rows[place] for place in mine])
            pairs = sample_pairs(sample, member.target)
            for place, (data, target) in zip(mine, pairs, strict=True):
                made[place] = data, source.united(target, number)
        return made

    def _sample(self, recipe: AbstractRecipe, seed: int, rows: list[int]) -> AbstractSample:
        index = torch.tensor(rows, dtype=torch.int64, device="cpu")
        return generate(recipe, seed, index, device=self.device)

    @cached_property
    def _turns(self) -> Tensor:
        """The member of each of TURNS rows that follow one another."""
        if isinstance(self.source, Catalogue):
            return torch.zeros(TURNS, dtype=torch.int64, device="cpu")
        weights = _weights(self.source)
        order = Interleaved([range(TURNS)] * len(weights), weights)
        return torch.from_numpy(order.member[:TURNS].astype("int64"))


def sample_pairs(sample: AbstractSample, target: Target) -> list[tuple[Any, Any]]:
    """Return the rows of a sample as pairs of data and target, each with memory of its own."""
    return list(zip(own_rows(sample.data), target_rows(sample, target), strict=True))
