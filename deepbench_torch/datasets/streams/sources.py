"""Sources of streams: one recipe, or the interleaved recipes of a collection."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deepbench_torch.datasets import LARGEST_SIZE, Catalogue, PairDataset, PairTransform, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.order import interleave
from deepbench_torch.datasets.overlap import STREAM, Part
from deepbench_torch.datasets.targets import Target, target_rows
from deepbench_torch.generate import ImageSize, generate
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.samples import AbstractSample, own_rows

PERIOD = 1 << 12  # rows after which the interleaving of a collection's members repeats
Source = Catalogue | Collection


def stream_source(
    recipe: str | Path | AbstractRecipe | Collection,
    *,
    seed: int | None,
    image_size: ImageSize,
    realization: int | None,
    target: Target | None,
    transform: Transform | None,
    target_transform: Transform | None,
    transforms: PairTransform | None,
) -> Source:
    """Return the dataset whose recipes, target and transforms a stream uses.

    Raises:
        TypeError: If the recipe is a dataset other than a collection.
        ValueError: If a collection has a seed, an image size or a realization beside it.
    """
    if isinstance(recipe, PairDataset) and not isinstance(recipe, Collection):
        raise TypeError(
            f"CatalogueStream: expected a recipe or a Collection, got a {type(recipe).__name__}; "
            "pass its recipe and seed"
        )
    if not isinstance(recipe, Collection):
        return Catalogue(
            recipe,
            size=LARGEST_SIZE,
            seed=seed,
            image_size=image_size,
            realization=realization,
            target="label" if target is None else target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
    _check_left_to_members(seed, image_size=image_size, realization=realization)
    source = recipe.with_target(recipe.target if target is None else target)
    own = (recipe.transform, recipe.target_transform, recipe.transforms)
    new = (transform, target_transform, transforms)
    chosen: Any = own if new == (None, None, None) else new
    # the target's first: a transform is checked beside it
    source.target_transform, source.transform, source.transforms = chosen[1], chosen[0], chosen[2]
    return source


def _check_left_to_members(
    seed: int | None, *, image_size: ImageSize, realization: int | None
) -> None:
    """Refuse what only the members of a collection set."""
    if seed is not None or image_size is not None:
        raise ValueError(
            "CatalogueStream: expected seed=None and image_size=None for a Collection, got "
            f"{seed!r} and {image_size!r}; set both in its members"
        )
    if realization is not None:
        raise ValueError(
            "CatalogueStream: expected realization=None for a Collection, got "
            f"{realization!r}; set it in its members"
        )


def digest_of(source: Source) -> str:
    """Return a digest of the recipes of a source and their weights, for saved states."""
    if isinstance(source, Catalogue):
        return source.recipe.digest
    members = [(member.recipe.digest, member.seed) for member in source.members]
    return hashlib.sha256(repr((members, _weights(source))).encode()).hexdigest()


def parts_from(source: Source, start: int) -> list[Part]:
    """Return the rows of each recipe that a stream from `start` on uses."""
    rows = range(start, LARGEST_SIZE)  # an epoch continues after the rows of the last
    members = [source] if isinstance(source, Catalogue) else source.members
    return [Part(member.recipe, member.seed, STREAM, 0, rows) for member in members]


def _weights(source: Collection) -> list[float]:
    """Return the relative frequency of each member: its weight, else its number of rows."""
    return source.weights or [float(len(part)) for part in source.order.parts]


@dataclass(frozen=True)
class RowMaker:
    """Generator of the rows of a source by their numbers.

    Row r of a collection is row r of one of its members, so no row of a member is repeated. The
    choice of the member depends only on the collection and r.

    Attributes:
        source: Dataset of the rows.
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
        phase = torch.tensor(rows, dtype=torch.int64, device="cpu") % PERIOD
        owners = self._member_of[phase].tolist()
        pairs: list[tuple[Any, Any]] = [(None, None)] * len(rows)
        for number in sorted(set(owners)):
            positions = [position for position, owner in enumerate(owners) if owner == number]
            member = source.members[number]
            own = [rows[position] for position in positions]
            sample = self._sample(member.recipe, member.seed, own)
            new = sample_pairs(sample, member.target)
            for position, (data, target) in zip(positions, new, strict=True):
                pairs[position] = data, source.united_target(target, number)
        return pairs

    def _sample(self, recipe: AbstractRecipe, seed: int, rows: list[int]) -> AbstractSample:
        index = torch.tensor(rows, dtype=torch.int64, device="cpu")
        return generate(recipe, seed, index, device=self.device)

    @cached_property
    def _member_of(self) -> Tensor:
        """Member of each of PERIOD consecutive rows, int64, shape (PERIOD,)."""
        if isinstance(self.source, Catalogue):
            return torch.zeros(PERIOD, dtype=torch.int64, device="cpu")
        weights = _weights(self.source)
        members = interleave([PERIOD] * len(weights), weights)
        return torch.from_numpy(members[:PERIOD].astype("int64"))


def sample_pairs(sample: AbstractSample, target: Target) -> list[tuple[Any, Any]]:
    """Return the rows of a sample as pairs of data and target, each with memory of its own."""
    return list(zip(own_rows(sample.data), target_rows(sample, target), strict=True))
