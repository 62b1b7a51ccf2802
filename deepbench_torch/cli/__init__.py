"""The command line, `deepbench-torch`: one file for each group of commands."""

import typer

from deepbench_torch.cli.catalogues import generate, info, list_, show
from deepbench_torch.cli.ladder import ladder
from deepbench_torch.cli.recipes import check, convert, schema
from deepbench_torch.cli.run import run_command
from deepbench_torch.cli.stored import reproduce, verify

__all__ = ["app", "main", "run_command"]

app = typer.Typer(
    help="Simple, physically exact simulated images and time series for machine learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
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


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    run_command(app, "deepbench-torch", arguments)
