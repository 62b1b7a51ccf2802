"""The members of a collection: which go together, and what each gives."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deepbench_torch import rng
from deepbench_torch.datasets import Catalogue, RowDataset, Split
from deepbench_torch.datasets.overlap import Part
from deepbench_torch.datasets.targets import Target, check_target
from deepbench_torch.generate import ImageSize, sized
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import StoredCatalogue

DOMAIN = "domain"
Members = Sequence[RowDataset] | Mapping[str, RowDataset]


def checked_members(members: Members, split: Split | None) -> list[RowDataset]:
    """The catalogues of a collection, if they are some and carry nothing that it decides."""
    datasets = list(members.values()) if isinstance(members, Mapping) else list(members)
    if not datasets:
        raise ValueError("a collection needs at least one catalogue, got none")
    for member in datasets:
        if not isinstance(member, Catalogue | StoredCatalogue):
            raise TypeError(
                "a collection is made of Catalogues and StoredCatalogues, got "
                f"{type(member).__name__}"
            )
        if member.has_transforms:
            raise ValueError(
                f"the catalogue {member.recipe.name} has a transform of its own; give the "
                "transform to the Collection"
            )
        if split is not None and member.split is not None:
            raise ValueError(
                f"the catalogue {member.recipe.name} is the split {member.split!r} already, "
                f"asked was for {split!r} of it; give whole catalogues, or no split"
            )
    return datasets


def member_names(members: Members, datasets: list[RowDataset]) -> list[str]:
    """The names of the members, each different."""
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
    paired, a later one has a seed derived from its own and its number; a stored member keeps its
    seed, and so do parts of one catalogue, which differ in their rows.

    Raises:
        ValueError: If two stored members would have the same noise.
    """
    if paired:
        return [member.seed for member in members]
    taken = _stored_seeds(members, domains)
    chosen: dict[tuple[str, int], int] = {}
    for number, member in enumerate(members):
        digest, seed = member.recipe.digest, member.seed
        if taken.setdefault(seed, digest) == digest:
            chosen.setdefault((digest, seed), seed)
        else:
            chosen.setdefault((digest, seed), _derived(seed, number))
    return [chosen[member.recipe.digest, member.seed] for member in members]


def _stored_seeds(members: list[RowDataset], domains: list[str]) -> dict[int, str]:
    """The digest of the recipe of each seed that is fixed in a file."""
    taken: dict[int, str] = {}
    named: dict[int, str] = {}
    for member, domain in zip(members, domains, strict=True):
        if not isinstance(member, StoredCatalogue):
            continue
        digest = member.recipe.digest
        if taken.setdefault(member.seed, digest) != digest:
            raise ValueError(
                "Collection: expected stored members of different seeds, got seed "
                f"{member.seed} in {named[member.seed]} and {domain}, whose noise is the same row "
                "by row; use paired=True if they are pairs, or write one with another seed"
            )
        named.setdefault(member.seed, domain)
    return taken


def _derived(seed: int, number: int) -> int:
    """Another seed of 63 bits for the member of some number."""
    index = torch.tensor([number], dtype=torch.int64, device="cpu")
    return int(rng.words(seed, ("collection.member",), index, 1)) & rng.LARGEST_SEED


def reseeded(member: RowDataset, seed: int) -> RowDataset:
    """Return a member whose rows have some seed."""
    return member if seed == member.seed else generated(member, seed=seed)


def resized(member: RowDataset, image_size: ImageSize) -> RowDataset:
    """The same scenes drawn at another size, whether the member was stored or not."""
    recipe = sized(member.recipe, image_size)
    if recipe == member.recipe:
        return member
    return generated(member, recipe=recipe)


def generated(
    member: RowDataset, *, recipe: AbstractRecipe | None = None, seed: int | None = None
) -> Catalogue:
    """Return the catalogue of a member's rows, or of another recipe's or seed's."""
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


def parts_in_use(members: list[RowDataset], places: list[range], split: Split | None) -> list[Part]:
    """Return the rows that a collection uses of the splits of its members.

    Args:
        members: The members.
        places: The places of each that take part.
        split: The split that the collection makes of them.
    """
    parts = []
    for member, part in zip(members, places, strict=True):
        name = split or member.split
        if name is not None and part:
            rows = member.rows[part.start : part.stop]
            parts.append(Part(member.recipe, member.seed, name, member.size, rows))
    return parts


def check_alike(members: list[RowDataset], domains: list[str]) -> None:
    """Refuse members whose rows are not of one kind and shape."""
    first = members[0].recipe
    for member, domain in zip(members, domains, strict=True):
        recipe = member.recipe
        if recipe.content != first.content:
            raise ValueError(
                f"a collection holds images or time series, got {first.content} in {domains[0]} "
                f"and {recipe.content} in {domain}; make a collection of each"
            )
        if recipe.shape != first.shape:
            remedy = (
                "give image_size to draw all at one size"
                if recipe.content == "image"
                else "give the recipes the same moments and channels"
            )
            raise ValueError(
                f"the members of a collection must have one shape, got {first.size_text} in "
                f"{domains[0]} and {recipe.size_text} in {domain}; {remedy}"
            )


def common_target(members: list[RowDataset], domains: list[str]) -> Target:
    """The target that all members have."""
    for member, domain in zip(members, domains, strict=True):
        if member.target != members[0].target:
            raise ValueError(
                f"the members have different targets, got {members[0].target!r} in {domains[0]} "
                f"and {member.target!r} in {domain}; give target to the Collection"
            )
    return members[0].target


def bare(member: RowDataset, target: Target) -> RowDataset:
    """A copy of a member that gives what a target needs of it."""
    content = member.recipe.content
    if not target:
        check_target(target, content)
    names = [target] if isinstance(target, str) else list(target)
    wanted = tuple(name for name in names if name != DOMAIN)
    single = isinstance(target, str) or not wanted
    return member.with_target("".join(wanted[:1]) or "index" if single else wanted)


def spread_label(value: int | Tensor, places: list[int], classes: int, content: str) -> Tensor:
    """Return a member's label among all classes, float32 of shape (classes,)."""
    absent = 0.0 if content == "image" else float("nan")
    label = torch.full((classes,), absent, dtype=torch.float32, device="cpu")
    if isinstance(value, int):
        label[places[value]] = 1.0
    else:
        label[places] = value
    return label
