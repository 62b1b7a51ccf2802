"""Collection: several catalogues as one map-style dataset."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, final

import torch
from typing_extensions import override

from deepbench_torch.datasets import PairDataset, PairTransform, Split, Transform
from deepbench_torch.datasets.base import Keys
from deepbench_torch.datasets.catalogue import RowDataset
from deepbench_torch.datasets.members import (
    DOMAIN,
    Members,
    check_alike,
    check_members,
    check_vectors,
    common_target,
    member_names,
    member_seeds,
    parts_in_use,
    reseed,
    resize_member,
    spread_label,
    without_domain,
)
from deepbench_torch.datasets.order import order_rows
from deepbench_torch.datasets.overlap import use_parts
from deepbench_torch.datasets.targets import Target
from deepbench_torch.generate import ImageSize
from deepbench_torch.numerics.checks import check_flag, numbers_of_each
from deepbench_torch.samples import AbstractSample

FolderReader = Callable[..., tuple[Mapping[str, RowDataset], dict[str, Any]]]
FIXED = {*("members", "weights", "sizes", "size", "split", "paired", "domains", "order", "target")}


@final
class Collection(PairDataset):
    """Several catalogues, generated or stored, as one dataset.

    Class names are united in the order of the members. If the label of every member is a class,
    the collection's label is an index among all class names. Otherwise every label is the kinds
    present, float32 of shape (K,). A label of time series has a column for each parameter of any
    member; it is NaN if the member has no such parameter.

    Without weights one member follows another. With weights they alternate, so that any beginning
    of the collection holds them in these proportions. In both cases the row at an index is fixed,
    and a split consists of the members' splits.

    Members of different recipes with one seed would have the same noise row by row, and a network
    could use it. So a later member gets another seed, derived from its own seed and its number;
    `repr` shows both. `paired=True` keeps the seeds, for pairs of one scene in several domains.
    Parts of one catalogue always keep theirs.

    Args:
        members: Catalogues, in a sequence or, with their names, in a mapping; the default names
            are those of the recipes.
        weights: Relative frequency of each member; None for one member after another.
        sizes: Number of rows of each member, the first ones; None for all.
        size: Number of rows before splitting, with weights only; None for as many as the members
            allow.
        split: "train", "val" or "test" of every member, 60 : 20 : 20; None for all.
        paired: Whether members of different recipes keep a common seed, and so their noise.
        image_size: Height and width [pixel] at which every member's scenes are rendered again.
        target: As in Catalogue, or "domain" for the number of the member, or a list of them; None
            for the target of all members.
        transform: Function of the image or series.
        target_transform: Function of the target.
        transforms: Function of both together, instead of the two others.

    Raises:
        TypeError: If a member is not a catalogue.
        ValueError: If the members have different shapes, contents or targets, or an argument is
            invalid.

    Attributes:
        members: Catalogues of the collection.
        domains: Names of the members, in order.

    Example:
        >>> import deepbench_torch as db
        >>> sky, lensing = (db.Catalogue(name, size=30) for name in ("sky", "lensing"))
        >>> both = db.Collection([sky, lensing], weights=[2, 1], target=["label", "domain"])
        >>> [both[i][1]["domain"] for i in range(6)]
        [0, 1, 0, 0, 1, 0]
    """

    fixed = frozenset(FIXED)

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
        paired = check_flag(paired, where="Collection.paired")
        datasets = check_members(members, split)
        self.domains = member_names(members, datasets)
        self._original_seeds = [member.seed for member in datasets]
        seeds = member_seeds(datasets, self.domains, paired=paired)
        if image_size is not None:
            datasets = [resize_member(member, image_size) for member in datasets]
        datasets = [reseed(*each) for each in zip(datasets, seeds, strict=True)]
        check_alike(datasets, self.domains)
        super().__init__(
            target=common_target(datasets, self.domains) if target is None else target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )
        self._classes = list(dict.fromkeys(name for member in datasets for name in member.classes))
        self.members = [without_domain(member, self.target) for member in datasets]
        check_vectors(self.members, self.domains)
        self.weights = numbers_of_each(self.domains, weights, where="weights")
        self.sizes = numbers_of_each(self.domains, sizes, where="sizes", integers=True)
        self.size = size
        self.split = split
        self.paired = paired
        self.order = order_rows(
            self.domains,
            [len(member) for member in datasets],
            weights=self.weights,
            sizes=self.sizes,
            size=size,
            split=split,
        )
        use_parts(self, parts_in_use(self.members, self.order.parts, split))
        self._label_columns = [
            [self._classes.index(name) for name in member.classes] for member in datasets
        ]  # of each member's classes among all classes
        self._multi_hot = not all(member.recipe.single_label for member in datasets)

    # returns the members in a folder, and the arguments; set by `storage.collection`, which knows
    # the files
    read_folder: ClassVar[FolderReader]

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
        """Return a collection that `materialize` wrote, bit for bit the same rows.

        Args:
            path: Folder of the collection.
            split: As for a new collection; a folder of one split has no other.
            target: As for a new collection.
            transform: As for a new collection.
            target_transform: As for a new collection.
            transforms: As for a new collection.

        Raises:
            FileNotFoundError: If the folder does not exist.
            ValueError: If it is damaged, or contains another split only.
        """
        members, arguments = cls.read_folder(path, split=split)
        return cls(
            members,
            **arguments,
            target=target,
            transform=transform,
            target_transform=target_transform,
            transforms=transforms,
        )

    @override
    def __len__(self) -> int:
        return len(self.order)

    @property
    @override
    def classes(self) -> list[str]:
        return self._classes

    @property
    @override
    def rows_per_batch(self) -> int:
        return self.members[0].rows_per_batch

    @override
    def samples(self, places: Keys) -> dict[str, AbstractSample]:
        """Return rows with their complete truth, selected as in `data[places]`.

        Args:
            places: An index, a slice or several indices.

        Returns:
            Rows of each selected member by its name, in the order of the indices.
        """
        selected: dict[int, list[int]] = {}
        for position in self._selected(places):
            member, index = self.order[position]
            selected.setdefault(member, []).append(index)
        return {self.domains[n]: self.members[n].samples(selected[n]) for n in sorted(selected)}

    @override
    def with_target(self, target: Target) -> Self:
        other = super().with_target(target)
        members = [without_domain(member, target) for member in self.members]
        check_vectors(members, self.domains)
        vars(other)["members"] = members
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
        member, original = self.members[number], self._original_seeds[number]
        seed = f"{member.seed}" + (f" instead of {original}" if member.seed != original else "")
        return f"Member: {self.domains[number]}, {len(self.order.parts[number])} rows, seed {seed}"

    @override
    def _pairs(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        selected = [self.order[index] for index in indices]
        rows: list[tuple[Any, Any]] = [(None, None)] * len(indices)
        for domain in sorted({member for member, _ in selected}):
            positions = [n for n, (member, _) in enumerate(selected) if member == domain]
            pairs = self.members[domain]._pairs([selected[n][1] for n in positions])
            for position, (data, target) in zip(positions, pairs, strict=True):
                rows[position] = data, self.united_target(target, domain)
        return rows

    def united_target(self, target: Any, domain: int) -> Any:
        """Return the target of a member as a target of the collection.

        Args:
            target: Target of the member.
            domain: Number of the member.
        """
        if self.target == DOMAIN:
            return domain
        if isinstance(self.target, str):
            return self._united_value(self.target, target, domain)
        return {
            name: domain if name == DOMAIN else self._united_value(name, target[name], domain)
            for name in self.target
        }

    def _united_value(self, name: str, value: Any, domain: int) -> Any:
        """Return a label by the classes of the collection, and other targets unchanged."""
        if name not in ("label", "labels"):
            return value
        columns = self._label_columns[domain]
        if name == "labels":  # kinds from 1 on
            kinds = [0, *(column + 1 for column in columns)]
            return torch.tensor(kinds, dtype=torch.int64, device="cpu")[value]
        if not self._multi_hot:
            return columns[value]
        absent = 0.0 if self.members[domain].recipe.class_labels else float("nan")
        return spread_label(value, columns, len(self.classes), absent)
