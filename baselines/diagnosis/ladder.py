"""How a network does on every rung of a recipe's ladder, and where it breaks."""

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
from baselines.scoring.scores import score, wilson
from deepbench_torch.datasets import split_rows
from deepbench_torch.recipes.ladder import Rung

BATCH = 250  # test images made at once


class Height(NamedTuple):
    """How well a network does on one rung; shares from 0 to 1.

    Attributes:
        recipe: The recipe whose ladder it is.
        rung: The step that leads to it.
        adds: What the step adds, in words.
        digest: Of the rung's recipe.
        accuracy: Share of test images whose label is right; of several labels, their mean.
        exact_match: Share with every label right.
        chance: The accuracy of always giving the more frequent answer.
        images: How many test images there are, over all seeds.
        steps: Of each training.
        seeds: Of images and weights, each of a training of its own.
        seconds: Of training and testing.
        device: Where that was.
        commit: What ran.
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

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson(self.accuracy, self.images)

    def skill(self, accuracy: float) -> float:
        """An accuracy on a scale on which chance is 0 and perfection is 1."""
        return (accuracy - self.chance) / (1 - self.chance) if self.chance < 1 else 1.0


def climb(
    recipe: db.Recipe, rung: Rung, *, steps: int, images: int, seeds: Sequence[int]
) -> Height:
    """Train a small network on a rung for each seed, and test all of them together.

    Args:
        recipe: Whose ladder it is.
        rung: The rung.
        steps: How many batches to train for.
        images: How many images to test each network on, of a Catalogue's test split.
        seeds: Of images and weights.
    """
    start = time.monotonic()
    parts = [_tested(rung.recipe, steps=steps, images=images, seed=seed) for seed in seeds]
    probability, label = (torch.cat(column) for column in zip(*parts, strict=True))
    scores = score(probability, label)
    return Height(
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
    )


def _tested(recipe: db.Recipe, *, steps: int, images: int, seed: int) -> tuple[Tensor, Tensor]:
    """What a trained network says of test images, and what is true."""
    network = small.train(recipe, steps=steps, seed=seed)
    rows = torch.tensor(split_rows(10_000, "test")[:images])
    samples = [db.generate(recipe, seed, part) for part in torch.split(rows, BATCH)]
    said = [small.probability(network, recipe, sample.image) for sample in samples]
    return torch.cat(said), torch.cat([sample.label for sample in samples])


def chance(label: Tensor, classes: int) -> float:
    """The accuracy of always giving the more frequent answer: the class, or whether it is there."""
    if label.dim() == 1:
        return float(torch.bincount(label, minlength=classes).max() / len(label))
    there = label.mean(0)
    return float(torch.maximum(there, 1 - there).mean())


def breaking(heights: Sequence[Height]) -> int | None:
    """The place of the rung where the network breaks; None if it does nowhere.

    It is the rung on which it loses most skill against the rung before, among those on which the
    95 % interval of its skill lies wholly below the one before. (Skill, and not accuracy, since
    chance is not the same on every rung.)
    """
    losses = {}
    for place in range(1, len(heights)):
        before, here = heights[place - 1], heights[place]
        if here.skill(here.interval[1]) < before.skill(before.interval[0]):
            losses[place] = before.skill(before.accuracy) - here.skill(here.accuracy)
    return max(losses, key=lambda place: losses[place]) if losses else None


def write(heights: Sequence[Height], path: Path) -> Path:
    """Write the heights as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Height._fields)
        for height in heights:
            writer.writerow(
                [f"{value:.4f}" if isinstance(value, float) else value for value in height]
            )
    return path


def read(path: Path) -> list[Height]:
    """The heights in a CSV."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kinds = Height.__annotations__
    return [Height(**{name: kinds[name](text) for name, text in row.items()}) for row in rows]
