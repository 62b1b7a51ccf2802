"""Output of the commands; control characters and markup in it are escaped."""

import typer
from rich.markup import escape

from deepbench_torch.storage.escape import line, terminal


def echo(text: str, *, err: bool = False) -> None:
    """Print a text with its control characters escaped, for example those of a file name."""
    typer.echo(terminal(text), err=err)


def cell(text: object) -> str:
    """Return a text for a cell of a rich table: one line, no markup, no control characters."""
    return escape(line(str(text)))  # [m] is a unit here, not a style
