"""The command line: `deepbench-torch generate | show | info | list`."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from deepbench_torch import plotting
from deepbench_torch.datasets import Catalogue, RowDataset
from deepbench_torch.recipes import AbstractRecipe, Recipe, list_recipes, load_recipe
from deepbench_torch.storage import StoredCatalogue, materialize, read_header

app = typer.Typer(
    help="Simple, physically exact simulated images for machine learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Image = Annotated[
    str,
    typer.Argument(help="A recipe's name, as `list` shows them, or YAML file.", metavar="IMAGE"),
]
Seed = Annotated[int, typer.Option(help="Another seed gives other images.")]
Size = Annotated[int, typer.Option(help="How many images.")]
ImageSize = Annotated[
    str | None,
    typer.Option(help="Pixels, as 64 or as 48x64 (height x width).", metavar="SIZE"),
]


@app.command()
def generate(
    image: Image,
    output: Annotated[Path, typer.Argument(help="A folder, or a file ending in .h5.")],
    size: Size = 10_000,
    seed: Seed = 0,
    image_size: ImageSize = None,
    format: Annotated[Literal["h5"], typer.Option(help="Format of the file.")] = "h5",  # noqa: A002
    workers: Annotated[int, typer.Option(help="Processes that make images; 0 for this one.")] = 0,
    compression: Annotated[
        Literal["gzip", "lzf"] | None, typer.Option(help="Smaller, but read more slowly.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an old file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Write a catalogue of images, labels and parameters to disk."""
    catalogue = Catalogue(image, size=size, seed=seed, image_size=_parse_size(image_size))
    path = output if _is_stored(output) else output / f"{catalogue.recipe.name}.h5"
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
        f"{path}: {size:,} {_nouns(recipe)} of {recipe.extent}, recipe {recipe.name}, "
        f"seed {seed}, {path.stat().st_size / 1e6:.1f} MB"
    )


@app.command()
def show(
    image: Annotated[
        str,
        typer.Argument(help="A recipe's name, YAML file, or a stored .h5 file.", metavar="IMAGE"),
    ],
    output: Annotated[Path, typer.Option(help="The picture to write.")] = Path("gallery.png"),
    seed: Seed = 0,
    image_size: ImageSize = None,
    columns: Annotated[int, typer.Option(help="Images side by side.")] = 10,
    rows: Annotated[int | None, typer.Option(help="Rows of images.")] = None,
    boxes: Annotated[bool, typer.Option("--boxes", help="Draw the box of each object.")] = False,
    masks: Annotated[bool, typer.Option("--masks", help="Outline each object's mask.")] = False,
) -> None:
    """Draw a labelled gallery of the first images."""
    dataset: RowDataset
    target = plotting.OVERLAY if boxes or masks else "label"
    if _is_stored(Path(image)):
        dataset = StoredCatalogue(image, target=target)
    else:
        size = _parse_size(image_size)
        dataset = Catalogue(image, seed=seed, image_size=size, target=target)
    figure = plotting.gallery(dataset, columns=columns, rows=rows, boxes=boxes, masks=masks)
    path = plotting.save(figure, output)
    typer.echo(f"{path}: a gallery of {image}")


@app.command()
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
        "split": header.split or "all: train, val, test",
        "label": f"{_label(recipe)}: {', '.join(recipe.classes)}",
        "seed": header.seed,
        "digest": header.attributes["digest"],
        "sha256": header.attributes["sha256"],
        "made by": header.attributes["package"],
        "generator": f"version {header.attributes['generator_version']}",
        "date": header.attributes["date"],
        "licence": header.attributes["licence"],
        "reading": "compressed" if header.offset is None else "mapped into memory",
        "file": f"{file} ({file.stat().st_size / 1e6:.1f} MB)",
    }
    for name, value in facts.items():
        table.add_row(name, str(value))
    Console().print(table)


@app.command("list")
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


def _label(recipe: AbstractRecipe) -> str:
    """What its labels are called."""
    return recipe.label if isinstance(recipe, Recipe) else "parameters"


def _is_stored(path: Path) -> bool:
    """Whether a path names a stored catalogue, by its ending."""
    return path.suffix.lower() in (".h5", ".hdf5")


def _parse_size(text: str | None) -> int | tuple[int, int] | None:
    """64 or 48x64 as one or two numbers."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"--image-size must be like 64 or 48x64 (height x width), got {text!r}")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    run_command(app, "deepbench-torch", arguments)


def run_command(command: typer.Typer, name: str, arguments: list[str] | None = None) -> NoReturn:
    """Run a command; whatever goes wrong ends in one line on standard error and exit status 2."""
    try:
        status = command(arguments, standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        _fail(name, "interrupted", status=130)
    except typer.TyperException as error:
        _fail(name, f"{error}; see --help" if str(error) else "")
    except Exception as error:
        _fail(name, _message(error))
    sys.exit(status if isinstance(status, int) else 0)


def _message(error: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror
    else:
        text = str(error.args[0]) if error.args else type(error).__name__
    return " ".join(text.split())


def _fail(name: str, message: str, status: int = 2) -> NoReturn:
    if message:  # else the help has said enough
        print(f"{name}: error: {message}", file=sys.stderr)
    sys.exit(status)
