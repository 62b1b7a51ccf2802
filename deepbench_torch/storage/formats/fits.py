"""A catalogue as FITS files, one a row, whose headers carry the truth."""

import csv
import math
from pathlib import Path
from typing import Any, final

import numpy as np
from astropy.io import fits
from typing_extensions import override

from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.storage.formats.fits_rows import row_file, row_folder
from deepbench_torch.storage.formats.folder import (
    Row,
    RowFiles,
    label_columns,
    label_values,
    objects_of,
    rows_of,
    split_of,
)
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.names import LABELS
from deepbench_torch.storage.work.chunks import Chunk


@final
class FitsFiles(RowFiles):
    """A file a row, `images/000000.fits` or `series/000000.fits`, float32 as generated.

    Each object stands in the header by its kind, slot and parameter, as `HIERARCH STAR 0 GAMMA`,
    with pixels counted from 0 (FITS itself counts from 1), and infinity as a text.
    """

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        super().__init__(folder, metadata)
        self.place = row_folder(metadata.recipe)
        self._file = (folder / LABELS).open("w", encoding="utf-8", newline="")
        self._labels = csv.writer(self._file, lineterminator="\n")
        self._labels.writerow(["index", "file", "split", *label_columns(metadata)])
        (folder / self.place).mkdir()

    @override
    def write(self, chunk: Chunk, first: int) -> None:
        for row in rows_of(chunk, first):
            name = row_file(self.metadata.recipe, row.number)
            data = row.data[0] if self.place == "images" else row.data
            fits.PrimaryHDU(data, self._header(row)).writeto(self.folder / name)
            label = label_values(self.metadata, row.tables["label"])
            split = split_of(row.number, self.metadata.size)
            self._labels.writerow([row.number, name, split, *label])

    def _header(self, row: Row) -> fits.Header:
        metadata, header = self.metadata, fits.Header()
        recipe = metadata.recipe
        header["RECIPE"] = (recipe.name, "what the rows hold: see recipe.yaml")
        header["DIGEST"] = recipe.digest
        header["SEED"] = metadata.seed
        header["INDEX"] = (row.number, "the row's number")
        header["SPLIT"] = split_of(row.number, metadata.size)
        header["GENVER"] = (GENERATOR_VERSION, "version of the generator")
        header["LICENCE"] = metadata.attributes()["licence"]
        header["LABEL"] = self._label(row)
        for name, value in recipe.attributes.items():
            header[name[:8].upper()] = ", ".join(value) if isinstance(value, list) else value
        for kind, slot, values in objects_of(row):
            for name, value in values.items():
                unit = recipe.unit(f"parameters/{kind}/{name}")
                card = f"HIERARCH {kind} {slot} {name}"
                header[card] = (_number(value), f"[{unit}]" if unit else "")
        return header

    def _label(self, row: Row) -> str:
        values = label_values(self.metadata, row.tables["label"])
        if len(values) == 1 and self.place == "images":
            return values[0]
        if self.place == "series":
            return ", ".join(self.metadata.recipe.classes)
        there = zip(self.metadata.recipe.classes, values, strict=True)
        return ", ".join(kind for kind, present in there if present == "1")

    @override
    def close(self) -> None:
        self._file.close()

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "fits"}


def _number(value: Any) -> float | int | str:
    """A number as a header takes it: infinity is none."""
    number: float | int = np.asarray(value).item()
    return number if math.isfinite(number) else str(number)
