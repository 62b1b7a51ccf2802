"""The README's table from results.csv: `python -m baselines.report`."""

import statistics
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from baselines.scoring import results
from baselines.scoring.results import Result
from baselines.training.settings import load_settings
from deepbench_torch.cli import run_command
from deepbench_torch.datasets import split_rows
from deepbench_torch.datasets.problems.scores import wilson

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- written by python -m baselines.report -->"
END = "<!-- until here -->"
COLUMNS = (
    "task",
    "training images",
    "network",
    "epochs",
    "runs",
    "test accuracy",
    "95 % interval",
    "every label right",
    "the paper",
    "generator version",
)
# columns that may differ among the runs of one row: seed, scores and training
SEPARATE = {"seed", "accuracy", "exact_match", *results.TRAINED}
IMAGES = {"paper": "{train:,}, as the paper", "stream": "always fresh (ours, not the paper's)"}


def table(lines: list[Result]) -> str:
    """Return the runs in Markdown: one row for all runs that differ only in their seeds."""
    rows = [
        [*map(str, COLUMNS)],
        ["---"] * len(COLUMNS),
        *(_row(list(runs)) for _, runs in groupby(sorted(lines, key=_order), key=_order)),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def updated(text: str, lines: list[Result]) -> str:
    """Return a text with the table of runs between its marks.

    Raises:
        ValueError: If each mark does not occur once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise ValueError(
            f"the text must hold {BEGIN!r} and, after it, {END!r}, once each; the table is written "
            "between them"
        )
    return f"{before}{begin}\n\n{table(lines)}\n\n{end}{after}"


def _order(result: Result) -> tuple[object, ...]:
    """Return a sort key: tasks as in runs.yaml, the paper's protocol first, then other columns."""
    tasks = list(load_settings().tasks)
    index = tasks.index(result.task) if result.task in tasks else len(tasks)
    return (index, *(str(value) for value in result.model_dump(exclude=SEPARATE).values()))


def _row(runs: list[Result]) -> list[str]:
    one = runs[0]
    accuracy = statistics.mean(run.accuracy for run in runs)
    low, high = wilson(accuracy / 100, len(split_rows(one.size, "test")))
    seeds = ", ".join(str(run.seed) for run in sorted(runs, key=lambda run: run.seed))
    several = one.exact_match != one.accuracy
    return [
        one.task,
        IMAGES[one.protocol].format(train=len(split_rows(one.size, "train"))),
        f"{one.architecture}, {one.precision}",
        str(one.epochs),
        f"{len(runs)} (seed{'s' if len(runs) > 1 else ''} {seeds})",
        _spread([run.accuracy for run in runs]),
        f"{100 * low:.1f} to {100 * high:.1f} %",
        _spread([run.exact_match for run in runs]) if several else "the same",
        f"{one.paper_accuracy:.1f} %" if one.protocol == "paper" else "-",
        str(one.generator_version),
    ]


def _spread(shares: list[float]) -> str:
    """Return the mean and, for several values, the standard deviation [%]."""
    mean = f"{statistics.mean(shares):.2f}"
    return f"{mean} %" if len(shares) < 2 else f"{mean} ± {statistics.stdev(shares):.2f} %"


def main(
    readme: Annotated[Path, typer.Option(help="The text with the marks.")] = README,
    results_file: Annotated[Path, typer.Option(help="The runs.")] = results.FILE,
) -> None:
    """Write the table of all recorded runs into the README."""
    lines = results.read(results_file)
    readme.write_text(updated(readme.read_text(encoding="utf-8"), lines), encoding="utf-8")
    typer.echo(f"{readme}: {len(lines)} runs")


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.report")
