"""Collection: several catalogues as one map-style dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, final

import torch
from typing_extensions import override

from deepbench_torch.datasets import PairDataset, PairTransform, Split, Transform
from deepbench_torch.datasets.base import Keys
from deepbench_torch.datasets.members import (
    DOMAIN,
    Members,
    bare,
    check_alike,
    checked_members,
    common_target,
    member_names,
    member_seeds,
    parts_in_use,
    reseeded,
    resized,
    spread_label,
    unlimited,
)
from deepbench_torch.datasets.order import order_rows
from deepbench_torch.datasets.overlap import use_parts
from deepbench_torch.datasets.targets import Target
from deepbench_torch.generate import ImageSize
from deepbench_torch.samples import AbstractSample
from deepbench_torch.storage import StoredCatalogue, materialize
from deepbench_torch.storage.group import Group, Options, list_members, read_group, writing_group


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

    Members of different recipes with one seed would have the same noise field row by row, by which
    a network can cheat. So a later one is made with another seed, derived from its own and its
    number among the members; `repr` shows both. `paired=True` keeps the seeds, for pairs of one
    scene in several domains. Parts of one catalogue always keep theirs.

    Args:
        members: The catalogues; a mapping gives them names, else they have their recipes'.
        weights: How often each member comes, relative to the others; None for one after another.
        sizes: How many rows of each member take part, the first ones; None for all.
        size: How many rows there are before splitting, with weights only; as many as the members
            suffice for if None.
        split: "train", "val" or "test" of every member, 60 : 20 : 20; None for all.
        paired: Whether members of different recipes keep a common seed, and so their noise.
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
        paired: bool = False,
        image_size: ImageSize = None,
        target: Target | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        datasets = checked_members(members, split)
        self.domains = member_names(members, datasets)
        self._given_seeds = [member.seed for member in datasets]
        seeds = member_seeds(datasets, self.domains, paired=paired)
        if image_size is not None:
            datasets = [resized(member, image_size) for member in datasets]
        datasets = [reseeded(*each) for each in zip(datasets, seeds, strict=True)]
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
        self.paired = paired
        self.order = order_rows(
            self.domains,
            [len(member) for member in datasets],
            weights=self.weights,
            sizes=sizes,
            size=size,
            split=split,
        )
        use_parts(self, parts_in_use(self.members, self.order.parts, split))
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
        written = listed.attributes.get("split")
        if written is not None and split not in (None, written):
            raise ValueError(
                f"{str(path)!r} holds the split {written!r} only, asked was for {split!r}; write "
                "the whole collection to have all splits"
            )
        members = {name: StoredCatalogue(file) for name, file in listed.files.items()}
        return cls(
            members,
            weights=listed.attributes.get("weights"),
            sizes=listed.attributes.get("sizes"),
            size=listed.attributes.get("size"),
            split=written if split is None else split,
            paired=listed.attributes.get("paired", True),
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
                    unlimited(member),
                    folder / names[domain],
                    workers=options.workers,
                    executor=options.executor,
                    progress=options.progress,
                    compression=options.compression,
                )
            facts = {
                "weights": self.weights,
                "sizes": self._stored_sizes(),
                "size": self.size,
                "split": self.split,
                "paired": self.paired,
            }
            list_members(folder, names=names, attributes=facts)
        return path

    def _stored_sizes(self) -> list[int] | None:
        """The sizes with which the complete splits in files give the rows of the members."""
        limited = any(member.limit is not None for member in self.members)
        return [*map(len, self.members)] if limited and self.sizes is None else self.sizes

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
                *map(self._member_repr, range(len(self.members))),
                f"Split: {self.split or 'all'}",
                f"Paired: {'yes' if self.paired else 'no'}",
                f"Classes: {', '.join(self.classes)}",
                f"Target: {self.target if isinstance(self.target, str) else list(self.target)}",
            ]
        )

    def _member_repr(self, number: int) -> str:
        member, given = self.members[number], self._given_seeds[number]
        seed = f"{member.seed}" if member.seed == given else f"{member.seed} instead of {given}"
        return f"Member: {self.domains[number]}, {len(self.order.parts[number])} rows, seed {seed}"

    @override
    def _pairs(self, places: Sequence[int]) -> list[tuple[Any, Any]]:
        found = [self.order[each] for each in places]
        rows: list[tuple[Any, Any]] = [(None, None)] * len(places)
        for domain in sorted({member for member, _ in found}):
            mine = [number for number, (member, _) in enumerate(found) if member == domain]
            pairs = self.members[domain]._pairs([found[number][1] for number in mine])
            for number, (data, target) in zip(mine, pairs, strict=True):
                rows[number] = data, self.united(target, domain)
        return rows

    def united(self, target: Any, domain: int) -> Any:
        """Return the target of the member of some number as the collection has it."""
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
            kinds = [0, *(place + 1 for place in places)]
            return torch.tensor(kinds, dtype=torch.int64, device="cpu")[value]
        if not self._multi_hot:
            return places[value]
        return spread_label(value, places, len(self.classes), self.members[domain].recipe.content)
