"""Predictions of test images, in a file that anyone can score.

The file is a CSV. Header lines `# key: value` name the images. Each row has an image's number, its
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
from deepbench_torch.recipes import require_images
from deepbench_torch.recipes.labels import label_names


class Header(BaseModel):
    """Identity of the predicted images."""

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
        """Return the header for a split of a catalogue."""
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
    """Predictions of N images.

    Attributes:
        header: Identity of the images.
        recipe: Recipe of the images.
        row: Row numbers, int64, shape (N,).
        label: The truth: class indices, int64, shape (N,); or the present kinds, float32, shape
            (N, K).
        probability: Predicted probabilities, float32, shape (N, K).
    """

    header: Header
    recipe: db.Recipe
    row: Tensor
    label: Tensor
    probability: Tensor

    @property
    def classes(self) -> list[str]:
        """Names of the labels, in their order."""
        return self.recipe.classes


def image_recipe(catalogue: db.Catalogue) -> db.Recipe:
    """Return the recipe of a catalogue of images.

    Raises:
        ValueError: If the catalogue holds time series.
    """
    return require_images(catalogue.recipe, "recipe", remedy="choose a recipe of images")


def predict(model: db.Classifier, data: db.CatalogueDataModule) -> Predictions:
    """Predict the test images: every row once, in order, in single precision.

    One process predicts all rows, also after a training by several.
    """
    data.prepare_data()
    # the module's own loader shares the rows among processes
    loader = DataLoader(data.test_dataloader().dataset, batch_size=data.batch_size)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    with torch.inference_mode():
        pairs = [(model.probability(image.to(device)), label) for image, label in loader]
    catalogue = data.catalogue
    if not isinstance(catalogue, db.Catalogue):
        raise TypeError(f"data: expected a generated catalogue, got {type(catalogue).__name__}")
    return Predictions(
        header=Header.of(catalogue),
        recipe=image_recipe(catalogue),
        row=torch.tensor(split_rows(catalogue.size, "test")),
        label=torch.cat([label for _, label in pairs]),
        probability=torch.cat([probability.cpu() for probability, _ in pairs]),
    )


def write(predictions: Predictions, path: Path) -> Path:
    """Write the file; probabilities have nine digits, which preserve every bit."""
    part = path.with_name(path.name + ".partial")
    with part.open("w", newline="", encoding="utf-8") as stream:
        for key, value in predictions.header.model_dump().items():
            stream.write(f"# {key}: {value}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["row", "label", *predictions.classes])
        names = joined_names(predictions.label, predictions.classes)
        for row, name, chances in zip(
            predictions.row.tolist(), names, predictions.probability.tolist(), strict=True
        ):
            writer.writerow([row, name, *(f"{chance:.9g}" for chance in chances)])
    os.replace(part, path)
    return path


def joined_names(label: Tensor, classes: list[str]) -> list[str]:
    """Return each label in words: the kinds, joined by "+"; empty without any kind."""
    return ["+".join(label_names(each, classes)) for each in label]
