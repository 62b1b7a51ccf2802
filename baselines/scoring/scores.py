"""Scores of predictions, by torchmetrics."""

from typing import NamedTuple

import torchmetrics.classification as metrics
from torch import Tensor

Z95 = 1.959963984540054  # standard deviations either side that hold 95 % of a normal distribution


class Scores(NamedTuple):
    """Scores of predictions of N images with K classes; shares are from 0 to 1.

    Attributes:
        accuracy: Share of images with the right class; with several labels, the mean over labels of
            the share of images with that label right.
        exact_match: Share of images with every label right.
        top: Share of images whose class is among the likeliest 1, 2 and 3; empty with several
            labels.
        per_class: Share of images with each label right; with one label an image, the recall.
            Shape (K,).
        precision: Share of right answers among those that predict a class; 0 without any. Shape
            (K,).
        recall: Share of right answers among images of a class; 0 without any. Shape (K,).
        confusion: Numbers of images by truth and prediction, int64, shape (K, K); with several
            labels, by absence and presence of each, shape (K, 2, 2).
    """

    accuracy: float
    exact_match: float
    top: tuple[float, ...]
    per_class: Tensor
    precision: Tensor
    recall: Tensor
    confusion: Tensor


def score(probability: Tensor, label: Tensor) -> Scores:
    """Return the scores of predictions.

    Args:
        probability: Predicted probabilities, float32, shape (N, K).
        label: Class indices, int64, shape (N,); or the present kinds, shape (N, K).
    """
    return _one_label(probability, label) if label.dim() == 1 else _labels(probability, label)


def right(probability: Tensor, label: Tensor) -> Tensor:
    """Return whether each label is right, bool: (N, 1) for one label an image, else (N, K)."""
    if label.dim() == 1:
        return (probability.argmax(1) == label)[:, None]
    return (probability > 0.5) == (label > 0.5)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` images (Wilson 1927).

    For the mean accuracy of several labels this is an upper bound of the width.
    """
    z2 = Z95 * Z95 / count
    middle = (share + z2 / 2) / (1 + z2)
    half = Z95 * (share * (1 - share) / count + z2 / (4 * count)) ** 0.5 / (1 + z2)
    # rounding aside, a share is in its interval, and the interval within 0 to 1
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _one_label(probability: Tensor, label: Tensor) -> Scores:
    classes = probability.shape[1]
    tops = [
        float(metrics.MulticlassAccuracy(classes, average="micro", top_k=k)(probability, label))
        for k in range(1, min(3, classes) + 1)
    ]
    recall = metrics.MulticlassRecall(classes, average=None)(probability, label)
    return Scores(
        accuracy=tops[0],
        exact_match=tops[0],
        top=tuple(tops),
        per_class=recall,
        precision=metrics.MulticlassPrecision(classes, average=None)(probability, label),
        recall=recall,
        confusion=metrics.MulticlassConfusionMatrix(classes)(probability, label),
    )


def _labels(probability: Tensor, label: Tensor) -> Scores:
    classes, label = probability.shape[1], label.long()
    return Scores(
        accuracy=float(metrics.MultilabelAccuracy(classes, average="macro")(probability, label)),
        exact_match=float(metrics.MultilabelExactMatch(classes)(probability, label)),
        top=(),
        per_class=metrics.MultilabelAccuracy(classes, average=None)(probability, label),
        precision=metrics.MultilabelPrecision(classes, average=None)(probability, label),
        recall=metrics.MultilabelRecall(classes, average=None)(probability, label),
        confusion=metrics.MultilabelConfusionMatrix(classes)(probability, label),
    )
