"""Accuracy of a network on every rung of a recipe's ladder, and the rung on which it fails."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import deepbench_torch as db
from baselines.diagnosis import small
from baselines.scoring import results
from deepbench_torch.datasets import split_rows
from deepbench_torch.datasets.problems.scores import score, wilson
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.recipes.base import Rung

BATCH = 250  # test images in a batch


class RungResult(NamedTuple):
    """Result of a network on one rung; shares are from 0 to 1.

    Attributes:
        recipe: Name of the recipe with this ladder.
        rung: Name of the rung's step.
        adds: Description of the step.
        digest: Digest of the rung's recipe.
        accuracy: Share of test images with the right label; with several labels, their mean.
        exact_match: Share of test images with every label right.
        chance: Accuracy of always predicting the more frequent answer.
        images: Number of test images, over all seeds.
        steps: Training steps of each network.
        seeds: Seeds of images and weights, one for each network.
        seconds: Duration of training and testing [s].
        device: Device of training and testing.
        commit: Commit of the code.
        generator_version: Version of the generator that made the images.
    """

    recipe: str
    rung: str
    adds: str
    digest: str
    accuracy: float
    exact_match: float
    chance: float
    images: int
    steps: int
    seeds: str
    seconds: float
    device: str
    commit: str
    generator_version: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return wilson(self.accuracy, self.images)

    def skill(self, accuracy: float) -> float:
        """Return an accuracy on a scale from chance, 0, to perfection, 1."""
        return (accuracy - self.chance) / (1 - self.chance) if self.chance < 1 else 1.0


def evaluate_rung(
    recipe: db.Recipe, rung: Rung, *, steps: int, images: int, seeds: Sequence[int]
) -> RungResult:
    """Train a small network on a rung for each seed, and test all of them together.

    Args:
        recipe: The recipe with this ladder.
        rung: The rung.
        steps: Number of training batches.
        images: Number of test images of each network, from a Catalogue's test split.
        seeds: Seeds of images and weights.
    """
    start = time.monotonic()
    parts = [_tested(rung.recipe, steps=steps, images=images, seed=seed) for seed in seeds]
    probability, label = (torch.cat(column) for column in zip(*parts, strict=True))
    scores = score(probability, label)
    return RungResult(
        recipe=recipe.name,
        rung=rung.name,
        adds=rung.adds,
        digest=rung.recipe.digest,
        accuracy=scores.accuracy,
        exact_match=scores.exact_match,
        chance=chance(label, len(rung.recipe.classes)),
        images=len(label),
        steps=steps,
        seeds=" ".join(map(str, seeds)),
        seconds=time.monotonic() - start,
        device=f"cpu x {torch.get_num_threads()} threads",
        commit=results.commit(),
        generator_version=GENERATOR_VERSION,
    )


def _tested(recipe: db.Recipe, *, steps: int, images: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return the predictions of a trained network for test images, and the truth."""
    network = small.train(recipe, steps=steps, seed=seed)
    rows = torch.tensor(split_rows(10_000, "test")[:images])
    samples = [db.generate(recipe, seed, part) for part in torch.split(rows, BATCH)]
    predicted = [small.probability(network, recipe, sample.image) for sample in samples]
    return torch.cat(predicted), torch.cat([sample.label for sample in samples])


def chance(label: Tensor, classes: int) -> float:
    """Return the accuracy of always predicting the more frequent class, or presence."""
    if label.dim() == 1:
        return float(torch.bincount(label, minlength=classes).max() / len(label))
    share = label.mean(0)
    return float(torch.maximum(share, 1 - share).mean())


def breaking(rungs: Sequence[RungResult]) -> int | None:
    """Return the index of the rung on which the network fails; None if there is none.

    This rung loses most skill against the rung before it. Only rungs count whose 95 % interval of
    skill is entirely below the interval before. Skill is used because chance differs among rungs.
    """
    losses = {}
    for index in range(1, len(rungs)):
        before, here = rungs[index - 1], rungs[index]
        if here.skill(here.interval[1]) < before.skill(before.interval[0]):
            losses[index] = before.skill(before.accuracy) - here.skill(here.accuracy)
    return max(losses, key=lambda index: losses[index]) if losses else None


def write(rungs: Sequence[RungResult], path: Path) -> Path:
    """Write the results as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(RungResult._fields)
        for rung in rungs:
            writer.writerow(
                [f"{value:.4f}" if isinstance(value, float) else value for value in rung]
            )
    return path


def read(path: Path) -> list[RungResult]:
    """Read the results in a CSV."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kinds = RungResult.__annotations__
    return [RungResult(**{name: kinds[name](text) for name, text in row.items()}) for row in rows]
