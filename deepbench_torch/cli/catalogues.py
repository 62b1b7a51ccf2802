"""The commands of catalogues: generate, show, info and list."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deepbench_torch import plotting
from deepbench_torch.cli.options import (
    Image,
    ImageSize,
    Overwrite,
    Quiet,
    Seed,
    Size,
    Workers,
    is_stored,
    parse_size,
)
from deepbench_torch.datasets import Catalogue, RowDataset
from deepbench_torch.recipes import (
    AbstractRecipe,
    Recipe,
    SeriesRecipe,
    list_recipes,
    load_recipe,
)
from deepbench_torch.storage import StoredCatalogue, materialize, read_header, stored_bytes


def generate(
    image: Image,
    output: Annotated[Path, typer.Argument(help="A folder, or a file ending in .h5.")],
    size: Size = None,
    seed: Seed = None,
    image_size: ImageSize = None,
    format: Annotated[Literal["h5"], typer.Option(help="Format of the file.")] = "h5",  # noqa: A002
    workers: Workers = 0,
    compression: Annotated[
        Literal["gzip", "lzf"] | None, typer.Option(help="Smaller, but read more slowly.")
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write a catalogue of images, labels and parameters to disk."""
    catalogue = Catalogue(image, size=size, seed=seed, image_size=parse_size(image_size))
    path = output if is_stored(output) else output / f"{catalogue.recipe.name}.h5"
    path = materialize(
        catalogue,
        path,
        format=format,
        workers=workers,
        overwrite=overwrite,
        progress=not quiet,
        compression=compression,
    )
    recipe = catalogue.recipe
    typer.echo(
        f"{path}: {catalogue.size:,} {_nouns(recipe)} of {recipe.extent}, recipe {recipe.name}, "
        f"seed {catalogue.seed}, {stored_bytes(path) / 1e6:.1f} MB"
    )


def show(
    image: Annotated[
        str,
        typer.Argument(help="A recipe's name, YAML file, or a stored .h5 file.", metavar="IMAGE"),
    ],
    output: Annotated[Path, typer.Option(help="The picture to write.")] = Path("gallery.png"),
    seed: Seed = None,
    image_size: ImageSize = None,
    columns: Annotated[int | None, typer.Option(help="Images or time series side by side.")] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of them.")] = None,
    boxes: Annotated[bool, typer.Option("--boxes", help="Draw the box of each object.")] = False,
    masks: Annotated[bool, typer.Option("--masks", help="Outline each object's mask.")] = False,
) -> None:
    """Draw a labelled gallery of the first images, or paths and energies of time series."""
    dataset: RowDataset
    stored = is_stored(Path(image))
    recipe = read_header(image).recipe if stored else load_recipe(image)
    target = plotting.gallery_target(recipe, overlay=boxes or masks)
    if stored:
        dataset = StoredCatalogue(image, target=target)
    else:
        size = parse_size(image_size)
        dataset = Catalogue(recipe, seed=seed, image_size=size, target=target)
    figure = plotting.gallery(dataset, columns=columns, rows=rows, boxes=boxes, masks=masks)
    path = plotting.save(figure, output)
    typer.echo(f"{path}: a gallery of {image}")


def info(
    file: Annotated[Path, typer.Argument(help="A stored catalogue.")],
) -> None:
    """Tell what a stored catalogue holds and how it was made."""
    header = read_header(file)
    recipe = header.recipe
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    facts: dict[str, Any] = {
        "recipe": f"{recipe.name}: {recipe.description}",
        _nouns(recipe): f"{len(header.rows):,} of {recipe.extent}, float32",
        **_channels(recipe),
        "split": header.split or "all: train, val, test",
        "label": f"{_label(recipe)}: {', '.join(recipe.classes)}",
        "seed": header.seed,
        "digest": header.attributes["digest"],
        "sha256": header.attributes["sha256"],
        "made by": header.attributes["package"],
        "generator": f"version {header.attributes['generator_version']}",
        "date": header.attributes["date"],
        "licence": header.attributes["licence"],
        "reading": "mapped into memory" if header.mapped else "compressed",
        "shards": "none" if header.shards is None else f"{len(header.shards.seals):,}",
        "file": f"{file} ({stored_bytes(file) / 1e6:.1f} MB)",
    }
    for name, value in facts.items():
        table.add_row(name, escape(str(value)))  # [m] is a unit here, not a style
    Console().print(table)


def list_() -> None:
    """List the packaged recipes."""
    table = Table(box=None, pad_edge=False)
    for column in ("recipe", "size", "label", "what it holds"):
        table.add_column(column, overflow="fold")
    for name in list_recipes():
        recipe = load_recipe(name)
        label = f"{_label(recipe)}, {len(recipe.classes)}"
        table.add_row(name, recipe.extent, label, recipe.description)
    Console().print(table)


def _nouns(recipe: AbstractRecipe) -> str:
    """What its rows are called."""
    return "images" if recipe.content == "image" else "time series"


def _channels(recipe: AbstractRecipe) -> dict[str, str]:
    """What the columns of time series are and when they were taken; nothing of images."""
    if not isinstance(recipe, SeriesRecipe):
        return {}
    names = ", ".join(f"{channel.name} [{channel.unit}]" for channel in recipe.channels)
    return {
        "channels": names,
        "time": f"0 to {recipe.time.duration:g} {recipe.definition.time_unit}",
    }


def _label(recipe: AbstractRecipe) -> str:
    """What its labels are called."""
    return recipe.label if isinstance(recipe, Recipe) else "parameters"
