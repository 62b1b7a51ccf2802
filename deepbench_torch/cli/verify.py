"""The command verify."""

from pathlib import Path
from typing import Annotated

import typer

from deepbench_torch.storage import stored_bytes, verified_header


def verify(
    file: Annotated[Path, typer.Argument(help="A stored catalogue.")],
) -> None:
    """Check every byte of a stored catalogue, and of its shards, against its checksums."""
    header = verified_header(file)
    shards = "" if header.shards is None else f" in {len(header.shards.seals):,} shards"
    typer.echo(
        f"{file}: whole, {len(header.rows):,} rows of recipe {header.recipe.name}, seed "
        f"{header.seed}, {stored_bytes(file, header) / 1e6:,.1f} MB{shards}"
    )
