"""Table and plots of the results of transfer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from baselines.analysis.pictures import new_figure
from baselines.transfers.results import Row, multiplier, reduction
from deepbench_torch.plotting.style import GREY, ON_WHITE, save

PROBE = "linear"
SHOWN = {"hubble": 100}  # number of labels of the table and the matrix; for classes:
SHOWN_CLASSES = 50
CHANCE = {"digits": 0.1, "faces": 0.5, "textures": 1 / 3, "hubble": 0.0, "scenes": 0.25}
HEAD = """# Transfer to images of another origin

Written by `python -m baselines.transfer` from transfer.csv. A linear probe of the features, with
the mean over ten labelled subsets and its 95 % interval; the best of the packaged weights, of five
networks with random weights, and others. The score is the accuracy, of hubble the coefficient of
determination. "From scratch" trains the small network from random weights.
"""
LOSSES = """
Packaged weights that the best random weights equal or surpass:
"""
READ = """
Ellipticities of the Hubble Deep Field read without any label of it:
"""
FEWEST = 3  # subsets of which an interval is shown
UNLEARNED = ("random", "pixels", "shuffled")


class Results:
    """Rows of one target at all numbers of labels.

    Args:
        rows: All rows.
        target: Name of the target.
    """

    def __init__(self, rows: Sequence[Row], target: str) -> None:
        self.target = target
        self.rows = [row for row in rows if row.target == target]
        self.labels = self._labels()

    def at(self, mode: str, labels: int | None = None) -> dict[str, Row]:
        """Return the rows of a mode by source, at a number of labels or the shown one."""
        number = self.labels if labels is None else labels
        return {row.source: row for row in self.rows if (row.mode, row.labels) == (mode, number)}

    def curve(self, mode: str, source: str) -> list[Row]:
        """Return the rows of a source by number of labels, without the complete pool."""
        own = [row for row in self.rows if (row.mode, row.source) == (mode, source)]
        return sorted((row for row in own if row.labels), key=lambda row: row.labels)

    @property
    def best(self) -> Row:
        """Best packaged source of the linear probe."""
        learned = [row for name, row in self.at(PROBE).items() if not name.startswith(UNLEARNED)]
        return max(learned, key=lambda row: row.score)

    @property
    def best_random(self) -> Row:
        """Best network with random weights."""
        rows = [row for name, row in self.at(PROBE).items() if name.startswith("random")]
        return max(rows, key=lambda row: row.score)

    @property
    def scratch(self) -> Row | None:
        """Training from random weights, at the largest number of labels up to the shown one."""
        own = [row for row in self.rows if row.mode == "scratch" and 0 < row.labels <= self.labels]
        return max(own, key=lambda row: row.labels, default=None)

    def _labels(self) -> int:
        wanted = SHOWN.get(self.target, SHOWN_CLASSES)
        return max(row.labels for row in self.rows if row.labels <= wanted)


def table(rows: Sequence[Row]) -> str:
    """Return the Markdown table: each target, its best source and what that is compared with."""
    lines = [
        "| target (labels) | best weights | score | random weights | pixels | shuffled labels | "
        "from scratch | error less than random by | labels from scratch needs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for target in dict.fromkeys(row.target for row in rows):
        lines.append(_line(Results(rows, target)))
    return "\n".join(lines)


def page(rows: Sequence[Row]) -> str:
    """Return the page with the table, its explanation and every negative result."""
    targets = [Results(rows, target) for target in dict.fromkeys(row.target for row in rows)]
    losses = [
        f"- {own.target}, {own.labels} labels: {row.source} {row.score:.3f}, "
        f"{own.best_random.source} {own.best_random.score:.3f}"
        for own in targets
        for row in own.at(PROBE).values()
        if not row.source.startswith(UNLEARNED) and row.score <= own.best_random.score
    ]
    read = [row for row in rows if row.mode == "none"]
    texts = [f"- {row.source}: correlation {row.score:.2f}" for row in read]
    return "\n".join([HEAD, table(rows), LOSSES, *losses, READ, *texts, ""])


def _line(own: Results) -> str:
    best, random, scratch = own.best, own.best_random, own.scratch
    others = own.at(PROBE)
    curve = [(row.labels, row.score) for row in own.curve("scratch", "random0")]
    needed = _needed(own, curve) if curve else "-"
    cells = [
        f"{own.target} ({own.labels}{' a class' if own.target not in SHOWN else ''})",
        best.source,
        text(best),
        text(random),
        text(others["pixels"]),
        text(others.get("shuffled")),
        text(scratch),
        f"{100 * reduction(best.score, random.score):.0f} %",
        needed,
    ]
    return f"| {' | '.join(cells)} |"


def _needed(own: Results, curve: list[tuple[int, float]]) -> str:
    """Return how many labels training from scratch needs for the score of few labels."""
    few = min(labels for labels, _ in curve)
    learned = [r for name, r in own.at(PROBE, few).items() if not name.startswith(UNLEARNED)]
    factor, sign = multiplier(max(row.score for row in learned), few, curve)
    return f"{sign} {few * factor:.0f} instead of {few}".strip()


def text(row: Row | None) -> str:
    """Return a score and its interval; of few subsets their number instead."""
    if row is None:
        return "-"
    half = (row.high - row.low) / 2
    if row.subsets < FEWEST:
        return f"{row.score:.3f} (of {row.subsets})"
    return f"{row.score:.3f} +- {half:.3f}"


def report(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write both plots into a folder, and return their files."""
    return [
        save(curves(rows), folder / "transfer-labels.png"),
        save(matrix(rows), folder / "transfer-matrix.png"),
    ]


def curves(rows: Sequence[Row]) -> Figure:
    """Plot the score against the number of labels, one panel a target."""
    targets = list(dict.fromkeys(row.target for row in rows))
    figure = new_figure(2.9 * len(targets), 3.4)
    for place, target in enumerate(targets, start=1):
        own, axis = Results(rows, target), figure.add_subplot(1, len(targets), place)
        names = [own.best.source, own.best_random.source, "pixels"]
        for name, colour in zip(names, ON_WHITE, strict=False):
            _curve(axis, own.curve(PROBE, name), colour=colour, label=_short(name))
        _curve(axis, own.curve("scratch", "random0"), colour=GREY, label="from scratch")
        axis.set_xscale("log")
        least = 10 if target in SHOWN else 1
        axis.set_xticks([least, 10, 100], [str(least), "10", "100"])
        axis.set_title(target, fontsize=10)
        axis.set_xlabel("labels" if target in SHOWN else "labels of each class")
        axis.grid(alpha=0.25)
        axis.legend(fontsize=7, loc="lower right")
        if place == 1:
            axis.set_ylabel("accuracy; of hubble, R2")
    return figure


def _curve(axis: object, rows: Sequence[Row], *, colour: str, label: str) -> None:
    if rows:
        number = [row.labels for row in rows]
        axis.plot(number, [row.score for row in rows], "o-", ms=3, color=colour, label=label)  # type: ignore[attr-defined]
    if rows and min(row.subsets for row in rows) >= FEWEST:
        low, high = [row.low for row in rows], [row.high for row in rows]
        axis.fill_between(number, low, high, color=colour, alpha=0.2, lw=0)  # type: ignore[attr-defined]


def matrix(rows: Sequence[Row]) -> Figure:
    """Plot the scores of all sources and targets, coloured between the worst and the best."""
    results = [Results(rows, target) for target in dict.fromkeys(row.target for row in rows)]
    names = [name for name in results[0].at(PROBE) if all(name in own.at(PROBE) for own in results)]
    names.sort(key=lambda name: (not name.startswith(UNLEARNED), name))
    score = np.array([[own.at(PROBE)[name].score for own in results] for name in names])
    figure = new_figure(1.6 + 1.15 * len(results), 0.9 + 0.32 * len(names))
    axis = figure.subplots()
    range_ = np.ptp(score, axis=0)
    shade = (score - score.min(0)) / np.where(range_ > 0, range_, 1.0)
    axis.imshow(shade, cmap="cividis", aspect="auto", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(score):
        colour = "black" if shade[row, column] > 0.5 else "white"
        axis.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour, fontsize=8)
    titles = [f"{own.target}\n{own.labels} labels" for own in results]
    axis.set_xticks(range(len(results)), titles, fontsize=8)
    axis.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=8)
    return figure


def _short(name: str) -> str:
    return name.replace("_multitask", " (several tasks)").replace("random", "random weights ")
