"""The commands of stored catalogues: verify and reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import Overwrite, Quiet, Stored, Workers, refuse_idle, size_text
from deepbench_torch.cli.output import echo
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage import reproduce as reproduce_catalogue
from deepbench_torch.storage import verified
from deepbench_torch.storage.formats import FORMATS


def verify(
    file: Stored,
) -> None:
    """Check every byte of a stored catalogue, and of its shards, against its checksums."""
    stored = verified(file)
    shards = f" in {len(stored.files):,} shards" if stored.files else ""
    pixels = "" if FORMATS[stored.format].exact else "; `reproduce` compares its pixels too"
    echo(
        f"{file}: intact, {len(stored.rows):,} rows of recipe {stored.recipe.name}, "
        f"seed {stored.seed}, {size_text(stored.bytes)}{shards}{pixels}"
    )


def reproduce(
    context: typer.Context,
    path: Stored,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Keep the new catalogue at this path. Default: it is removed.",
            parser=user_path,
            metavar="PATH",
        ),
    ] = None,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Generate a stored catalogue again from its metadata, and compare."""
    if output is None:
        remedy = "nothing is kept, so nothing is replaced; name an --output, or omit it"
        refuse_idle(context, ["overwrite"], where="without --output", remedy=remedy)
    result = reproduce_catalogue(
        path, output=output, workers=workers, overwrite=overwrite, progress=not quiet
    )
    files = f"{result.files:,} files" if result.files > 1 else "one file"
    kept = f"; kept as {output}" if output is not None else ""
    echo(f"{path}: reproduced, identical {result.same} in {files}{kept}")
