"""Plots of a run: learning curve and confusion of classes."""

import csv
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepbench_torch.datasets.problems.scores import Scores
from deepbench_torch.plotting.style import ON_WHITE

# beside the colours of ON_WHITE
MARKS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", "-", "--")

Curve = dict[int, dict[str, float]]


def new_figure(width: float, height: float, *, title: str = "") -> Figure:
    """Return an empty figure [inch] without a window; a long title is wrapped."""
    figure = Figure((width, height), layout="constrained")
    if title:
        figure.suptitle(textwrap.fill(title, int(11 * width)), fontsize=10)
    return figure


def read_curve(logs: Iterable[Path]) -> Curve:
    """Return metrics by epoch, from 1; if a resumed run repeats an epoch, the later log wins."""
    curve: Curve = defaultdict(dict)
    for log in logs:
        with log.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                logged = {name: float(text) for name, text in row.items() if text}
                curve[int(logged["epoch"]) + 1] |= logged
    return dict(sorted(curve.items()))


def learning_curve(curve: Curve, *, title: str, test: float, paper: float) -> Figure:
    """Plot loss and accuracy by epoch.

    Args:
        curve: Metrics by epoch, from `read_curve`.
        title: Title of the plot.
        test: The test accuracy of the last weights [%].
        paper: The paper's accuracy [%].
    """
    figure = new_figure(9, 3.6, title=title)
    loss, accuracy = figure.subplots(1, 2)
    for index, (name, label) in enumerate((("train/loss", "training"), ("val/loss", "validation"))):
        _plot(loss, curve, name, label=label, index=index)
    loss.set_yscale("log")
    loss.set_ylabel("loss")
    for index, (name, label) in enumerate(
        (("val/accuracy", "validation accuracy"), ("val/exact_match", "every label right")), 1
    ):
        _plot(accuracy, curve, name, label=label, index=index, factor=100)
    end = max(curve, default=1)
    accuracy.plot([end], [test], "*", ms=11, color="black", label=f"test, {test:.2f} %")
    accuracy.axhline(paper, color="0.45", lw=1, ls=":", label=f"the paper, {paper:.1f} %")
    accuracy.set_ylabel("accuracy [%]")
    for axis in (loss, accuracy):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8)
    return figure


def _plot(
    axis: Axes, curve: Curve, name: str, *, label: str, index: int, factor: float = 1
) -> None:
    points = [
        (epoch, factor * metrics[name]) for epoch, metrics in curve.items() if name in metrics
    ]
    if points:
        mark = "." if len(points) < 5 else None  # a line of one point cannot be seen
        axis.plot(
            *zip(*points, strict=True),
            color=ON_WHITE[index],
            ls=DASHES[index],
            marker=mark,
            label=label,
        )


def confusion(scores: Scores, classes: list[str], *, title: str) -> Figure:
    """Plot the confusion matrix: numbers of images, shaded by the share of their row."""
    count = scores.confusion
    share = count / count.sum(1, keepdim=True).clamp_min(1)
    side = 2.6 + 0.7 * len(classes)
    figure = new_figure(side + 0.6, side, title=title)
    axis = figure.subplots()
    picture = axis.imshow(100 * share.numpy(), cmap="Blues", vmin=0, vmax=100)
    figure.colorbar(picture, label="share of the true class [%]", shrink=0.8)
    for (row, column), number in _cells(count):
        dark = share[row, column] > 0.5
        text = f"{number}\n{100 * float(share[row, column]):.1f} %"
        axis.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    axis.set_xticks(range(len(classes)), classes)
    axis.set_yticks(range(len(classes)), classes, rotation=90, va="center")
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    return figure


def _cells(table: torch.Tensor) -> Iterable[tuple[tuple[int, int], int]]:
    for row, numbers in enumerate(table.tolist()):
        for column, number in enumerate(numbers):
            yield (row, column), number


def label_bars(scores: Scores, classes: list[str], *, title: str) -> Figure:
    """Plot accuracy, precision and recall of each label, with their numbers."""
    figure = new_figure(3 + 1.1 * len(classes), 3.8, title=title)
    axis = figure.subplots()
    parts = (
        ("accuracy", scores.per_class),
        ("precision", scores.precision),
        ("recall", scores.recall),
    )
    for index, (name, part) in enumerate(parts):
        middles = [number + 0.27 * (index - 1) for number in range(len(classes))]
        bars = axis.bar(
            middles,
            [100 * float(share) for share in part],
            width=0.25,
            color=ON_WHITE[index],
            hatch=("", "//", "..")[index],
            edgecolor="white",
            label=name,
        )
        labels = [f"{100 * float(share):.1f}" for share in part]
        axis.bar_label(bars, labels=labels, fontsize=7, padding=1)
    axis.set_xticks(range(len(classes)), classes)
    axis.set_ylim(0, 106)
    axis.set_ylabel("share of test images [%]")
    axis.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return figure
