"""append(): extend a stored catalogue by more rows."""

from pathlib import Path

from deepbench_torch.datasets import LARGEST_SIZE
from deepbench_torch.numerics.checks import check_integer
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

    The result is the catalogue of the larger size, to the byte: it begins with the rows of the
    smaller. The splits are those of the larger size too, so rows move from one to another.

    Args:
        path: File or folder that `materialize` wrote, of a catalogue and not of a split.
        rows: Number of rows to add.
        recipe: Refuse a catalogue of another recipe than this; None to take any.
        seed: Refuse a catalogue of another seed than this; None to take any.
        workers: Number of local processes that generate the rows; 0 for this one.
        progress: Whether to show a progress bar.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such catalogue.
        ValueError: If it has another recipe or seed, or is only a split.
    """
    stored = describe(path)
    most = LARGEST_SIZE - stored.size
    rows = check_integer(rows, "rows to append must be a positive whole number", least=1, most=most)
    _check(stored, recipe=recipe, seed=seed)
    # all rows are generated: that costs less than to check and copy the stored ones
    return materialize(
        stored.catalogue(size=stored.size + rows),
        stored.path,
        format=stored.format,  # type: ignore[arg-type]
        workers=workers,
        overwrite=True,
        progress=progress,
        **stored.options,
    )


def _check(
    stored: Description, *, recipe: str | Path | AbstractRecipe | None, seed: int | None
) -> None:
    path, own = str(stored.path), stored.recipe
    if stored.split is not None:
        raise ValueError(
            f"{path!r} holds the split {stored.split!r} only, and a larger size has other splits; "
            "write the larger catalogue, or its split, instead"
        )
    if recipe is not None and load_recipe(recipe).digest != own.digest:
        raise ValueError(
            f"{path!r} holds recipe {own.name} ({own.digest:.8}), not "
            f"{load_recipe(recipe).name} ({load_recipe(recipe).digest:.8}); append with its own"
        )
    if seed is not None and seed != stored.seed:
        raise ValueError(
            f"{path!r} has seed {stored.seed}, but seed {seed} was requested; append with its own"
        )
