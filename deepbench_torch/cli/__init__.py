"""The command line, `deepbench-torch`: one file a group of commands."""

from typing import Annotated

import typer

import deepbench_torch
from deepbench_torch.cli.catalogues import generate, info, list_
from deepbench_torch.cli.ladder import ladder
from deepbench_torch.cli.recipes import check, convert, schema
from deepbench_torch.cli.run import run_command
from deepbench_torch.cli.show import show
from deepbench_torch.cli.stored import reproduce, verify
from deepbench_torch.cli.weights import weights

__all__ = ["app", "main", "run_command"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:
    """Print the version of the package and exit."""
    if requested:
        typer.echo(f"deepbench-torch {deepbench_torch.__version__}")
        raise typer.Exit


@app.callback()
def version(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Simulate images and time series with exact truth for machine learning."""


app.command()(generate)
app.command()(check)
app.command()(show)
app.command()(info)
app.command()(verify)
app.command()(reproduce)
app.command()(ladder)
app.command("list")(list_)
app.command()(schema)
app.command()(convert)
app.add_typer(weights, name="weights")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    run_command(app, "deepbench-torch", arguments)
