"""Tasks of a network that learns several at once: targets, losses and scores of its outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from deepbench_torch.generate import generate
from deepbench_torch.recipes import Recipe
from deepbench_torch.samples import Sample
from deepbench_torch.training.standardize import Standardize

TargetKind = Literal["class", "present", "count", "vector"]
CLASSIFIES = ("class", "present", "count")
WEIGHTS = {"class": 1.0, "present": 1.0, "count": 0.3, "vector": 1.0}  # in the sum of the losses


@dataclass(frozen=True)
class Task:
    """Task on the images of one recipe, with its own range of the outputs.

    Attributes:
        recipe: Name of the recipe.
        target: "class" and "present" for the label, "count" for the number of objects, "vector"
            for the parameters, see `recipe.vector`.
        names: Names of its outputs.
        start: First of its outputs.
    """

    recipe: str
    target: TargetKind
    names: tuple[str, ...]
    start: int

    @property
    def name(self) -> str:
        """Unique name, such as "sky/present"."""
        return f"{self.recipe}/{self.target}"

    @property
    def outputs(self) -> slice:
        """Range of the outputs."""
        return slice(self.start, self.start + len(self.names))

    def to_plain(self) -> dict[str, Any]:
        """Return the task as texts and numbers."""
        return asdict(self) | {"names": list(self.names)}

    def target_of(self, sample: Sample) -> Tensor:
        """Return the target of each row: class indices (B,), or floats (B, K)."""
        if self.target == "count":
            return torch.stack([each.sum(1) for each in sample.present.values()]).sum(0)
        if self.target == "vector":
            vector: Tensor = sample.recipe.vector.encode(sample)
            return vector
        return sample.label

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of all outputs (B, all) for the targets of this task."""
        own = outputs[:, self.outputs]
        if self.target == "vector":
            known = torch.isfinite(target)
            error = functional.smooth_l1_loss(own[known], target[known], reduction="sum")
            loss = error / known.sum().clamp_min(1)
        elif self.target == "present":
            loss = functional.binary_cross_entropy_with_logits(own, target)
        else:
            loss = functional.cross_entropy(own, target)
        return WEIGHTS[self.target] * loss

    def score(self, outputs: Tensor, target: Tensor) -> float:
        """Return the accuracy, or the mean coefficient of determination of a vector."""
        own = outputs[:, self.outputs]
        if self.target == "vector":
            return r2(own, target)
        if self.target == "present":
            return float(((own > 0) == (target > 0.5)).double().mean())
        return float((own.argmax(1) == target).double().mean())


def r2(found: Tensor, target: Tensor) -> float:
    """Return the coefficient of determination, averaged over columns; NaN targets do not count.

    Args:
        found: Values found, shape (B, K).
        target: True values, shape (B, K).
    """
    scores = []
    for own, true in zip(found.double().T, target.double().T, strict=True):
        known = torch.isfinite(true)
        if int(known.sum()) > 1:
            residual = (own[known] - true[known]).square().sum()
            spread = (true[known] - true[known].mean()).square().sum()
            scores.append(float(1 - residual / spread))
    return sum(scores) / len(scores) if scores else float("nan")


def tasks_of(recipes: Mapping[str, Recipe], targets: Sequence[TargetKind]) -> list[Task]:
    """Return the tasks of recipes, with their outputs side by side.

    Args:
        recipes: Recipes by name.
        targets: Requested targets; "class" and "present" where they are the recipe's label,
            "count" where the number of objects varies.
    """
    tasks: list[Task] = []
    for name, recipe in recipes.items():
        for target in targets:
            outputs = _names(recipe, target)
            if outputs:
                tasks.append(
                    Task(name, target, outputs, start=sum(len(task.names) for task in tasks))
                )
    return tasks


def _names(recipe: Recipe, target: TargetKind) -> tuple[str, ...]:
    if target == "count":
        most = recipe.slots * (1 if recipe.count is not None else len(recipe.classes))
        varies = recipe.label == "present"
        return tuple(str(number) for number in range(most + 1)) if varies else ()
    if target == "vector":
        return tuple(recipe.vector.names)
    learnable = recipe.label == target and len(recipe.classes) > (target == "class")
    return tuple(recipe.classes) if learnable else ()


def evaluate(
    network: nn.Module,
    tasks: Sequence[Task],
    *,
    recipes: Mapping[str, Recipe],
    transforms: Standardize,
    side: int,
    rows: int,
    seed: int,
    start: int = 0,
    progress: bool = False,
) -> dict[str, float]:
    """Return the score of each task by its name, on fresh rows.

    Args:
        network: Network with the outputs of all tasks.
        tasks: Tasks to score.
        recipes: Recipes by name.
        transforms: Preparation of the images.
        side: Height and width of the images [pixel].
        rows: Number of rows of all recipes together.
        seed: Seed of the rows.
        start: First row.
        progress: Whether to show a progress bar.
    """
    scores = {}
    network.eval()
    bar = tqdm(total=rows, unit="image", disable=None if progress else True, leave=False)
    for name, recipe in recipes.items():
        own = [task for task in tasks if task.recipe == name]
        found, targets = [], []
        own_rows = range(start, start + rows // len(recipes))
        for sample in _samples(recipe, own_rows, side=side, seed=seed):
            with torch.inference_mode():
                found.append(network(transforms(sample.image)))
            targets.append([task.target_of(sample) for task in own])
            bar.update(len(sample.index))
        outputs = torch.cat(found)
        for number, task in enumerate(own):
            scores[task.name] = task.score(outputs, torch.cat([each[number] for each in targets]))
    bar.close()
    return scores


def _samples(recipe: Recipe, rows: range, *, side: int, seed: int) -> Iterator[Sample]:
    for first in range(rows.start, rows.stop, 256):
        index = torch.arange(first, min(first + 256, rows.stop))
        yield generate(recipe, seed, index, image_size=side)
