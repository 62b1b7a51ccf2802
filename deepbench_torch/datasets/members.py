"""Members of a collection: their checks, names, seeds, sizes and labels."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deepbench_torch.datasets import Catalogue, RowDataset, Split
from deepbench_torch.datasets.overlap import Part
from deepbench_torch.datasets.targets import PATH, VECTOR, Target, check_target, vector_of
from deepbench_torch.generate import ImageSize, resize
from deepbench_torch.numerics import rng
from deepbench_torch.recipes import AbstractRecipe

DOMAIN = "domain"
Members = Sequence[RowDataset] | Mapping[str, RowDataset]


def check_members(members: Members, split: Split | None) -> list[RowDataset]:
    """Return the catalogues of a collection, without transforms and, for a split, complete.

    Raises:
        TypeError: If a member is not a catalogue.
        ValueError: If there is no member, or one has transforms or a second split.
    """
    datasets = list(members.values()) if isinstance(members, Mapping) else list(members)
    if not datasets:
        raise ValueError("Collection: expected at least one catalogue, got none; pass catalogues")
    for member in datasets:
        if not isinstance(member, RowDataset):
            raise TypeError(
                "Collection: expected Catalogues and StoredCatalogues, got "
                f"{type(member).__name__}; make a catalogue of it"
            )
        if member.has_transforms:
            raise ValueError(
                f"Collection: expected members without transforms, got {member.recipe.name} with "
                "one; pass the transform to the Collection"
            )
        if split is not None and member.split is not None:
            raise ValueError(
                f"Collection: expected catalogues without a split for split={split!r}, got "
                f"{member.recipe.name} with split {member.split!r}; omit one of the two"
            )
    return datasets


def member_names(members: Members, datasets: list[RowDataset]) -> list[str]:
    """Return the names of the members, each different."""
    if isinstance(members, Mapping):
        return [str(name) for name in members]
    names: list[str] = []
    for member in datasets:
        name, count = member.recipe.name, 2
        while name in names:
            name, count = f"{member.recipe.name}-{count}", count + 1
        names.append(name)
    return names


def member_seeds(members: list[RowDataset], domains: list[str], *, paired: bool) -> list[int]:
    """Return the seed of each member's rows in a collection.

    Members of different recipes with one seed have the same noise, row by row. Unless they are
    paired, a later one gets a seed derived from its own seed and its number. Stored members keep
    their seed, and so do parts of one catalogue, which differ in their rows.

    Raises:
        ValueError: If two stored members would have the same noise.
    """
    if paired:
        return [member.seed for member in members]
    taken = _stored_seeds(members, domains)
    chosen: dict[tuple[str, int], int] = {}
    for number, member in enumerate(members):
        digest, seed = member.recipe.scene_digest, member.seed
        if taken.setdefault(seed, digest) == digest:
            chosen.setdefault((digest, seed), seed)
        else:
            chosen.setdefault((digest, seed), _derived_seed(seed, number))
    return [chosen[member.recipe.scene_digest, member.seed] for member in members]


def _stored_seeds(members: list[RowDataset], domains: list[str]) -> dict[int, str]:
    """Return the digest of the recipe of each seed that is fixed in a file."""
    taken: dict[int, str] = {}
    named: dict[int, str] = {}
    for member, domain in zip(members, domains, strict=True):
        if not member.in_file:
            continue
        digest = member.recipe.scene_digest
        if taken.setdefault(member.seed, digest) != digest:
            raise ValueError(
                "Collection: expected stored members of different seeds, got seed "
                f"{member.seed} in {named[member.seed]} and {domain}, with the same noise row by "
                "row; use paired=True if they are pairs, or write one with another seed"
            )
        named.setdefault(member.seed, domain)
    return taken


def _derived_seed(seed: int, number: int) -> int:
    """Return a seed of 63 bits, derived from a seed and the number of a member."""
    index = torch.tensor([number], dtype=torch.int64, device="cpu")
    return int(rng.words(seed, ("collection.member",), index, 1)) & rng.LARGEST_SEED


def reseed(member: RowDataset, seed: int) -> RowDataset:
    """Return a member with another seed."""
    return member if seed == member.seed else generated(member, seed=seed)


def resize_member(member: RowDataset, image_size: ImageSize) -> RowDataset:
    """Return the same scenes rendered at another size, also of a stored member."""
    recipe = resize(member.recipe, image_size)
    if recipe == member.recipe:
        return member
    return generated(member, recipe=recipe)


def generated(
    member: RowDataset, *, recipe: AbstractRecipe | None = None, seed: int | None = None
) -> Catalogue:
    """Return the catalogue of a member's rows, with another recipe or seed if requested."""
    return Catalogue(
        recipe or member.recipe,
        size=member.size,
        seed=member.seed if seed is None else seed,
        split=member.split,
        limit=member.limit,
        target=member.target,
    )


def unlimited(member: RowDataset) -> Catalogue:
    """Return the catalogue of all rows of a member's split."""
    return Catalogue(member.recipe, size=member.size, seed=member.seed, split=member.split)


def parts_in_use(
    members: list[RowDataset], indices: list[range], split: Split | None
) -> list[Part]:
    """Return the rows that a collection uses of the splits of its members.

    Args:
        members: Members of the collection.
        indices: Indices in use of each member.
        split: Split of the collection.
    """
    parts = []
    for member, part in zip(members, indices, strict=True):
        name = split or member.split
        if name is not None and part:
            rows = member.rows[part.start : part.stop]
            parts.append(Part(member.recipe, member.seed, name, member.size, rows))
    return parts


def check_alike(members: list[RowDataset], domains: list[str]) -> None:
    """Check that all members have rows of one content and shape.

    Raises:
        ValueError: If they have not.
    """
    first = members[0].recipe
    for member, domain in zip(members, domains, strict=True):
        recipe = member.recipe
        if recipe.content != first.content:
            raise ValueError(
                f"Collection: expected one content, images or time series, got {first.content} in "
                f"{domains[0]} and {recipe.content} in {domain}; make a collection of each"
            )
        if recipe.shape != first.shape:
            raise ValueError(
                f"Collection: expected members of one shape, got {first.size_text} in "
                f"{domains[0]} and {recipe.size_text} in {domain}; {recipe.shape_remedy}"
            )


def check_vectors(members: list[RowDataset], domains: list[str]) -> None:
    """Check that the parameters of a target have one scaling in all members.

    Raises:
        ValueError: If they have not, or members have other parameters.
    """
    target = members[0].target
    names = [target] if isinstance(target, str) else list(target)
    for name in names:
        if name != VECTOR and PATH not in name:
            continue
        first = vector_of(members[0].recipe, name).parts
        for member, domain in zip(members, domains, strict=True):
            if vector_of(member.recipe, name).parts != first:
                raise ValueError(
                    f"Collection: expected members of one vector for target {name!r}, got other "
                    f"parameters or priors in {domains[0]} and {domain}; use the target "
                    '"parameters", which has no scaling'
                )


def common_target(members: list[RowDataset], domains: list[str]) -> Target:
    """Return the target of all members.

    Raises:
        ValueError: If they have different ones.
    """
    for member, domain in zip(members, domains, strict=True):
        if member.target != members[0].target:
            raise ValueError(
                f"Collection: expected members of one target, got {members[0].target!r} in "
                f"{domains[0]} and {member.target!r} in {domain}; pass target to the Collection"
            )
    return members[0].target


def without_domain(member: RowDataset, target: Target) -> RowDataset:
    """Return a copy of a member with the target of a collection except its "domain".

    A target of "domain" alone becomes "index".
    """
    if not target:
        check_target(target, member.recipe)
    names = [target] if isinstance(target, str) else list(target)
    own_names = tuple(name for name in names if name != DOMAIN)
    single = isinstance(target, str) or not own_names
    return member.with_target("".join(own_names[:1]) or "index" if single else own_names)


def spread_label(value: int | Tensor, columns: list[int], classes: int, absent: float) -> Tensor:
    """Return a member's label among all classes, float32 of shape (classes,).

    Args:
        value: Label of the member.
        columns: Column of each class of the member.
        classes: Number of classes of the collection.
        absent: Label of a class that the member lacks.
    """
    label = torch.full((classes,), absent, dtype=torch.float32, device="cpu")
    if isinstance(value, int):
        label[columns[value]] = 1.0
    else:
        label[columns] = value
    return label
