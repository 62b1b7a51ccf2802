"""Collection: several catalogues as one map-style dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch import mixture
from deepbench_torch.datasets import (
    PairDataset,
    PairTransform,
    RowDataset,
    Split,
    Transform,
)
from deepbench_torch.datasets.base import Keys
from deepbench_torch.generate import ImageSize
from deepbench_torch.members import (
    DOMAIN,
    Members,
    bare,
    check_alike,
    checked_members,
    common_target,
    generated,
    member_names,
    resized,
)
from deepbench_torch.samples import AbstractSample
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.storage.group import Group, Options, list_members, read_group, writing_group
from deepbench_torch.targets import Target


@final
class Collection(PairDataset, Group):
    """Several catalogues, generated or stored, as one dataset.

    Class names are united in the order of the members. Where every member's label is a class, so is
    the collection's, an index among all names; otherwise every label says which kinds are present,
    float32 of shape (K,). Of time series, a label has a column for each parameter of any member,
    NaN where the member has none of that name.

    Without weights the members follow each other; with weights they take turns, so evenly that any
    beginning of the collection holds them in these proportions. Either way a place holds the same
    row for ever, and splits are made of the members' splits.

    Args:
        members: The catalogues; a mapping gives them names, else they have their recipes'.
        weights: How often each member comes, relative to the others; None for one after another.
        sizes: How many rows of each member take part, the first ones; None for all.
        size: How many rows there are before splitting, with weights only; as many as the members
            suffice for if None.
        split: "train", "val" or "test" of every member, 60 : 20 : 20; None for all.
        image_size: Height and width [pixel]; draws every member's scenes anew at this size.
        target: As in Catalogue, or "domain" for the number of the member, or a list of them; the
            members' own, which must be the same, if None.
        transform: Called with the image or series.
        target_transform: Called with the target.
        transforms: Called with both together, instead of the two before.

    Raises:
        TypeError: If a member is no catalogue.
        ValueError: If the members do not fit together, or an argument is not as above.

    Attributes:
        members: The catalogues.
        domains: Their names, in order.
    """

    def __init__(
        self,
        members: Members,
        *,
        weights: Sequence[float] | None = None,
        sizes: Sequence[int] | None = None,
        size: int | None = None,
        split: Split | None = None,
        image_size: ImageSize = None,
        target: Target | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        datasets = checked_members(members, split)
        self.domains = member_names(members, datasets)
        if image_size is not None:
            datasets = [resized(member, image_size) for member in datasets]
        check_alike(datasets, self.domains)
        super().__init__(
            target=common_target(datasets, self.domains) if target is None else target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self._classes = list(dict.fromkeys(name for member in datasets for name in member.classes))
        self.members = [bare(member, self.target) for member in datasets]
        self.weights = None if weights is None else [float(weight) for weight in weights]
        self.sizes = None if sizes is None else [int(count) for count in sizes]
        self.size = size
        self.split = split
        self.order = mixture.order(
            self.domains,
            [len(member) for member in datasets],
            weights=self.weights,
            sizes=sizes,
            size=size,
            split=split,
        )
        self._label_places = [
            [self._classes.index(name) for name in member.classes] for member in datasets
        ]  # of each member's labels among all
        self._multi_hot = not all(member.recipe.single_label for member in datasets)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        split: Split | None = None,
        target: Target = "label",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
    ) -> Self:
        """The rows of a collection that `materialize` wrote, bit for bit.

        Args:
            path: The folder.
            split: As for a new collection; what was written of one split has no other.
            target: As for a new collection.
            transform: As for a new collection.
            target_transform: As for a new collection.
            transforms: As for a new collection.

        Raises:
            FileNotFoundError: If there is no such folder.
            ValueError: If it is damaged, or holds another split only.
        """
        listed = read_group(path)
        written = listed.facts.get("split")
        if written is not None and split not in (None, written):
            raise ValueError(
                f"{str(path)!r} holds the split {written!r} only, asked was for {split!r}; write "
                "the whole collection to have all splits"
            )
        members = {name: StoredCatalogue(file) for name, file in listed.files.items()}
        return cls(
            members,
            weights=listed.facts.get("weights"),
            sizes=listed.facts.get("sizes"),
            size=listed.facts.get("size"),
            split=written if split is None else split,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )

    @override
    def store(self, path: Path, *, options: Options) -> Path:
        """Write every member to a file of one folder, and how they are put together."""
        with writing_group(path, options=options) as folder:
            names = {}
            for number, (domain, member) in enumerate(zip(self.domains, self.members, strict=True)):
                names[domain] = f"{number}-{member.recipe.name}.h5"
                materialize(
                    generated(member),
                    folder / names[domain],
                    workers=options.workers,
                    executor=options.executor,
                    progress=options.progress,
                    compression=options.compression,
                )
            facts = {
                "weights": self.weights,
                "sizes": self.sizes,
                "size": self.size,
                "split": self.split,
            }
            list_members(folder, names=names, facts=facts)
        return path

    @override
    def __len__(self) -> int:
        return len(self.order)

    @property
    @override
    def classes(self) -> list[str]:
        return self._classes

    @property
    @override
    def rows_at_once(self) -> int:
        return self.members[0].rows_at_once

    @override
    def samples(self, places: Keys) -> dict[str, AbstractSample]:
        """Return rows with their complete truth, selected as in `data[places]`.

        Args:
            places: A place, a slice or places.

        Returns:
            For each member that has rows among them, by its name: its rows in the order of the
            places.
        """
        found: dict[int, list[int]] = {}
        for each in self._selected(places):
            member, there = self.order[each]
            found.setdefault(member, []).append(there)
        return {self.domains[n]: self.members[n].samples(found[n]) for n in sorted(found)}

    @override
    def with_target(self, target: Target) -> Self:
        other = super().with_target(target)
        other.members = [bare(member, target) for member in self.members]
        return other

    @override
    def extra_repr(self) -> str:
        return "\n".join(
            [
                *(
                    f"Member: {name}, {len(member)} rows, seed {member.seed}"
                    for name, member in zip(self.domains, self.members, strict=True)
                ),
                f"Split: {self.split or 'all'}",
                f"Classes: {', '.join(self.classes)}",
                f"Target: {self.target if isinstance(self.target, str) else list(self.target)}",
            ]
        )

    @override
    def _pairs(self, places: Sequence[int]) -> list[tuple[Any, Any]]:
        found = [self.order[each] for each in places]
        rows: list[tuple[Any, Any]] = [(None, None)] * len(places)
        for domain in sorted({member for member, _ in found}):
            mine = [number for number, (member, _) in enumerate(found) if member == domain]
            pairs = self.members[domain]._pairs([found[number][1] for number in mine])
            for number, (data, target) in zip(mine, pairs, strict=True):
                rows[number] = data, self._united(target, domain)
        return rows

    def _united(self, target: Any, domain: int) -> Any:
        """The target of a member as the collection has it."""
        if self.target == DOMAIN:
            return domain
        if isinstance(self.target, str):
            return self._united_value(self.target, target, domain)
        return {
            name: domain if name == DOMAIN else self._united_value(name, target[name], domain)
            for name in self.target
        }

    def _united_value(self, name: str, value: Any, domain: int) -> Any:
        """A label by the collection's classes; other targets as they are."""
        if name not in ("label", "labels"):
            return value
        places = self._label_places[domain]
        if name == "labels":  # kinds from 1 on
            return torch.tensor([0, *(place + 1 for place in places)])[value]
        if not self._multi_hot:
            return places[value]
        return _spread(value, places, len(self.classes), self.members[domain].recipe.content)


def _spread(value: int | Tensor, places: list[int], classes: int, content: str) -> Tensor:
    """A member's label among all classes: float32, shape (classes,)."""
    label = torch.full((classes,), 0.0 if content == "image" else float("nan"))
    if isinstance(value, int):
        label[places[value]] = 1.0
    else:
        label[places] = value
    return label


def joined(first: PairDataset, second: object) -> Collection | None:
    """Return `first + second` as a Collection; None if one of them can be no member of one.

    Raises:
        ValueError: If the two differ in their transforms, or do not fit together.
    """
    members = [*_parts(first), *_parts(second)]
    if not isinstance(second, PairDataset) or None in members:
        return None
    mine, theirs = (
        (each.transform, each.target_transform, each.transforms) for each in (first, second)
    )
    if mine != theirs:
        raise ValueError(
            "a + b: expected the same transforms in both datasets, got different ones; use "
            "torch.utils.data.ConcatDataset([a, b]), or make a Collection with transforms"
        )
    return Collection(
        [member.with_target(member.target) for member in members if member is not None],
        transform=first.transform,
        target_transform=first.target_transform,
        transforms=first.transforms,
    )


def _parts(dataset: object) -> list[RowDataset | None]:
    """The catalogues that follow one another in a dataset; None where it is no plain sequence."""
    if isinstance(dataset, RowDataset):
        return [dataset]
    plain = isinstance(dataset, Collection) and not (
        dataset.weights or dataset.sizes or dataset.split
    )
    return [*dataset.members] if plain and isinstance(dataset, Collection) else [None]
