"""Output of the commands: the one place that prints, with every stranger's text escaped."""

import typer
from rich.markup import escape

from deepbench_torch.storage.escape import line, terminal


def echo(text: str, *, err: bool = False) -> None:
    """Print a text; control characters in it, as of a file's name, are shown and not obeyed."""
    typer.echo(terminal(text), err=err)


def cell(text: object) -> str:
    """Return a text for a cell of a table of rich: no markup, no control characters, one line."""
    return escape(line(str(text)))  # [m] is a unit here, not a style
