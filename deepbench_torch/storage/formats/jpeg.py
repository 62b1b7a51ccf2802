"""A catalogue as JPEG images: in folders by split and class, or in one folder with their labels."""

import csv
import json
import math
from pathlib import Path
from typing import Any, final

from PIL import Image
from typing_extensions import override

from deepbench_torch.datasets.splits import split_of
from deepbench_torch.recipes import AbstractRecipe, require_images
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.folder import (
    RowFiles,
    label_columns,
    label_values,
    rows_of,
    write_folder,
)
from deepbench_torch.storage.formats.rows import RowFileReader, RowReader
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.names import LABELS
from deepbench_torch.storage.stretch import MEANING, Scale, scale_of
from deepbench_torch.storage.trust import read_jpeg, refused
from deepbench_torch.storage.work.chunks import Array, Chunk

QUALITY = 95


def row_file(metadata: Metadata, number: int, label: Array) -> str:
    """Return the file of a row, relative to the folder of the catalogue."""
    parent = "images"
    if metadata.recipe.single_label:
        split = split_of(number, metadata.size)
        parent = f"{split}/{class_folder(metadata.recipe, int(label))}"
    return f"{parent}/{number:06d}.jpg"


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

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        super().__init__(folder, metadata)
        remedy = "use h5, npy or fits"
        self.recipe = require_images(metadata.recipe, "format 'jpeg'", remedy=remedy)
        self.scale = scale_of(self.recipe)
        self._file = (folder / LABELS).open("w", encoding="utf-8", newline="")
        self._labels = csv.writer(self._file, lineterminator="\n")
        self._labels.writerow(["index", "file", "split", *label_columns(metadata)])
        for parent in self._folders():
            (folder / parent).mkdir(parents=True)

    def _folders(self) -> list[str]:
        if self.recipe.label != "class":
            return ["images"]
        ends = self.metadata.rows[0], self.metadata.rows[-1]
        splits = ["train", "val", "test"]
        first, last = (splits.index(split_of(end, self.metadata.size)) for end in ends)
        return [
            f"{split}/{class_folder(self.recipe, number)}"
            for split in splits[first : last + 1]
            for number in range(len(self.recipe.classes))
        ]

    @override
    def write(self, chunk: Chunk, first: int) -> None:
        for row in rows_of(chunk, first):
            label = label_values(self.metadata, row.tables["label"])
            split = split_of(row.number, self.metadata.size)
            name = row_file(self.metadata, row.number, row.tables["label"])
            Image.fromarray(self.scale.pixels(row.data[0])).save(
                self.folder / name, quality=QUALITY
            )
            self._labels.writerow([row.number, name, split, *label])

    @override
    def close(self) -> None:
        self._file.close()

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "jpeg", "scale": {"meaning": MEANING, **self.scale._asdict()}}


def open_jpeg(stored: Description) -> RowReader:
    """Return the rows of a folder of JPEG files: brightness by the inverse of the stored scale.

    Raises:
        ValueError: If the folder or its scale is damaged.
    """
    recipe, metadata = stored.recipe, stored.metadata
    if recipe.image_size is None:
        found = f"recipe {recipe.name} of {recipe.plural}"
        raise refused(stored.path, "images in JPEG files", found)
    height, width = recipe.image_size
    values = stored_scale(stored).brightness()
    return RowFileReader(
        stored,
        name=lambda number, label: row_file(metadata, number, label),
        load=lambda path: values[read_jpeg(path, height, width)][None],
    )


def stored_scale(stored: Description) -> Scale:
    """Return the scale in the metadata of a folder."""
    attributes = stored.attributes.get("scale")
    named = [attributes.get(name) for name in Scale._fields] if isinstance(attributes, dict) else []
    numbers = [float(each) for each in named if isinstance(each, int | float)]
    if len(numbers) != len(Scale._fields) or not all(map(math.isfinite, numbers)):
        raise refused(stored.path, f"a scale of {', '.join(Scale._fields)}", repr(attributes))
    scale = Scale(*numbers)
    if scale.high <= scale.low or scale.softening < 0:
        raise refused(stored.path, "a scale from low to high", repr(attributes))
    return scale


def _read_row(path: Path, recipe: AbstractRecipe) -> Array:
    """Return the 8-bit pixels of one file."""
    return read_jpeg(path, *recipe.shape[1:])


def _example(stored: Description) -> str:
    """Return code that reads the images: by torchvision where folders are classes."""
    name = stored.path.name
    if stored.recipe.single_label:
        train = json.dumps(f"{name}/{stored.split or 'train'}")
        return (
            "from torchvision.datasets import ImageFolder\n\n"
            f"train = ImageFolder({train}, "
            "allow_empty=True)\nimage, label = train[0]"
        )
    return (
        "import csv\nfrom PIL import Image\n\n"
        f'for row in csv.DictReader(open({json.dumps(f"{name}/{LABELS}")}, newline="")):\n'
        f'    image = Image.open({json.dumps(f"{name}/")} + row["file"])'
    )


def _info(stored: Description) -> dict[str, str]:
    """Return the scale of the 8-bit pixels."""
    scale = stored_scale(stored)
    return {
        "8 bits": f"{scale.low:g} to {scale.high:g}, softening {scale.softening:g}; "
        "the formula is in metadata.json"
    }


def _notes(stored: Description) -> dict[str, str]:
    """Return the formula of the 8-bit pixels, as the metadata state it."""
    scale, meaning = stored_scale(stored), stored.attributes["scale"]["meaning"]
    numbers = f"low = {scale.low:g}, high = {scale.high:g}, softening = {scale.softening:g}"
    return {"8 bits": f"{meaning} Here {numbers}."}


JPEG = FileFormat(
    write=lambda job, path: write_folder(job, path, JpegFiles),
    open=open_jpeg,
    example=_example,
    info=_info,
    notes=_notes,
    suffixes=(".jpg", ".jpeg"),
    row_suffix=".jpg",
    read_row=_read_row,
    exact=False,
)
