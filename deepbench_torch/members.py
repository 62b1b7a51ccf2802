"""The members of a collection: which go together, and what each gives."""

from collections.abc import Mapping, Sequence

from deepbench_torch.datasets import Catalogue, RowDataset, Split
from deepbench_torch.generate import ImageSize, sized
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import StoredCatalogue
from deepbench_torch.targets import Target, check_target

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


def resized(member: RowDataset, image_size: ImageSize) -> RowDataset:
    """The same scenes drawn at another size, whether the member was stored or not."""
    recipe = sized(member.recipe, image_size)
    if recipe == member.recipe:
        return member
    return generated(member, recipe)


def generated(member: RowDataset, recipe: AbstractRecipe | None = None) -> Catalogue:
    """The catalogue of a member's rows, or of another recipe's."""
    return Catalogue(
        recipe or member.recipe,
        size=member.size,
        seed=member.seed,
        split=member.split,
        limit=member.limit,
        target=member.target,
    )


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
                f"the members of a collection must have one shape, got {first.extent} in "
                f"{domains[0]} and {recipe.extent} in {domain}; {remedy}"
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
