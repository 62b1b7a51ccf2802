"""The command of pictures: show."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import ImageSize, Seed, parse_size, refuse_idle
from deepbench_torch.cli.output import echo
from deepbench_torch.datasets import Catalogue
from deepbench_torch.datasets.any_dataset import AnyDataset, recipes_of
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.recipes import list_recipes, load_recipe
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import StoredCatalogue, describe, is_file_name
from deepbench_torch.storage.names import LIST


def show(
    context: typer.Context,
    image: Annotated[
        str,
        typer.Argument(
            help="Name of a recipe, YAML file, or stored catalogue or collection: a file, or a "
            "folder written with a slash, as ./astro.",
            metavar="IMAGE",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="Picture to write; a .gif is an animation of time series.",
            parser=user_path,
            metavar="PATH",
        ),
    ] = Path("gallery.png"),
    seed: Seed = None,
    image_size: ImageSize = None,
    columns: Annotated[int | None, typer.Option(help="Number of columns.")] = None,
    rows: Annotated[int | None, typer.Option(help="Number of rows.")] = None,
    boxes: Annotated[bool, typer.Option("--boxes", help="Plot the box of each object.")] = False,
    masks: Annotated[bool, typer.Option("--masks", help="Outline each object's mask.")] = False,
) -> None:
    """Plot a labelled gallery of the first images, or paths and energies of time series."""
    from deepbench_torch.plotting.animation import save_animation  # matplotlib is slow to import
    from deepbench_torch.plotting.gallery import GALLERIES, gallery, gallery_target
    from deepbench_torch.plotting.style import check_suffix, save

    overlay = boxes or masks
    if _is_stored(image):
        refuse_idle(
            context,
            ["seed", "image_size"],
            where=f"for the stored catalogue {image!r}, whose rows are fixed",
            remedy="omit it, or name a recipe instead",
        )
        noun, dataset = "", _open(image, overlay=overlay)
    else:
        recipe, size = load_recipe(image), parse_size(image_size)
        target = gallery_target(recipe, overlay=overlay)
        noun = "the recipe "
        dataset = Catalogue(recipe, seed=seed, image_size=size, target=target)
    check_suffix(output, GALLERIES[recipes_of(dataset)[0].content].suffixes)
    if output.suffix.lower() == ".gif":
        save_animation(dataset, output, columns=columns, rows=rows)
        echo(f"{output}: an animation of {noun}{image}")
        return
    figure = gallery(dataset, columns=columns, rows=rows, boxes=boxes, masks=masks)
    save(figure, output)
    echo(f"{output}: a gallery of {noun}{image}")


def _is_stored(image: str) -> bool:
    """Return whether a text names a stored catalogue; the name of a packaged recipe does not."""
    if image in list_recipes():
        return False
    path = user_path(image)
    return is_file_name(path) or path.is_dir()


def _open(image: str, *, overlay: bool) -> AnyDataset:
    """Open a stored catalogue or collection with the target that its gallery needs."""
    from deepbench_torch.plotting.gallery import gallery_target  # matplotlib is slow to import

    path = user_path(image)
    if (path / LIST).is_file():
        recipe = Collection.open(path).members[0].recipe
        return Collection.open(path, target=gallery_target(recipe, overlay=overlay))
    stored = describe(path)
    target = gallery_target(stored.recipe, overlay=overlay)
    return StoredCatalogue(stored.path, target=target)
