"""append(): a stored catalogue with more rows."""

from pathlib import Path

from deepbench_torch.arguments import check_integer
from deepbench_torch.datasets import LARGEST_SIZE
from deepbench_torch.recipes import AbstractRecipe, load_recipe
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.materialize import materialize


def append(
    path: str | Path,
    rows: int,
    *,
    recipe: str | Path | AbstractRecipe | None = None,
    seed: int | None = None,
    workers: int = 0,
    progress: bool = True,
) -> Path:
    """Extend a stored catalogue of any format by some rows.

    The result is the catalogue of the larger size, to the byte: it begins with the rows that were
    there. The splits are those of the larger size too, so rows move from one to another.

    Args:
        path: A file or folder that `materialize` wrote, of a whole catalogue.
        rows: How many more.
        recipe: Refuse a catalogue of another recipe than this; None to take any.
        seed: Refuse a catalogue of another seed than this; None to take any.
        workers: Local processes that make the rows; 0 for this one.
        progress: Whether to show a progress bar.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such catalogue.
        ValueError: If it is not the one asked for, or only a split.
    """
    told = describe(path)
    most = LARGEST_SIZE - told.size
    rows = check_integer(rows, "rows to append must be a positive whole number", least=1, most=most)
    _check(told, recipe=recipe, seed=seed)
    # all rows are made, also those that are there: that costs less than to trust and copy them
    return materialize(
        told.catalogue(size=told.size + rows),
        told.path,
        format=told.format,  # type: ignore[arg-type]
        workers=workers,
        overwrite=True,
        progress=progress,
        **told.options,
    )


def _check(
    told: Description, *, recipe: str | Path | AbstractRecipe | None, seed: int | None
) -> None:
    if told.split is not None:
        raise ValueError(
            f"{str(told.path)!r} holds the split {told.split!r} only, and a larger size has other "
            "splits; write the larger catalogue, or its split, anew"
        )
    if recipe is not None and load_recipe(recipe).digest != told.recipe.digest:
        raise ValueError(
            f"{str(told.path)!r} holds recipe {told.recipe.name} ({told.recipe.digest:.8}), not "
            f"{load_recipe(recipe).name} ({load_recipe(recipe).digest:.8}); append with its own"
        )
    if seed is not None and seed != told.seed:
        raise ValueError(
            f"{str(told.path)!r} has seed {told.seed}, asked was for {seed}; append with its own"
        )
