"""The commands of what is stored: verify and reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import Overwrite, Quiet, Stored, Workers, refuse_idle, size_text
from deepbench_torch.cli.output import echo
from deepbench_torch.paths import user_path
from deepbench_torch.storage import reproduce as make_again
from deepbench_torch.storage import verified
from deepbench_torch.storage.formats import FORMATS


def verify(
    file: Stored,
) -> None:
    """Check every byte of a stored catalogue, and of its shards, against its checksums."""
    told = verified(file)
    shards = f" in {len(told.files):,} shards" if told.files else ""
    pixels = "" if FORMATS[told.format].exact else "; `reproduce` compares its pixels too"
    echo(
        f"{file}: whole, {len(told.rows):,} rows of recipe {told.recipe.name}, seed {told.seed}, "
        f"{size_text(told.bytes)}{shards}{pixels}"
    )


def reproduce(
    context: typer.Context,
    path: Stored,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Keep what is made here; it is thrown away otherwise.",
            parser=user_path,
            metavar="PATH",
        ),
    ] = None,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Make a stored catalogue again from what it says of itself, and compare."""
    if output is None:
        remedy = "nothing is kept, so nothing is replaced; name an --output, or leave it out"
        refuse_idle(context, ["overwrite"], where="without --output", remedy=remedy)
    done = make_again(path, output=output, workers=workers, overwrite=overwrite, progress=not quiet)
    files = f"{done.files:,} files" if done.files > 1 else "one file"
    kept = f"; kept as {output}" if output is not None else ""
    echo(f"{path}: made again, identical {done.same} in {files}{kept}")
