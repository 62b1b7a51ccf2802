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
from deepbench_torch.datasets.problems import Problem, list_problems, problem
from deepbench_torch.plotting.cards.columns import calibration_facts, statistics_facts
from deepbench_torch.recipes import (
    AbstractRecipe,
    list_recipes,
    load_recipe,
)
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import (
    Description,
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
        typer.Argument(help="Folder, or file ending in .h5.", parser=user_path),
    ],
    size: Size = None,
    seed: Seed = None,
    image_size: ImageSize = None,
    format: Annotated[  # noqa: A002
        Format, typer.Option(help="One file (h5), or a folder of arrays or of one file a row.")
    ] = DEFAULT,
    workers: Workers = 0,
    compression: Annotated[
        Literal["gzip", "lzf"] | None,
        typer.Option(help="Smaller file, but slower to read."),
    ] = None,
    extension: Annotated[
        list[str] | None,
        typer.Option(
            help="Further images in each FITS file: clean, variance or masks. Repeat for several.",
            metavar="NAME",
        ),
    ] = None,
    append: Annotated[
        int | None, typer.Option(help="Number of rows to add to an existing catalogue.")
    ] = None,
    no_card: Annotated[bool, typer.Option("--no-card", help="Write no dataset card.")] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write a catalogue of images or time series with its exact truth and dataset card."""
    catalogue = Catalogue(image, size=size, seed=seed, image_size=parse_size(image_size))
    recipe, progress = catalogue.recipe, not quiet
    path = _catalogue_path(output, recipe, format=format)
    if append is not None:
        if size is not None:
            raise ValueError(
                f"--size: expected no such option with --append, got {size}; omit one of the two"
            )
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
            extensions=extension or (),
        )
    stored = describe(path)
    echo(
        f"{path}: {len(stored.rows):,} {recipe.plural} of {recipe.size_text}, "
        f"recipe {recipe.name}, seed {stored.seed}, {size_text(stored.bytes)}"
    )
    if not no_card:
        _write_card(path)


def _write_card(path: Path) -> None:
    """Write the dataset card of a stored catalogue, and JSON-LD if its library is installed."""
    from deepbench_torch.plotting.cards.card import write_card  # matplotlib is slow to import
    from deepbench_torch.plotting.cards.croissant import can_write_croissant, write_croissant

    card = write_card(path)
    croissant = f" and {write_croissant(path, card).name}" if can_write_croissant() else ""
    echo(f"{card}{croissant}: dataset card")


def _check_append(context: typer.Context, path: Path, *, format: Format) -> None:  # noqa: A002
    """Refuse options that have no effect when rows are added to a stored catalogue."""
    remedy = "the catalogue keeps its own; omit it"
    refuse_idle(context, ["compression", "extension"], where="with --append", remedy=remedy)
    refuse_idle(context, ["overwrite"], where="with --append", remedy="omit it")
    found = describe(path).format
    if found != format:
        raise ValueError(
            f"--format: expected {found}, the format of {str(path)!r}, got {format}; use "
            f"--format {found}, or name another catalogue"
        )


def _catalogue_path(output: Path, recipe: AbstractRecipe, *, format: Format) -> Path:  # noqa: A002
    """Return the path of a new catalogue: the named file, or a path in the folder by recipe."""
    form = FORMATS[format]
    if is_file_name(output) and not form.is_folder:
        return output
    if is_file_name(output):
        raise ValueError(
            f"output: expected a folder for --format {format}, got {output.name!r}; name a folder, "
            "or omit --format"
        )
    if not output.is_dir():
        check_folder_name(output, "the catalogue and its card")
    return output / (recipe.name if form.is_folder else f"{recipe.name}{form.suffixes[0]}")


def info(
    file: Stored,
) -> None:
    """Print the contents and the origin of a stored catalogue."""
    if (file / LIST).is_file():
        _print_collection(file)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _description(describe(file)).items():
        table.add_row(name, cell(value))
    Console().print(table)


def _description(stored: Description) -> dict[str, Any]:
    """Return the facts about a stored catalogue by name."""
    recipe, attributes = stored.recipe, stored.attributes
    return {
        "recipe": f"{recipe.name}: {recipe.description}",
        recipe.plural: f"{len(stored.rows):,} of {recipe.size_text}, float32",
        **_channels(recipe),
        **statistics_facts(recipe, StoredCatalogue(stored.path).statistics),
        **calibration_facts(recipe),
        "split": stored.split or "all: train, val, test",
        "label": f"{recipe.label_name}: {', '.join(recipe.classes)}",
        "seed": stored.seed,
        "digest": attributes["digest"],
        "sha256": stored.checksum,
        "made by": attributes["package"],
        "generator": f"version {attributes['generator_version']}",
        "date": attributes["date"],
        "licence": attributes["licence"],
        "format": stored.format,
        **FORMATS[stored.format].info(stored),
        "size": size_text(stored.bytes),
    }


def _print_collection(folder: Path) -> None:
    """Print a line for each catalogue of a collection, and the order of their rows."""
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
        f"{len(collection):,} rows in total, "
        + ("concatenated" if collection.weights is None else f"mixed by {collection.weights}")
        + f"; labels: {', '.join(collection.classes)}"
    )


def list_(
    problems: Annotated[
        bool, typer.Option("--problems", help="List the problem sets instead.")
    ] = False,
) -> None:
    """List the packaged recipes, or problem sets."""
    table = Table(box=None, pad_edge=False)
    for column in ("problem" if problems else "recipe", "size", "label", "description"):
        table.add_column(column, overflow="fold")
    for name in list_problems() if problems else list_recipes():
        found = problem(name) if problems else load_recipe(name)
        recipe = found.recipe if isinstance(found, Problem) else found
        label = f"{recipe.label_name}, {len(recipe.classes)}"
        table.add_row(*map(cell, (name, recipe.size_text, label, found.description)))
    Console().print(table)


def _channels(recipe: AbstractRecipe) -> dict[str, str]:
    """Return the channels and times of time series; nothing for images."""
    if not recipe.channels:
        return {}
    names = ", ".join(f"{channel.name} [{channel.unit}]" for channel in recipe.channels)
    attributes = recipe.attributes
    return {
        "channels": names,
        "time": f"0 to {attributes['duration']:g} {attributes['time_unit']}",
    }
