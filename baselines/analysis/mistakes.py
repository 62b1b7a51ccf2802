"""A picture of the most confident mistakes, with all parameters of what was there."""

import math
import textwrap
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor

import deepbench_torch as db
from baselines.analysis.factors import of_sample
from baselines.analysis.pictures import new_figure
from baselines.scoring.predictions import Predictions, label_names
from baselines.scoring.scores import right
from deepbench_torch.images import separate
from deepbench_torch.plotting import stretched

COUNT = 8
COLUMNS = 2
WIDTH = 58  # letters of a line of parameters


class Mistake(NamedTuple):
    """A wrong answer.

    Attributes:
        place: The place of the image among the predictions.
        told: What was said and what is true.
    """

    place: int
    told: str


def most_confident(predictions: Predictions, count: int = COUNT) -> list[Mistake]:
    """The wrong answers with the largest probability of being right, by the network's own account.

    With several labels an image's answer is its most confident wrong one.
    """
    probability, label = predictions.probability, predictions.label
    wrong = ~right(probability, label)
    sure = probability if label.dim() == 1 else torch.maximum(probability, 1 - probability)
    worst = (sure.amax(1, keepdim=True) if label.dim() == 1 else sure).masked_fill(~wrong, -1)
    order = worst.amax(1).argsort(descending=True, stable=True)[
        : min(count, int(wrong.any(1).sum()))
    ]
    return [
        Mistake(place, _told(predictions, place, int(worst[place].argmax())))
        for place in order.tolist()
    ]


def _told(predictions: Predictions, place: int, column: int) -> str:
    """What was said and what is true, in words."""
    chance = predictions.probability[place]
    row, label = int(predictions.row[place]), predictions.label[place]
    names = predictions.classes
    if label.dim() == 0:
        said = int(chance.argmax())
        return (
            f"row {row}: {names[int(label)]} taken for {names[said]}, p = {float(chance[said]):.4f}"
        )
    (there,) = label_names(label[None], names)
    verb = "misses" if label[column] > 0.5 else "imagines"
    holds = there.replace("+", ", ") or "nothing"
    return f"row {row}, {holds}: {verb} {names[column]}, p = {float(chance[column]):.4f}"


def draw(predictions: Predictions, *, title: str) -> Figure:
    """The most confident mistakes: image, answer, and the parameters of every object."""
    mistakes = most_confident(predictions)
    rows = max(1, -(-len(mistakes) // COLUMNS))
    told = (
        "most confident mistakes; lengths [pixel], angles [radian]" if mistakes else "no mistakes"
    )
    figure = new_figure(11.5, 0.5 + 1.75 * rows, title=f"{title}: {told}")
    axes = figure.subplots(rows, 2 * COLUMNS, squeeze=False, width_ratios=[1, 2.4] * COLUMNS)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, mistake in enumerate(mistakes):
        image, text = axes[number // COLUMNS, 2 * (number % COLUMNS) :][:2]
        row = predictions.row[mistake.place, None]
        sample = db.generate(predictions.recipe, predictions.header.seed, row)
        _image(image, sample)
        text.text(0, 1, mistake.told, va="top", fontsize=8, weight="bold")
        text.text(0, 0.88, _parameters(sample), va="top", fontsize=6.5, family="monospace")
    return figure


def _image(axis: Axes, sample: db.Sample) -> None:
    """The image, with the number of each object beside its middle."""
    axis.imshow(stretched(sample.image[0, 0].numpy()), cmap="magma", interpolation="nearest")
    outline = [withStroke(linewidth=1.5, foreground="black")]
    middles = _middles(separate(sample).mask)
    for number, (row, column) in enumerate(middles if len(middles) > 1 else (), 1):
        axis.annotate(
            str(number),
            (column, row),
            xytext=(4, 4),
            textcoords="offset points",
            color="white",
            fontsize=7,
            path_effects=outline,
            annotation_clip=True,
        )


def _middles(masks: Tensor) -> list[list[float]]:
    """Row and column of the middle of each object's mask [pixel]."""
    mask = masks.float()
    count = mask.sum((1, 2)).clamp_min(1)
    row = (mask.sum(2) * torch.arange(mask.shape[1])).sum(1) / count
    column = (mask.sum(1) * torch.arange(mask.shape[2])).sum(1) / count
    return torch.stack((row, column), dim=1).tolist()


def _parameters(sample: db.Sample) -> str:
    """A paragraph for each object of an image: kind, factors, parameters."""
    found = of_sample(sample)
    paragraphs = []
    objects = (
        (kind, slot)
        for kind, present in sample.present.items()
        for slot in present[0].nonzero()[:, 0].tolist()
    )
    for number, (kind, slot) in enumerate(objects):
        values = {name: float(table[0, slot]) for name, table in sample.scene[kind].items()}
        signal = float(found.signal[number])
        facts = {"S/N": signal} if math.isfinite(signal) else {}
        facts["overlap"] = float(found.overlap[number])
        told = "  ".join(f"{name}={_short(value)}" for name, value in (facts | values).items())
        lines = textwrap.wrap(f"{number + 1} {kind}  {told}", WIDTH, subsequent_indent="    ")
        paragraphs.append("\n".join(lines))
    return "\n".join(paragraphs)


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value, 0) or abs(value) >= 1000 else f"{value:.3g}"
