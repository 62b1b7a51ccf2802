"""Verification of weights: their test images are generated again, and their scores measured."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from scipy.stats import binomtest

from deepbench_torch.datasets.problems.scores import Z95
from deepbench_torch.recipes import Recipe, require_images
from deepbench_torch.recipes.reader import recipe_from_plain
from deepbench_torch.training.models import get_model
from deepbench_torch.training.tasks import CLASSIFIES, Task, evaluate
from deepbench_torch.training.weights import Weights


class Verified(NamedTuple):
    """Stated and measured score of one task.

    Attributes:
        task: Name of the task, such as "sky/present".
        stated: Score in the metadata: accuracy, or coefficient of determination.
        found: Score of the images that were generated now.
        low: Lower end of the 95 % interval of the stated score.
        high: Upper end of the interval.
    """

    task: str
    stated: float
    found: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether the measured score is within the interval."""
        return self.low <= self.found <= self.high


def verify_weights(weights: Weights, *, progress: bool = False) -> list[Verified]:
    """Generate the test images of weights again, and measure the scores of all tasks.

    Args:
        weights: Weights with `tasks`, `recipes` and `test` in their metadata.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: If the metadata have no tasks.
    """
    meta = weights.meta
    if not meta.get("tasks") or not meta.get("metrics"):
        raise ValueError(
            f"weights: expected tasks and metrics in the metadata of {weights.name!r}, got none; "
            "verify weights that this package wrote"
        )
    tasks = [Task(**each | {"names": tuple(each["names"])}) for each in meta["tasks"]]
    recipes = recipes_of(meta)
    rows = int(meta["test"]["rows"])
    network = get_model(weights.architecture, weights=weights, outputs=len(meta["outputs"]))
    found = evaluate(
        network,
        tasks,
        recipes=recipes,
        transforms=weights.transforms(),
        side=int(meta["image_size"]),
        rows=rows,
        seed=int(meta["test"]["seed"]),
        start=int(meta["test"].get("start", 0)),
        progress=progress,
    )
    return [
        _verified(task, meta["metrics"][task.name], found[task.name], rows=rows // len(recipes))
        for task in tasks
    ]


def recipes_of(meta: Mapping[str, Any]) -> dict[str, Recipe]:
    """Return the recipes that a network was trained on, by name."""
    return {
        name: require_images(
            recipe_from_plain(plain, source=name), "weights", remedy="use a recipe of images"
        )
        for name, plain in meta["recipes"].items()
    }


def _verified(task: Task, stated: float, found: float, *, rows: int) -> Verified:
    if task.target in CLASSIFIES:
        answers = rows * (len(task.names) if task.target == "present" else 1)
        interval = binomtest(round(stated * answers), answers).proportion_ci(method="wilson")
        return Verified(task.name, stated, found, interval.low, interval.high)
    # standard error of a coefficient of determination: Olkin & Finn 1995,
    # doi 10.1037/0033-2909.118.1.155
    half = Z95 * 2 * math.sqrt(max(stated, 0.0) / rows) * (1 - stated) + 1e-5
    return Verified(task.name, stated, found, stated - half, stated + half)
