"""The command of difficulty ladders: ladder."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deepbench_torch.cli.options import (
    Image,
    ImageSize,
    Overwrite,
    Quiet,
    Seed,
    Workers,
    parse_size,
    refuse_idle,
)
from deepbench_torch.cli.output import cell, echo
from deepbench_torch.generate import resize
from deepbench_torch.recipes import load_recipe
from deepbench_torch.recipes.paths import user_path


def ladder(
    context: typer.Context,
    image: Image,
    output: Annotated[
        Path | None,
        typer.Argument(
            help="Folder for one file a rung; without it the rungs are only listed.",
            parser=user_path,
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Number of rows a rung.")] = 1000,
    seed: Seed = None,
    image_size: ImageSize = None,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """List or write a difficulty ladder: from the simplest version of a recipe, step by step."""
    if output is None:
        refuse_idle(
            context,
            ["size", "seed", "image_size", "workers", "overwrite", "quiet"],
            where="without a folder, because the rungs are only listed",
            remedy="name a folder, or omit it",
        )
    recipe = resize(load_recipe(image), parse_size(image_size))
    table = Table(box=None, pad_edge=False)
    for column in ("rung", "adds", "classes"):
        table.add_column(column, overflow="fold")
    for number, rung in enumerate(recipe.rungs()):
        cells = f"{number}-{rung.name}", rung.adds, ", ".join(rung.recipe.classes)
        table.add_row(*map(cell, cells))
    Console().print(table)
    if output is None:
        return
    from deepbench_torch.plotting.ladder import write_ladder  # matplotlib is slow to import

    paths = write_ladder(
        recipe,
        output,
        size=size,
        seed=seed,
        workers=workers,
        overwrite=overwrite,
        progress=not quiet,
    )
    picture = ", and ladder.png" if recipe.image_size is not None else ""
    echo(f"{output}: {len(paths)} catalogues of {size:,} rows{picture}")
