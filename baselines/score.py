"""Score a file of predictions: `python -m baselines.score runs/.../predictions.csv`.

The truth is generated again from the recipe and seed that the file names.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from baselines.analysis import explain
from baselines.scoring import submissions
from deepbench_torch.cli import run_command
from deepbench_torch.datasets.problems.scores import Scores, score, wilson


def show(scores: Scores, classes: list[str], *, images: int) -> None:
    """Print scores: a summary, then a table of the classes."""
    console = Console()
    console.print(summary(scores, images), soft_wrap=True)
    console.print(class_table(scores, classes))
    if scores.top:
        console.print(confusion_table(scores, classes))


def summary(scores: Scores, images: int) -> str:
    """Return the accuracy in one line, with its interval for the number of images."""
    low, high = wilson(scores.accuracy, images)
    parts = [
        f"accuracy {100 * scores.accuracy:.2f} % (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f} % for {images:,} images)"
    ]
    if scores.top:
        parts += [f"top-{k} {100 * top:.2f} %" for k, top in enumerate(scores.top, 1) if k > 1]
    else:
        parts.append(f"every label right {100 * scores.exact_match:.2f} %")
    return ", ".join(parts)


def class_table(scores: Scores, classes: list[str]) -> Table:
    """Return precision and recall of every class; with several labels, accuracy and counts too."""
    table = Table(box=None, pad_edge=False)
    several = not scores.top
    counts = ("found", "missed", "false alarms") if several else ()
    for name in ("class", *(("accuracy",) if several else ()), "precision", "recall", *counts):
        table.add_column(name, justify="left" if name == "class" else "right")
    for index, name in enumerate(classes):
        shares = [scores.precision[index], scores.recall[index]]
        shares = [scores.per_class[index], *shares] if several else shares
        cells = [f"{100 * float(share):.2f} %" for share in shares]
        if several:
            (_, alarms), (missed, found) = scores.confusion[index].tolist()
            cells += [str(found), str(missed), str(alarms)]
        table.add_row(name, *cells)
    return table


def confusion_table(scores: Scores, classes: list[str]) -> Table:
    """Return numbers of images by truth (down) and prediction (across)."""
    table = Table(box=None, pad_edge=False)
    table.add_column("truth \\ predicted")
    for name in classes:
        table.add_column(name, justify="right")
    for name, row in zip(classes, scores.confusion.tolist(), strict=True):
        table.add_row(name, *map(str, row))
    return table


def main(
    file: Annotated[Path, typer.Argument(help="A CSV of predictions.")],
    recipe: Annotated[
        Path | None, typer.Option(help="The YAML file of a recipe that is not packaged.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="A folder for plots of the mistakes.")
    ] = None,
) -> None:
    """Score a file of predictions against the truth of its recipe and seed."""
    predictions = submissions.read(file, recipe=recipe)
    scores = score(predictions.probability, predictions.label)
    show(scores, predictions.classes, images=len(predictions.row))
    if pictures is not None:
        explain.plot(predictions, scores, folder=pictures, title=file.stem)


if __name__ == "__main__":
    command = typer.Typer(add_completion=False)
    command.command()(main)
    run_command(command, "baselines.score")
