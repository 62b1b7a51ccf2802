"""The command verify."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.cli.options import size_text
from deepbench_torch.storage import stored_bytes, verified_folder, verified_header


def verify(
    file: Annotated[Path, typer.Argument(help="A stored catalogue: a file or a folder.")],
) -> None:
    """Check every byte of a stored catalogue, and of its shards, against its checksums."""
    if file.is_dir():
        told = verified_folder(file)
        typer.echo(
            f"{file}: whole, {len(told.rows):,} rows of recipe {told.recipe.name}, seed "
            f"{told.seed}, {size_text(told.bytes)}; `reproduce` compares its pixels too"
        )
        return
    header = verified_header(file)
    shards = "" if header.shards is None else f" in {len(header.shards.seals):,} shards"
    typer.echo(
        f"{file}: whole, {len(header.rows):,} rows of recipe {header.recipe.name}, seed "
        f"{header.seed}, {stored_bytes(file, header) / 1e6:,.1f} MB{shards}"
    )
