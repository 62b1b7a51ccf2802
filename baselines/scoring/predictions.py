"""Predictions: what a network says of the test images, in a file that anyone can score.

A CSV with header lines that name the images, `# key: value`, and a row for each: its number, its
true label (the kinds, joined by "+") and a probability for each class.
"""

import csv
import os
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.utils.data import DataLoader

import deepbench_torch as db
from deepbench_torch.datasets import Split, split_rows
from deepbench_torch.generate import GENERATOR_VERSION


class Header(BaseModel):
    """Which images the predictions are of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    digest: str
    generator_version: int
    seed: int
    size: int
    image_size: str
    split: Split

    @classmethod
    def of(cls, catalogue: db.Catalogue, split: Split = "test") -> "Header":
        """The header for a split of a catalogue."""
        recipe = catalogue.recipe
        height, width = recipe.shape[-2:]
        return cls(
            recipe=recipe.name,
            digest=recipe.digest,
            generator_version=GENERATOR_VERSION,
            seed=catalogue.seed,
            size=catalogue.size,
            image_size=f"{height}x{width}",
            split=split,
        )


class Predictions(NamedTuple):
    """What a network says of N images.

    Attributes:
        header: Which images.
        recipe: What they hold.
        row: Row numbers, int64, shape (N,).
        label: The truth: class indices, int64, shape (N,); or which kinds are present, float32,
            shape (N, K).
        probability: float32, shape (N, K).
    """

    header: Header
    recipe: db.Recipe
    row: Tensor
    label: Tensor
    probability: Tensor

    @property
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""
        return self.recipe.classes


def image_recipe(catalogue: db.Catalogue) -> db.Recipe:
    """The recipe of a catalogue of images.

    Raises:
        TypeError: If it holds time series.
    """
    if not isinstance(catalogue.recipe, db.Recipe):
        raise TypeError(
            f"the baselines classify images, but {catalogue.recipe.name} holds time series"
        )
    return catalogue.recipe


def predict(model: db.Classifier, data: db.CatalogueDataModule) -> Predictions:
    """What a network says of the test images; every row once, in order, in single precision.

    One process does it for all, after a training of several.
    """
    data.prepare_data()
    # the module's own loader would give each of several processes its part only
    loader = DataLoader(data.test_dataloader().dataset, batch_size=data.batch_size)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    with torch.inference_mode():
        pairs = [(model.probability(image.to(device)), label) for image, label in loader]
    catalogue = data.catalogue
    return Predictions(
        header=Header.of(catalogue),
        recipe=image_recipe(catalogue),
        row=torch.tensor(split_rows(catalogue.size, "test")),
        label=torch.cat([label for _, label in pairs]),
        probability=torch.cat([probability.cpu() for probability, _ in pairs]),
    )


def write(predictions: Predictions, path: Path) -> Path:
    """Write the file; probabilities with nine digits, which keep every bit."""
    part = path.with_name(path.name + ".partial")
    with part.open("w", newline="", encoding="utf-8") as stream:
        for key, value in predictions.header.model_dump().items():
            stream.write(f"# {key}: {value}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["row", "label", *predictions.classes])
        names = label_names(predictions.label, predictions.classes)
        for row, name, chances in zip(
            predictions.row.tolist(), names, predictions.probability.tolist(), strict=True
        ):
            writer.writerow([row, name, *(f"{chance:.9g}" for chance in chances)])
    os.replace(part, path)
    return path


def label_names(label: Tensor, classes: list[str]) -> list[str]:
    """Each label in words: the kinds, joined by "+", or nothing where there is none."""
    if label.dim() == 1:
        return [classes[place] for place in label.tolist()]
    return ["+".join(classes[place] for place in row.nonzero()[:, 0].tolist()) for row in label]
