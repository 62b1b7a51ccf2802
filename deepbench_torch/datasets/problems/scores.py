"""Scores of predictions, by torchmetrics."""

from typing import Any, NamedTuple

import torch
import torchmetrics.classification as metrics
from torch import Tensor, nn

from deepbench_torch.numerics.checks import real_tensor

Z95 = 1.959963984540054  # standard deviations either side that hold 95 % of a normal distribution
CONFIDENT = (50, 80, 90)  # shares of the surest images [%]
BINS = 15  # of confidence, in the calibration error
SUM_ERROR = 1e-3  # of probabilities that were rounded to a few digits
SMALLEST = 1e-7  # probability in logarithms, so that one certain mistake stays finite


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


def all_scores(probability: Tensor, label: Tensor) -> dict[str, float]:
    """Return the scores that `Problem.score` describes, by name.

    Args:
        probability: As in `score`.
        label: As in `score`.
    """
    main, several = score(probability, label), label.dim() == 2
    low, high = wilson(main.accuracy, len(label))
    found = {"accuracy": main.accuracy, "accuracy_low": low, "accuracy_high": high}
    found["exact_match"] = main.exact_match
    truth = label.double() if several else nn.functional.one_hot(label, probability.shape[1])
    p = probability.double()
    found["brier"] = float((p - truth).square().sum(1).mean())
    bounded = p.clamp(SMALLEST, 1 - SMALLEST)
    absent = (1 - truth) * (1 - bounded).log() if several else 0.0
    found["log_loss"] = float(-(truth * bounded.log() + absent).sum(1).mean())
    found["calibration_error"] = _calibration_error(probability, label)
    surest = _confidence(p, several=several).argsort(descending=True, stable=True)
    correct = right(probability, label).double().mean(1)
    for percent in CONFIDENT:
        first = surest[: max(1, round(len(label) * percent / 100))]
        found[f"confident_{percent}"] = float(correct[first].mean())
    if probability.shape[1] > len(main.top) > 1:
        found |= {f"top_{k}": share for k, share in enumerate(main.top[1:], start=2)}
    return found


def check_probabilities(given: Any, *, shape: tuple[int, int], sums: bool) -> Tensor:
    """Return checked probabilities, float32.

    Args:
        given: A tensor or an array.
        shape: Wanted shape (N, K).
        sums: Whether each row has to sum to 1.

    Raises:
        ValueError: If they are not probabilities, or their shape is wrong.
    """
    found = real_tensor(given, where="predictions").detach().cpu().float()
    if tuple(found.shape) != shape:
        raise ValueError(
            f"predictions: expected the shape {shape}, a row for each image and a column for each "
            f"class, got {tuple(found.shape)}"
        )
    wrong = ~((found >= 0) & (found <= 1 + SUM_ERROR)).all(1)
    if sums:
        wrong |= (found.sum(1) - 1).abs() > SUM_ERROR
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        rule = "that sum to 1" if sums else "from 0 to 1"
        raise ValueError(
            f"predictions: expected probabilities {rule}, got {found[row].tolist()} in row {row}; "
            f"use {'softmax' if sums else 'sigmoid'} of the network's outputs"
        )
    return found.clamp(max=1.0)


def _confidence(probability: Tensor, *, several: bool) -> Tensor:
    """Return the probability that a network gives to its own answer, shape (N,)."""
    if several:
        return torch.maximum(probability, 1 - probability).log().sum(1).exp()
    return probability.amax(1)


def _calibration_error(probability: Tensor, label: Tensor) -> float:
    """Return the expected calibration error; with several labels, that of all answers together."""
    if label.dim() == 1:
        metric = metrics.MulticlassCalibrationError(probability.shape[1], n_bins=BINS)
        return float(metric(probability, label))
    return float(
        metrics.BinaryCalibrationError(n_bins=BINS)(probability.ravel(), label.ravel().long())
    )


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
