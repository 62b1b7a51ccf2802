"""Rows of transfer.csv, and what follows from them: intervals, reductions, label multipliers."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import t

FILE = Path(__file__).parents[1] / "transfer.csv"
LEVEL = 0.95


class Row(BaseModel):
    """Score of one source on one target, for one number of labels.

    Attributes:
        target: Name of the target.
        source: Name of the source.
        mode: "neighbours", "linear", "tune" for fine-tuning, "scratch" for random first weights,
            or "none" for outputs that were read without any label.
        labels: Labels of each class, or values in all; 0 for the complete pool.
        score: Mean score over the subsets: accuracy, or coefficient of determination.
        low: Lower end of the 95 % interval of the mean.
        high: Upper end of it.
        subsets: Number of labelled subsets.
        epochs: Mean number of epochs to 95 % of the final score; 0 where nothing is trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    source: str
    mode: str
    labels: int
    score: float
    low: float
    high: float
    subsets: int
    epochs: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Target, source, mode and number of labels."""
        return self.target, self.source, self.mode, self.labels


def interval(scores: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval, by Student's t; of one score, the score thrice."""
    mean, number = float(np.mean(scores)), len(scores)
    if number < 2:
        return mean, mean, mean
    half = float(t.ppf((1 + LEVEL) / 2, number - 1) * np.std(scores, ddof=1) / np.sqrt(number))
    return mean, mean - half, mean + half


def read(file: Path = FILE) -> list[Row]:
    """Return the rows of a file; none if it does not exist."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [Row.model_validate(row) for row in csv.DictReader(stream)]


def write(rows: Iterable[Row], file: Path = FILE) -> None:
    """Write rows in the order of their keys, the later of two with one key."""
    latest = {row.key: row for row in rows}
    part = file.with_name(file.name + ".partial")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(Row.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(latest[key].model_dump() for key in sorted(latest))
    os.replace(part, file)


def multiplier(score: float, labels: int, curve: Sequence[tuple[int, float]]) -> tuple[float, str]:
    """Return how many times as many labels another method needs for the same score.

    Args:
        score: Score of the method.
        labels: Its number of labels.
        curve: Numbers of labels and scores of the other method; the scores are interpolated
            linearly in the logarithm of the number.

    Returns:
        The factor, and ">" or "<" if the curve does not reach so far, else "".
    """
    points = sorted(curve)
    best = np.maximum.accumulate([value for _, value in points])
    numbers = np.log([number for number, _ in points])
    if score > best[-1]:
        return float(np.exp(numbers[-1]) / labels), ">"
    if score <= best[0]:
        return float(np.exp(numbers[0]) / labels), "<" if score < best[0] else ""
    above = int(np.argmax(best >= score))
    low, high = best[above - 1], best[above]
    share = (score - low) / (high - low)
    needed = numbers[above - 1] + share * (numbers[above] - numbers[above - 1])
    return float(np.exp(needed) / labels), ""


def reduction(score: float, other: float) -> float:
    """Return the relative reduction of the error, 1 - score, against another score."""
    return 1 - (1 - score) / (1 - other) if other < 1 else 0.0
