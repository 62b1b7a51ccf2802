"""Accuracy against the difficulty of an object, as a table and as a plot."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from torch import Tensor

from baselines.analysis.factors import Factors
from baselines.analysis.pictures import DASHES, MARKS, new_figure
from baselines.scoring.predictions import Predictions
from deepbench_torch.datasets.problems.scores import right, wilson
from deepbench_torch.plotting.style import ON_WHITE

BINS = 6  # largest number of bins, of about equally many answers
ANSWERS = 25  # least number in a bin, if there are as many
Factor = Literal["signal", "size", "overlap", "objects"]
TITLES: dict[Factor, str] = {
    "signal": "signal to noise of the object",
    "size": "diameter of the object [pixel]",
    "overlap": "share of the object that others outshine",
    "objects": "objects in the image",
}
ALL_RIGHT = "every label right"
LABELS_RIGHT = "labels right"


class Point(NamedTuple):
    """Accuracy in one bin of a factor.

    Attributes:
        factor: Name of the factor.
        group: A kind; for counts of images, the rule by which an image is right.
        value: Median of the factor.
        share: Share of right answers.
        low: Lower end of the 95 % interval of the share.
        high: Upper end of that interval.
        answers: Number of answers in the bin.
    """

    factor: Factor
    group: str
    value: float
    share: float
    low: float
    high: float
    answers: int


def clearest(factors: Factors) -> Factors:
    """Return the clearest object of each kind in each image.

    The clearest object has the best signal to noise; without noise it is the largest.
    """
    order = torch.arange(len(factors.kind))
    for column in (-factors.size, -factors.signal, factors.kind, factors.place):
        order = order[column[order].argsort(stable=True)]  # the last column counts most
    ordered = Factors(*(column[order] for column in factors))
    first = torch.ones(len(order), dtype=torch.bool)
    first[1:] = (ordered.place.diff() != 0) | (ordered.kind.diff() != 0)
    return Factors(*(column[first] for column in ordered))


def dependence(predictions: Predictions, factors: Factors) -> list[Point]:
    """Return the share of right answers against each factor that varies.

    The label of a kind is compared with the factors of its clearest object in the image. All labels
    of an image are compared with its number of objects.

    Args:
        predictions: Predictions of N images.
        factors: Factors of all objects in these images.
    """
    answers = right(predictions.probability, predictions.label)  # (N, 1) or (N, K)
    clear = clearest(factors)
    column = clear.kind if answers.shape[1] > 1 else torch.zeros_like(clear.kind)
    known = answers[clear.place, column]
    columns: dict[Factor, Tensor] = {
        "signal": clear.signal,
        "size": clear.size,
        "overlap": clear.overlap,
    }
    points: list[Point] = []
    for factor, values in columns.items():
        if len(values) and bool(values.isfinite().all()) and bool((values != values[0]).any()):
            for index, name in enumerate(predictions.classes):
                selected = clear.kind == index
                points += _binned(factor, name, values[selected], known[selected])
    return points + _by_number(answers, factors)


def _by_number(answers: Tensor, factors: Factors) -> list[Point]:
    """Return the shares of right labels and of right images by the number of objects."""
    number = torch.bincount(factors.place, minlength=len(answers))
    if int(number.min()) == int(number.max()):
        return []
    points = []
    for count in sorted(set(number.tolist())):
        selected = answers[number == count]
        for group, share in (
            (LABELS_RIGHT, float(selected.float().mean())),
            (ALL_RIGHT, float(selected.all(1).float().mean())),
        ):
            low, high = wilson(share, len(selected))
            points.append(Point("objects", group, float(count), share, low, high, len(selected)))
    return points


def _binned(factor: Factor, group: str, values: Tensor, known: Tensor) -> Iterator[Point]:
    """Yield the share of right answers in bins of values."""
    bins = _bins(values.double())
    for number in sorted(set(bins.tolist())):
        selected = bins == number
        share, count = float(known[selected].float().mean()), int(selected.sum())
        low, high = wilson(share, count)
        yield Point(factor, group, float(values[selected].median()), share, low, high, count)


def _bins(values: Tensor) -> Tensor:
    """Return the bin of each value: one for a frequent minimum, the rest of equal counts."""
    if not len(values):
        return values.long()
    least = values == values.min()
    if len(values) > 1 and int(least.sum()) * BINS > len(values):
        bins = torch.zeros(len(values), dtype=torch.int64)
        bins[~least] = 1 + _even_bins(values[~least], BINS - 1)
        return bins
    return _even_bins(values, BINS)


def _even_bins(values: Tensor, most: int) -> Tensor:
    """Return the bin of each value, in bins of about equal counts."""
    if not len(values):
        return values.long()
    count = max(1, min(most, len(values) // ANSWERS))
    edges = torch.quantile(values, torch.linspace(0, 1, count + 1).double())
    return torch.bucketize(values, edges[1:-1].contiguous(), right=True)


def write(points: list[Point], path: Path) -> Path:
    """Write the points as a CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Point._fields)
        for point in points:
            numbers = (f"{number:.6g}" for number in point[2:6])
            writer.writerow([point.factor, point.group, *numbers, point.answers])
    return path


def plot(points: list[Point], *, title: str) -> Figure:
    """Plot a panel for each factor and a line for each kind, with 95 % intervals."""
    shown = [factor for factor in TITLES if any(point.factor == factor for point in points)]
    figure = new_figure(3.7 * max(len(shown), 1), 3.8, title=title)
    axes = figure.subplots(1, max(len(shown), 1), sharey=True, squeeze=False)[0]
    for axis, factor in zip(axes, shown, strict=False):
        _panel(axis, [point for point in points if point.factor == factor])
        axis.set_xlabel(TITLES[factor])
        if factor == "signal":
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter("{x:g}")
            axis.xaxis.set_minor_formatter(NullFormatter())
        if factor == "objects":
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.legend(fontsize=8)
    axes[0].set_ylabel("right answers [%]")
    handles, names = axes[0].get_legend_handles_labels()
    if shown and shown[0] != "objects":
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8)
    return figure


def _panel(axis: Axes, points: list[Point]) -> None:
    groups = list(dict.fromkeys(point.group for point in points))
    for index, group in enumerate(groups):
        own = [point for point in points if point.group == group]
        counted = group in (ALL_RIGHT, LABELS_RIGHT)
        axis.errorbar(
            [point.value for point in own],
            [100 * point.share for point in own],
            yerr=[
                [100 * (point.share - point.low) for point in own],
                [100 * (point.high - point.share) for point in own],
            ],
            color="black" if counted else ON_WHITE[index % len(ON_WHITE)],
            marker=MARKS[index % len(MARKS)],
            ls=DASHES[index % len(DASHES)],
            ms=4,
            lw=1.2,
            elinewidth=0.7,
            capsize=2,
            label=group,
        )
    axis.grid(alpha=0.25)
