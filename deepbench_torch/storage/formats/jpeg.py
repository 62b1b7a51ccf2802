"""A catalogue as JPEG images: in folders by split and class, or in one folder with their labels."""

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import torch
from PIL import Image
from typing_extensions import override

from deepbench_torch.generate import generate
from deepbench_torch.recipes import AbstractRecipe, Recipe
from deepbench_torch.storage.contents import Contents
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.folder import (
    LABELS,
    RowFiles,
    label_columns,
    label_values,
    rows_of,
    split_of,
)
from deepbench_torch.storage.formats.rows import RowFileReader, RowReader
from deepbench_torch.storage.parts import Array, Part
from deepbench_torch.storage.trust import read_jpeg, refused

QUALITY = 95
JUDGED = 64  # rows that the scale of a recipe is found from


class Scale(NamedTuple):
    """How brightness becomes 0 to 255.

    The pixel is round(255 (s(x) - s(low)) / (s(high) - s(low))), cut off at both ends, where
    s(x) = asinh(x / softening), or x itself if softening is 0: linear in the noise and logarithmic
    in the light.

    Attributes:
        low: The brightness that becomes 0.
        high: The brightness that becomes 255.
        softening: The brightness from which on the scale is logarithmic.
    """

    low: float
    high: float
    softening: float

    def pixels(self, data: Array) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        """Brightness as pixels."""
        low, high = self._stretched(np.float64(self.low)), self._stretched(np.float64(self.high))
        share = (self._stretched(data.astype(np.float64)) - low) / (high - low)
        pixels: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(255 * share.clip(0, 1)).astype(
            np.uint8
        )
        return pixels

    def brightness(self) -> Array:
        """Return the brightness of each pixel value, float32 of shape (256,): the inverse.

        It differs from the generated brightness by the rounding to 8 bits and by JPEG's own loss.
        """
        low, high = self._stretched(np.float64(self.low)), self._stretched(np.float64(self.high))
        values = low + np.arange(256) / 255 * (high - low)
        values = self.softening * np.sinh(values) if self.softening > 0 else values
        return np.asarray(values, np.float32)

    def _stretched(self, values: Any) -> Any:
        return np.arcsinh(values / self.softening) if self.softening > 0 else values


def scale_of(recipe: Recipe) -> Scale:
    """The scale of a recipe: it depends on nothing else, so more rows change no image.

    It reaches from the least to the largest pixel of the first rows of seed 0, to three digits.
    """
    poisson, gaussian = recipe.degrade.poisson, recipe.degrade.gaussian
    variance = 0.0 if poisson is None else poisson.background / poisson.exposure
    variance += 0.0 if gaussian is None else gaussian.sigma**2
    image = generate(recipe, 0, torch.arange(JUDGED)).image
    low, high = (float(f"{float(end):.3g}") for end in (image.min(), image.max()))
    high = high if high > low else low + 1
    return Scale(low, high, float(f"{2 * math.sqrt(variance):.3g}"))


def row_file(contents: Contents, number: int, label: Array) -> str:
    """Return the file of a row, relative to the folder of the catalogue."""
    place = "images"
    if contents.recipe.single_label:
        split = split_of(number, contents.size)
        place = f"{split}/{class_folder(contents.recipe, int(label))}"
    return f"{place}/{number:06d}.jpg"


def class_folder(recipe: AbstractRecipe, number: int) -> str:
    """Return the folder of a class; the names sort like the numbers, also beyond ten."""
    digits = len(str(len(recipe.classes) - 1))
    return f"{number:0{digits}d}-{recipe.classes[number]}"


@final
class JpegFiles(RowFiles):
    """Images of one class each as `train/0-star/000000.jpg`, others as `images/000000.jpg`.

    A folder's name begins with the class's number, so that torchvision's `ImageFolder`, which
    numbers the sorted names, returns the recipe's own numbers. Every split has a folder for every
    class. A small split may have no image of some class: open it with
    `ImageFolder(folder, allow_empty=True)`.
    """

    def __init__(self, folder: Path, contents: Contents) -> None:
        super().__init__(folder, contents)
        if not isinstance(contents.recipe, Recipe):
            raise ValueError(
                f"format 'jpeg' holds images, got the time series of recipe "
                f"{contents.recipe.name}; use h5, npy or fits"
            )
        self.recipe = contents.recipe
        self.scale = scale_of(self.recipe)
        self._file = (folder / LABELS).open("w", encoding="utf-8", newline="")
        self._labels = csv.writer(self._file, lineterminator="\n")
        self._labels.writerow(["index", "file", "split", *label_columns(contents)])
        for place in self._folders():
            (folder / place).mkdir(parents=True)

    def _folders(self) -> list[str]:
        if self.recipe.label != "class":
            return ["images"]
        ends = self.contents.rows[0], self.contents.rows[-1]
        splits = ["train", "val", "test"]
        first, last = (splits.index(split_of(end, self.contents.size)) for end in ends)
        return [
            f"{split}/{class_folder(self.recipe, number)}"
            for split in splits[first : last + 1]
            for number in range(len(self.recipe.classes))
        ]

    @override
    def write(self, part: Part, first: int) -> None:
        for row in rows_of(part, first):
            label = label_values(self.contents, row.tables["label"])
            split = split_of(row.number, self.contents.size)
            name = row_file(self.contents, row.number, row.tables["label"])
            Image.fromarray(self.scale.pixels(row.data[0])).save(
                self.folder / name, quality=QUALITY
            )
            self._labels.writerow([row.number, name, split, *label])

    @override
    def close(self) -> None:
        self._file.close()

    @override
    def finish(self) -> dict[str, Any]:
        words = " ".join((Scale.__doc__ or "").split("Attributes:")[0].split())
        return {"format": "jpeg", "scale": {"meaning": words, **self.scale._asdict()}}


def open_jpeg(stored: Description) -> RowReader:
    """Return the rows of a folder of JPEG files: brightness by the inverse of the stored scale.

    Raises:
        ValueError: If the folder or its scale is damaged.
    """
    recipe, contents = stored.recipe, stored.contents
    if not isinstance(recipe, Recipe):
        raise refused(stored.path, "images in JPEG files", f"recipe {recipe.name} of time series")
    _, height, width = recipe.shape
    values = _stored_scale(stored).brightness()
    return RowFileReader(
        stored,
        name=lambda number, label: row_file(contents, number, label),
        load=lambda path: values[read_jpeg(path, height, width)][None],
    )


def _stored_scale(stored: Description) -> Scale:
    """Return the scale in the metadata of a folder."""
    facts = stored.facts.get("scale")
    named = [facts.get(name) for name in Scale._fields] if isinstance(facts, dict) else []
    numbers = [float(each) for each in named if isinstance(each, int | float)]
    if len(numbers) != len(Scale._fields) or not all(map(math.isfinite, numbers)):
        raise refused(stored.path, f"a scale of {', '.join(Scale._fields)}", repr(facts))
    scale = Scale(*numbers)
    if scale.high <= scale.low or scale.softening < 0:
        raise refused(stored.path, "a scale from low to high", repr(facts))
    return scale
