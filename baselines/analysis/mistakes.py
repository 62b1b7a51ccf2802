"""Plot of the most confident mistakes, with the parameters of every object."""

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
from baselines.scoring.predictions import Predictions
from deepbench_torch.datasets.problems.scores import right
from deepbench_torch.images.instances import render_instances
from deepbench_torch.plotting.style import image_norm
from deepbench_torch.recipes.labels import label_names

COUNT = 8
COLUMNS = 2
WIDTH = 58  # characters in a line of parameters


class Mistake(NamedTuple):
    """A wrong answer.

    Attributes:
        image: Index of the image among the predictions.
        text: The prediction and the truth in words.
    """

    image: int
    text: str


def most_confident(predictions: Predictions, count: int = COUNT) -> list[Mistake]:
    """Return the wrong answers with the largest predicted probability.

    With several labels, the most confident wrong label of an image counts.
    """
    probability, label = predictions.probability, predictions.label
    wrong = ~right(probability, label)
    sure = probability if label.dim() == 1 else torch.maximum(probability, 1 - probability)
    worst = (sure.amax(1, keepdim=True) if label.dim() == 1 else sure).masked_fill(~wrong, -1)
    order = worst.amax(1).argsort(descending=True, stable=True)[
        : min(count, int(wrong.any(1).sum()))
    ]
    return [
        Mistake(index, _text(predictions, index, int(worst[index].argmax())))
        for index in order.tolist()
    ]


def _text(predictions: Predictions, index: int, column: int) -> str:
    """Return the prediction and the truth in words."""
    chance = predictions.probability[index]
    row, label = int(predictions.row[index]), predictions.label[index]
    names = predictions.classes
    if label.dim() == 0:
        best = int(chance.argmax())
        return (
            f"row {row}: {names[int(label)]} predicted as {names[best]}, "
            f"p = {float(chance[best]):.4f}"
        )
    verb = "misses" if label[column] > 0.5 else "imagines"
    holds = ", ".join(label_names(label, names)) or "nothing"
    return f"row {row}, {holds}: {verb} {names[column]}, p = {float(chance[column]):.4f}"


def plot(predictions: Predictions, *, title: str) -> Figure:
    """Plot the most confident mistakes: image, answer and the parameters of every object."""
    mistakes = most_confident(predictions)
    rows = max(1, -(-len(mistakes) // COLUMNS))
    subject = (
        "most confident mistakes; lengths [pixel], angles [radian]" if mistakes else "no mistakes"
    )
    figure = new_figure(11.5, 0.5 + 1.75 * rows, title=f"{title}: {subject}")
    axes = figure.subplots(rows, 2 * COLUMNS, squeeze=False, width_ratios=[1, 2.4] * COLUMNS)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, mistake in enumerate(mistakes):
        image, text = axes[number // COLUMNS, 2 * (number % COLUMNS) :][:2]
        row = predictions.row[mistake.image, None]
        sample = db.generate(predictions.recipe, predictions.header.seed, row)
        _image(image, sample)
        text.text(0, 1, mistake.text, va="top", fontsize=8, weight="bold")
        text.text(0, 0.88, _parameters(sample), va="top", fontsize=6.5, family="monospace")
    return figure


def _image(axis: Axes, sample: db.Sample) -> None:
    """Plot the image, with the number of each object beside its centre."""
    pixels = sample.image[0, 0].numpy()
    axis.imshow(pixels, norm=image_norm(pixels), cmap="magma", interpolation="nearest")
    outline = [withStroke(linewidth=1.5, foreground="black")]
    middles = _middles(render_instances(sample).mask)
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
    """Return row and column of the centre of each object's mask [pixel]."""
    mask = masks.float()
    count = mask.sum((1, 2)).clamp_min(1)
    row = (mask.sum(2) * torch.arange(mask.shape[1])).sum(1) / count
    column = (mask.sum(1) * torch.arange(mask.shape[2])).sum(1) / count
    return torch.stack((row, column), dim=1).tolist()


def _parameters(sample: db.Sample) -> str:
    """Return a paragraph for each object of an image: kind, factors and parameters."""
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
        known = {"S/N": signal} if math.isfinite(signal) else {}
        known["overlap"] = float(found.overlap[number])
        text = "  ".join(f"{name}={_short(value)}" for name, value in (known | values).items())
        lines = textwrap.wrap(f"{number + 1} {kind}  {text}", WIDTH, subsequent_indent="    ")
        paragraphs.append("\n".join(lines))
    return "\n".join(paragraphs)


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value, 0) or abs(value) >= 1000 else f"{value:.3g}"
