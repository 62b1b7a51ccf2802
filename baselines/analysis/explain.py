"""What a run leaves in its folder beside its checkpoint and log: scores, tables and pictures."""

from pathlib import Path

import yaml

from baselines.analysis import dependence, mistakes, pictures
from baselines.analysis.factors import factors
from baselines.scoring import predictions
from baselines.scoring.predictions import Predictions
from baselines.scoring.results import Result
from baselines.scoring.scores import Scores
from baselines.training.train import log_files
from deepbench_torch.plotting import save


def explain(folder: Path, said: Predictions, *, scores: Scores, result: Result) -> None:
    """Write predictions, scores and pictures of a run.

    Args:
        folder: Of the run.
        said: The predictions of its test images.
        scores: Their scores.
        result: The line of the run.
    """
    title = caption(result)
    predictions.write(said, folder / "predictions.csv")
    text = yaml.safe_dump(plain(scores, said.classes), sort_keys=False)
    (folder / "scores.yaml").write_text(text, encoding="utf-8")
    curve = pictures.learning_curve(
        pictures.read_curve(log_files(folder)),
        title=title,
        test=result.accuracy,
        paper=result.paper_accuracy,
    )
    save(curve, folder / "learning-curve.png")
    draw(said, scores, folder=folder, title=title)


def draw(said: Predictions, scores: Scores, *, folder: Path, title: str) -> None:
    """Write what can be told from predictions alone.

    Args:
        said: The predictions.
        scores: Their scores.
        folder: Where the pictures go.
        title: Of all pictures.
    """
    table = pictures.confusion if scores.top else pictures.label_bars
    save(table(scores, said.classes, title=title), folder / "confusion.png")
    save(mistakes.draw(said, title=title), folder / "mistakes.png")
    points = dependence.dependence(said, factors(said.recipe, said.header.seed, said.row))
    dependence.write(points, folder / "dependence.csv")
    save(dependence.draw(points, title=title), folder / "dependence.png")


def caption(result: Result) -> str:
    """A run in a few words."""
    stream = "" if result.protocol == "paper" else ", fresh images (not the paper's protocol)"
    return (
        f"{result.task}, {result.architecture}, {result.epochs} epochs, seed {result.seed}{stream}"
    )


def plain(scores: Scores, classes: list[str]) -> dict[str, object]:
    """Scores as numbers, lists and mappings; shares from 0 to 1."""
    several = not scores.top
    columns = {"accuracy": scores.per_class} if several else {}
    columns |= {"precision": scores.precision, "recall": scores.recall}
    counts = "absence_and_presence_by_truth_and_prediction" if several else "confusion"
    return {
        "accuracy": scores.accuracy,
        "exact_match": scores.exact_match,
        **{f"top_{k}": share for k, share in enumerate(scores.top, 1)},
        "classes": {
            name: {column: float(share[place]) for column, share in columns.items()}
            for place, name in enumerate(classes)
        },
        counts: scores.confusion.tolist(),
    }
