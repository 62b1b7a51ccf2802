"""The commands of what is stored: reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import Overwrite, Quiet, Workers
from deepbench_torch.storage import reproduce as make_again


def reproduce(
    path: Annotated[Path, typer.Argument(help="A stored catalogue: a file or a folder.")],
    output: Annotated[
        Path | None, typer.Option(help="Keep what is made here; it is thrown away otherwise.")
    ] = None,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Make a stored catalogue again from what it says of itself, and compare."""
    done = make_again(path, output=output, workers=workers, overwrite=overwrite, progress=not quiet)
    files = f"{done.files:,} files" if done.files > 1 else "one file"
    kept = f"; kept as {output}" if output is not None else ""
    typer.echo(f"{path}: made again, identical {done.same} in {files}{kept}")
