"""The commands of catalogues: generate, info and list."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from deepbench_torch.cli.options import (
    Image,
    ImageSize,
    Overwrite,
    Quiet,
    Seed,
    Size,
    Stored,
    Workers,
    parse_size,
    refuse_idle,
    size_text,
)
from deepbench_torch.cli.output import cell, echo
from deepbench_torch.datasets import Catalogue
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.paths import user_path
from deepbench_torch.plotting.cards import can_write_croissant, write_card, write_croissant
from deepbench_torch.plotting.cards.columns import statistics_facts
from deepbench_torch.recipes import (
    AbstractRecipe,
    Recipe,
    SeriesRecipe,
    list_recipes,
    load_recipe,
)
from deepbench_torch.storage import (
    StoredCatalogue,
    describe,
    is_file_name,
    materialize,
)
from deepbench_torch.storage import append as append_rows
from deepbench_torch.storage.formats import DEFAULT, FORMATS, Format
from deepbench_torch.storage.names import LIST
from deepbench_torch.storage.suffixes import check_folder_name


def generate(
    context: typer.Context,
    image: Image,
    output: Annotated[
        Path,
        typer.Argument(help="A folder, or a file ending in .h5.", parser=user_path),
    ],
    size: Size = None,
    seed: Seed = None,
    image_size: ImageSize = None,
    format: Annotated[  # noqa: A002
        Format, typer.Option(help="One file (h5), or a folder of arrays or of a file a row.")
    ] = DEFAULT,
    workers: Workers = 0,
    compression: Annotated[
        Literal["gzip", "lzf"] | None, typer.Option(help="Smaller, but read more slowly.")
    ] = None,
    append: Annotated[
        int | None, typer.Option(help="Add so many rows to a catalogue that is there.")
    ] = None,
    no_card: Annotated[
        bool, typer.Option("--no-card", help="Write no dataset card beside it.")
    ] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write a catalogue of images or time series and all truth to disk, and its card."""
    catalogue = Catalogue(image, size=size, seed=seed, image_size=parse_size(image_size))
    recipe, progress = catalogue.recipe, not quiet
    path = _place(output, recipe, format)
    if append is not None:
        if size is not None:
            raise ValueError(f"give --size or --append, not both, got {size} and {append}")
        _check_append(context, path, format=format)
        append_rows(path, append, recipe=recipe, seed=seed, workers=workers, progress=progress)
    else:
        materialize(
            catalogue,
            path,
            format=format,
            workers=workers,
            overwrite=overwrite,
            progress=progress,
            compression=compression,
        )
    told = describe(path)
    echo(
        f"{path}: {len(told.rows):,} {recipe.plural} of {recipe.size_text}, recipe {recipe.name}, "
        f"seed {told.seed}, {size_text(told.bytes)}"
    )
    if not no_card:
        card = write_card(path)
        also = f" and {write_croissant(path, card).name}" if can_write_croissant() else ""
        echo(f"{card}{also}: its card")


def _check_append(context: typer.Context, path: Path, *, format: Format) -> None:  # noqa: A002
    """Refuse options that have no effect on rows that are added to a stored catalogue."""
    remedy = "the catalogue keeps its own; leave it out"
    refuse_idle(context, ["compression"], where="with --append", remedy=remedy)
    refuse_idle(context, ["overwrite"], where="with --append", remedy="leave it out")
    found = describe(path).format
    if found != format:
        raise ValueError(
            f"--format: expected {found}, the format of {str(path)!r}, got {format}; add "
            f"--format {found}, or name another catalogue"
        )


def _place(output: Path, recipe: AbstractRecipe, format: Format) -> Path:  # noqa: A002
    """Where a catalogue is written: the file that was named, or one in the folder by its recipe."""
    form = FORMATS[format]
    if is_file_name(output) and not form.is_folder:
        return output
    if is_file_name(output):
        raise ValueError(
            f"format {format} gives a folder, got {output.name!r}; name a folder, or leave the "
            "format out"
        )
    if not output.is_dir():
        check_folder_name(output, "the catalogue and its card")
    return output / (recipe.name if form.is_folder else f"{recipe.name}{form.suffixes[0]}")


def info(
    file: Stored,
) -> None:
    """Tell what a stored catalogue holds and how it was made."""
    if (file / LIST).is_file():
        _tell_of_collection(file)
        return
    told = describe(file)
    recipe, said = told.recipe, told.attributes
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    facts: dict[str, Any] = {
        "recipe": f"{recipe.name}: {recipe.description}",
        recipe.plural: f"{len(told.rows):,} of {recipe.size_text}, float32",
        **_channels(recipe),
        **statistics_facts(recipe, StoredCatalogue(told.path).statistics),
        "split": told.split or "all: train, val, test",
        "label": f"{_label(recipe)}: {', '.join(recipe.classes)}",
        "seed": told.seed,
        "digest": said["digest"],
        "sha256": told.checksum,
        "made by": said["package"],
        "generator": f"version {said['generator_version']}",
        "date": said["date"],
        "licence": said["licence"],
        "format": told.format,
        **FORMATS[told.format].info(told),
        "size": size_text(told.bytes),
    }
    for name, value in facts.items():
        table.add_row(name, cell(value))
    Console().print(table)


def _tell_of_collection(folder: Path) -> None:
    """A line for each catalogue of a collection, and how they are put together."""
    collection = Collection.open(folder)
    table = Table(box=None, pad_edge=False)
    for column in ("domain", "rows", "size", "seed", "recipe"):
        table.add_column(column, overflow="fold")
    for domain, member in zip(collection.domains, collection.members, strict=True):
        recipe = member.recipe
        cells = (domain, f"{len(member):,}", recipe.size_text, str(member.seed), recipe.description)
        table.add_row(*map(cell, cells))
    Console().print(table)
    echo(
        f"{len(collection):,} rows together, "
        + ("one after another" if collection.weights is None else f"by {collection.weights}")
        + f"; labels: {', '.join(collection.classes)}"
    )


def list_() -> None:
    """List the packaged recipes."""
    table = Table(box=None, pad_edge=False)
    for column in ("recipe", "size", "label", "what it holds"):
        table.add_column(column, overflow="fold")
    for name in list_recipes():
        recipe = load_recipe(name)
        label = f"{_label(recipe)}, {len(recipe.classes)}"
        table.add_row(*map(cell, (name, recipe.size_text, label, recipe.description)))
    Console().print(table)


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
