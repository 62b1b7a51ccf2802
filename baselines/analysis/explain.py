"""Scores, tables and plots in the folder of a run."""

from pathlib import Path

import yaml

from baselines.analysis import dependence, mistakes, pictures
from baselines.analysis.factors import factors
from baselines.scoring import predictions
from baselines.scoring.predictions import Predictions
from baselines.scoring.results import Result
from baselines.training.train import log_files
from deepbench_torch.datasets.problems.scores import Scores
from deepbench_torch.plotting.style import save


def explain(folder: Path, found: Predictions, *, scores: Scores, result: Result) -> None:
    """Write predictions, scores and plots of a run.

    Args:
        folder: Folder of the run.
        found: Predictions of its test images.
        scores: Scores of these predictions.
        result: The run's row in results.csv.
    """
    title = caption(result)
    predictions.write(found, folder / "predictions.csv")
    text = yaml.safe_dump(plain(scores, found.classes), sort_keys=False)
    (folder / "scores.yaml").write_text(text, encoding="utf-8")
    curve = pictures.learning_curve(
        pictures.read_curve(log_files(folder)),
        title=title,
        test=result.accuracy,
        paper=result.paper_accuracy,
    )
    save(curve, folder / "learning-curve.png")
    plot(found, scores, folder=folder, title=title)


def plot(found: Predictions, scores: Scores, *, folder: Path, title: str) -> None:
    """Write the plots that need predictions alone.

    Args:
        found: The predictions.
        scores: Scores of these predictions.
        folder: Folder for the plots.
        title: Title of every plot.
    """
    table = pictures.confusion if scores.top else pictures.label_bars
    save(table(scores, found.classes, title=title), folder / "confusion.png")
    save(mistakes.plot(found, title=title), folder / "mistakes.png")
    points = dependence.dependence(found, factors(found.recipe, found.header.seed, found.row))
    dependence.write(points, folder / "dependence.csv")
    save(dependence.plot(points, title=title), folder / "dependence.png")


def caption(result: Result) -> str:
    """Return a short caption of a run."""
    stream = "" if result.protocol == "paper" else ", fresh images (not the paper's protocol)"
    return (
        f"{result.task}, {result.architecture}, {result.epochs} epochs, seed {result.seed}{stream}"
    )


def plain(scores: Scores, classes: list[str]) -> dict[str, object]:
    """Return scores as numbers, lists and mappings; shares are from 0 to 1."""
    several = not scores.top
    columns = {"accuracy": scores.per_class} if several else {}
    columns |= {"precision": scores.precision, "recall": scores.recall}
    counts = "absence_and_presence_by_truth_and_prediction" if several else "confusion"
    return {
        "accuracy": scores.accuracy,
        "exact_match": scores.exact_match,
        **{f"top_{k}": share for k, share in enumerate(scores.top, 1)},
        "classes": {
            name: {column: float(share[index]) for column, share in columns.items()}
            for index, name in enumerate(classes)
        },
        counts: scores.confusion.tolist(),
    }
