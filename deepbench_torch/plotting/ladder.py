"""Ladders on disk: a file for each rung of a recipe, and a picture of the same rows on each."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepbench_torch.datasets import Catalogue
from deepbench_torch.plotting.style import TILE, image_norm, save
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import materialize
from deepbench_torch.storage.outputs import check_replaceable
from deepbench_torch.storage.suffixes import check_folder_name


def ladder_catalogues(
    recipe: AbstractRecipe, *, size: int, seed: int | None
) -> dict[str, Catalogue]:
    """Return the catalogues of all rungs, the simplest first, by file name: 0-simplest, ..."""
    return {
        f"{number}-{rung.name}": Catalogue(rung.recipe, size=size, seed=seed)
        for number, rung in enumerate(recipe.rungs())
    }


def write_ladder(
    recipe: AbstractRecipe,
    folder: str | Path,
    *,
    size: int = 1000,
    seed: int | None = None,
    workers: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> list[Path]:
    """Write a stored catalogue for each rung of a recipe, and a picture of images, `ladder.png`.

    Args:
        recipe: Recipe of the highest rung.
        folder: Output folder; created if it is missing.
        size: Number of rows of each rung.
        seed: Seed of all rungs; if None, that of the recipe, or 0.
        workers: Number of local processes that generate rows; 0 for none.
        overwrite: Whether files of these names may be replaced.
        progress: Whether to show a progress bar.

    Returns:
        Paths of the catalogues, the simplest first.

    Raises:
        FileExistsError: If a file exists and may not be replaced.
        OSError: If a file cannot be written.
    """
    folder = user_path(folder)
    check_folder_name(folder, "a ladder")
    catalogues = ladder_catalogues(recipe, size=size, seed=seed)
    paths = [folder / f"{name}.h5" for name in catalogues]
    for path in paths:
        if path.exists() and not overwrite:
            raise FileExistsError(
                f"{str(path)!r}: expected a new file, got an existing one; replace it with "
                "overwrite=True (--overwrite), or choose another folder"
            )
    check_replaceable(folder / "ladder.png")
    for path, catalogue in zip(paths, catalogues.values(), strict=True):
        materialize(catalogue, path, workers=workers, overwrite=overwrite, progress=progress)
    if recipe.image_size is not None:
        save(plot_ladder(catalogues), folder / "ladder.png")
    return paths


def plot_ladder(catalogues: dict[str, Catalogue], *, columns: int = 10) -> Figure:
    """Plot the first rows of several catalogues of one seed, one line a catalogue."""
    height, width = next(iter(catalogues.values())).recipe.shape[1:]
    label = 1.1  # width of the names on the left [inch]
    size = (columns * TILE + label, len(catalogues) * TILE * height / width)
    figure = Figure(size)
    axes = figure.subplots(
        len(catalogues), columns, squeeze=False, gridspec_kw={"wspace": 0.04, "hspace": 0.04}
    )
    figure.subplots_adjust(left=label / size[0], right=0.995, top=0.995, bottom=0.005)
    rows = range(min(columns, *(len(catalogue) for catalogue in catalogues.values())))
    images = {name: _images(catalogue, rows) for name, catalogue in catalogues.items()}
    highest = list(images.values())[-1]  # sets the brightness scale of each column
    for line, (name, shown) in zip(axes, images.items(), strict=True):
        for axis, image, scale in zip(line, shown, highest, strict=False):
            axis.imshow(image, norm=image_norm(scale), cmap="magma", interpolation="nearest")
        for axis in line:
            axis.set_axis_off()
        line[0].text(
            -0.1, 0.5, name, fontsize=9, ha="right", va="center", transform=line[0].transAxes
        )
    return figure


def _images(catalogue: Catalogue, rows: range) -> list[NDArray[np.float32]]:
    return [image[0].numpy() for image, _ in catalogue.__getitems__(list(rows))]
