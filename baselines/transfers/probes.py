"""Probes: simple models on features, whose settings are chosen on validation labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from baselines.transfers.target import SUBSETS, Target

Array = NDArray[Any]
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)  # strengths of the linear probe's penalty
NEIGHBOURS = (1, 3, 9)
MODES = ("neighbours", "linear")


def run_probe(mode: str, target: Target, versions: list[Array], count: int) -> list[float]:
    """Return the test score of each labelled subset.

    The setting, among them the version of the features, is the one with the best mean score of all
    subsets on the validation rows. It is one rule for all targets and sources.

    Args:
        mode: "neighbours" or "linear".
        target: Target with its labels.
        versions: Features of all images, shape (N, D) each, such as with other statistics.
        count: Labels of each class, or values in all; 0 for the complete pool.
    """
    subsets = [target.subset(count, number) for number in range(SUBSETS if count else 1)]
    best, scores = -np.inf, [float("nan")]
    for feature in versions:
        scaled = scale(feature, target.pool)
        for make in _models(mode, target, least=min(map(len, subsets))):
            pairs = [_scores(make(), scaled, target, rows=rows) for rows in subsets]
            val = float(np.mean([pair[0] for pair in pairs]))
            if val > best:
                best, scores = val, [pair[1] for pair in pairs]
    return scores


def scale(feature: Array, pool: Array) -> Array:
    """Return features of mean 0 and variance 1 over the pool, whose labels are not used."""
    mean, deviation = feature[pool].mean(0), feature[pool].std(0)
    scaled: Array = (feature - mean) / np.where(deviation > 1e-12, deviation, 1.0)
    return np.clip(scaled, -10, 10)


def score(target: Target, found: Array, rows: Array) -> float:
    """Return the accuracy, or the mean coefficient of determination, of some rows."""
    if target.kind == "class":
        return float(np.mean(found == target.label[rows]))
    return float(r2_score(target.label[rows], found))


def _models(mode: str, target: Target, *, least: int) -> list[Callable[[], Any]]:
    classes = target.kind == "class"
    if mode == "linear":
        linear: Any = RidgeClassifier if classes else Ridge
        return [lambda alpha=alpha: linear(alpha=alpha) for alpha in ALPHAS]  # type: ignore[misc]
    near: Any = KNeighborsClassifier if classes else KNeighborsRegressor
    numbers = [number for number in NEIGHBOURS if number <= least]
    return [lambda number=number: near(number) for number in numbers]  # type: ignore[misc]


def _scores(model: Any, feature: Array, target: Target, *, rows: Array) -> tuple[float, float]:
    model.fit(feature[rows], target.label[rows])
    val, test = (model.predict(feature[part]) for part in (target.val, target.test))
    return score(target, val, target.val), score(target, test, target.test)
