"""The command that rolls the difficulty of a recipe back."""

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
from deepbench_torch.paths import user_path
from deepbench_torch.plotting.ladder import write_ladder
from deepbench_torch.recipes import load_recipe


def ladder(
    context: typer.Context,
    image: Image,
    output: Annotated[
        Path | None,
        typer.Argument(
            help="A folder for a file a rung; left out, only to list them.", parser=user_path
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="How many rows a rung.")] = 1000,
    seed: Seed = None,
    image_size: ImageSize = None,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Roll a recipe back to its simplest version and build it up again, a step a rung."""
    if output is None:
        refuse_idle(
            context,
            ["size", "seed", "image_size", "workers", "overwrite", "quiet"],
            where="without a folder to write to, where the rungs are only listed",
            remedy="name a folder, or leave it out",
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
    paths = write_ladder(
        recipe,
        output,
        size=size,
        seed=seed,
        workers=workers,
        overwrite=overwrite,
        progress=not quiet,
    )
    also = ", and ladder.png" if recipe.content == "image" else ""
    echo(f"{output}: {len(paths)} catalogues of {size:,} rows{also}")
