"""Sources of a data module: recipes, catalogues, stored catalogues and collections."""

from pathlib import Path
from typing import Any

import h5py

from deepbench_torch.datasets import Catalogue, RowDataset, Split, Transform
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.targets import Target
from deepbench_torch.generate import ImageSize
from deepbench_torch.recipes import AbstractRecipe, list_recipes
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import StoredCatalogue, is_file_name
from deepbench_torch.storage.names import LIST

Source = str | Path | AbstractRecipe | RowDataset | Collection
SplitSource = Catalogue | StoredCatalogue | Collection
RECIPE_FILES = (".yaml", ".yml")


def open_source(
    source: Source,
    *,
    size: int | None,
    seed: int | None,
    image_size: ImageSize,
    target: Target | None,
) -> SplitSource:
    """Return the dataset of all splits that a data module divides.

    Args:
        source: Recipe, as in Catalogue; a Catalogue, StoredCatalogue or Collection of all
            splits; or the path of a stored one.
        size: Number of rows before splitting; None for that of the source.
        seed: Seed of the rows; None for that of the source.
        image_size: Height and width [pixel]; None for that of the source.
        target: Target, as in Catalogue; None for that of the source, or "label".

    Raises:
        TypeError: If the source has another type.
        ValueError: If the source is one split, or has another size, seed or image size.
    """
    if isinstance(source, str | Path) and _is_stored(source):
        source = _open_stored(user_path(source))
    if isinstance(source, str | Path | AbstractRecipe):
        return Catalogue(
            source, size=size, seed=seed, image_size=image_size, target=target or "label"
        )
    if not isinstance(source, Catalogue | StoredCatalogue | Collection):
        raise TypeError(
            "CatalogueDataModule: expected a recipe, a Catalogue, StoredCatalogue or Collection, "
            f"or a path, got {type(source).__name__}; use a DataLoader for other datasets"
        )
    if source.split is not None:
        raise ValueError(
            f"CatalogueDataModule: expected all splits, got the split {source.split!r}; omit "
            "split in the source, because the module splits it"
        )
    if not isinstance(source, Collection) and source.limit is not None:
        raise ValueError(
            f"CatalogueDataModule: expected all rows, got a source with limit={source.limit}; omit "
            "limit, and use Trainer(limit_test_batches=...) for fewer rows"
        )
    if isinstance(source, Catalogue):
        return _with_changes(source, size=size, seed=seed, image_size=image_size, target=target)
    _refuse_changes(source, size=size, seed=seed, image_size=image_size)
    return source if target is None else select_split(source, None, target=target)


def select_split(
    source: SplitSource,
    split: Split | None,
    *,
    transform: Transform | None = None,
    target: Target | None = None,
    path: Path | None = None,
) -> SplitSource:
    """Return a split of a dataset.

    Args:
        source: Dataset of all splits.
        split: "train", "val" or "test"; None for all.
        transform: Function of each image; None for that of the source.
        target: Target, as in Catalogue; None for that of the source.
        path: File that stores a Catalogue; None to generate its rows.
    """
    shared: dict[str, Any] = {
        "split": split,
        "target": source.target if target is None else target,
        "transform": source.transform if transform is None else transform,
        "target_transform": source.target_transform,
        "transforms": source.transforms,
    }
    file = source.path if isinstance(source, StoredCatalogue) else path
    if file is not None and not isinstance(source, Collection):
        return StoredCatalogue(file, recipe=source.recipe, seed=source.seed, **shared)
    if isinstance(source, Catalogue):
        return Catalogue(source.recipe, size=source.size, seed=source.seed, **shared)
    if not isinstance(source, Collection):
        found = type(source).__name__
        raise TypeError(f"CatalogueDataModule: expected a Catalogue or Collection, got {found}")
    return Collection(
        dict(zip(source.domains, source.members, strict=True)),
        weights=source.weights,
        sizes=source.sizes,
        size=source.size,
        paired=source.paired,
        **shared,
    )


def members_of(source: SplitSource) -> list[RowDataset]:
    """Return the members of a collection, or the catalogue itself."""
    return list(source.members) if isinstance(source, Collection) else [source]


def _with_changes(
    source: Catalogue,
    *,
    size: int | None,
    seed: int | None,
    image_size: ImageSize,
    target: Target | None,
) -> Catalogue:
    return Catalogue(
        source.recipe,
        size=source.size if size is None else size,
        seed=source.seed if seed is None else seed,
        image_size=image_size,
        target=source.target if target is None else target,
        transform=source.transform,
        target_transform=source.target_transform,
        transforms=source.transforms,
    )


def _refuse_changes(source: StoredCatalogue | Collection, **requested: object) -> None:
    """Check that no option differs from that of existing rows."""
    for name, value in requested.items():
        own = getattr(source, name, None)  # a collection has several seeds
        if value is not None and value != own:
            raise ValueError(
                f"CatalogueDataModule: expected {name}=None or that of the source, got {value!r}; "
                f"omit {name}, because the rows of a {type(source).__name__} exist already"
            )


def _is_stored(source: str | Path) -> bool:
    """Return whether a text or path names a stored catalogue, not a recipe."""
    if str(source) in list_recipes() or Path(source).suffix.lower() in RECIPE_FILES:
        return False
    path = user_path(source)
    if path.is_file():
        return bool(h5py.is_hdf5(path))
    return path.is_dir() or is_file_name(path)


def _open_stored(path: Path) -> StoredCatalogue | Collection:
    if (path / LIST).is_file():
        return Collection.open(path)
    return StoredCatalogue(path)
