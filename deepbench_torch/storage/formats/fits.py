"""A catalogue as FITS files, one a row, whose headers carry the truth."""

import csv
import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from typing_extensions import override

from deepbench_torch.datasets.splits import split_of
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.objects.photometry import UNITS
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.labels import label_names
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.fits_cards import derived_of, image_cards, with_derived
from deepbench_torch.storage.formats.fits_extensions import extension_rows
from deepbench_torch.storage.formats.folder import (
    Row,
    RowFiles,
    array_name,
    label_columns,
    label_values,
    objects_of,
    rows_of,
    write_folder,
)
from deepbench_torch.storage.formats.rows import RowFileReader, RowReader
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.names import EXTENSIONS, LABELS
from deepbench_torch.storage.trust import read_fits
from deepbench_torch.storage.work.chunks import Array, Chunk

if TYPE_CHECKING:
    from astropy.io.fits import Header


def row_file(recipe: AbstractRecipe, number: int) -> str:
    """Return the file of a row, relative to the folder of the catalogue."""
    return f"{array_name(recipe)}/{number:06d}.fits"


@final
class FitsFiles(RowFiles):
    """Writer of a file a row, `images/000000.fits` or `series/000000.fits`, float32 as generated.

    The header holds the parameters of each object by kind and slot, as `HIERARCH STAR 0 GAMMA`,
    and what is derived from them: FLUX, FWHM and, if the recipe has a zero point, MAGNITUDE.
    Pixels are counted from 0 (FITS itself counts from 1), and infinity is a text. GAIN, SKY,
    RDNOISE and PSFSIGMA describe noise and blur, MAGZERO the magnitudes; a recipe with a pixel
    scale has a world coordinate system.

    Args:
        folder: Empty folder.
        metadata: Metadata of the rows.
        extensions: Names of further images in each file, among EXTENSIONS.
    """

    def __init__(
        self, folder: Path, metadata: Metadata, *, extensions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(folder, metadata)
        self.extensions = extensions
        self.place = array_name(metadata.recipe)
        self._file = (folder / LABELS).open("w", encoding="utf-8", newline="")
        self._labels = csv.writer(self._file, lineterminator="\n")
        self._labels.writerow(["index", "file", "split", *label_columns(metadata)])
        (folder / self.place).mkdir()

    @override
    def write(self, chunk: Chunk, first: int) -> None:
        from astropy.io import fits  # slow to import

        rows = rows_of(with_derived(self.metadata.recipe, chunk), first)
        for row, more in zip(rows, self._more(range(first, first + len(chunk.data))), strict=True):
            name = row_file(self.metadata.recipe, row.number)
            data = row.data[0] if self.place == "images" else row.data
            image = fits.PrimaryHDU(data, self._header(row))
            fits.HDUList([image, *more]).writeto(self.folder / name)
            label = label_values(self.metadata, row.tables["label"])
            split = split_of(row.number, self.metadata.size)
            self._labels.writerow([row.number, name, split, *label])

    def _more(self, rows: range) -> Iterator[list[Any]]:
        """Yield the extensions of each row."""
        metadata = self.metadata
        if not self.extensions:
            return ([] for _ in rows)
        return extension_rows(metadata.recipe, metadata.seed, rows, names=self.extensions)

    def _header(self, row: Row) -> "Header":
        from astropy.io.fits import Header  # slow to import

        metadata, header = self.metadata, Header()
        recipe = metadata.recipe
        header["RECIPE"] = (recipe.name, "what the rows hold: see recipe.yaml")
        header["DIGEST"] = recipe.digest
        header["SEED"] = metadata.seed
        header["INDEX"] = (row.number, "the row's number")
        header["SPLIT"] = split_of(row.number, metadata.size)
        header["GENVER"] = (GENERATOR_VERSION, "version of the generator")
        header["LICENCE"] = metadata.attributes()["licence"]
        header["LABEL"] = self._label(row)
        if self.extensions:
            header["NEXTEND"] = (len(self.extensions), ", ".join(self.extensions))
        for name, value in recipe.attributes.items():
            header[name[:8].upper()] = ", ".join(value) if isinstance(value, list) else value
        for each in image_cards(recipe, row):
            header[each.name] = (each.value, each.comment)
        header["COMMENT"] = "x and y are pixels counted from 0; FITS itself counts from 1."
        for kind, slot, values in objects_of(row):
            for name, value in values.items():
                unit = recipe.unit(f"parameters/{kind}/{name}")
                card = f"HIERARCH {kind} {slot} {name}"
                header[card] = (_number(value), f"[{unit}]" if unit else "")
            for name, value in derived_of(row, kind, slot).items():
                header[f"HIERARCH {kind} {slot} {name}"] = (_number(value), f"[{UNITS[name]}]")
        return header

    def _label(self, row: Row) -> str:
        classes = self.metadata.recipe.classes
        is_series = self.place == "series"
        return ", ".join(classes if is_series else label_names(row.tables["label"], classes))

    @override
    def close(self) -> None:
        self._file.close()

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "fits"} | ({"extensions": [*self.extensions]} if self.extensions else {})


def _number(value: Any) -> float | int | str:
    """Return a number as a header stores it: infinity as text."""
    number: float | int = np.asarray(value).item()
    return number if math.isfinite(number) else str(number)


def open_fits(stored: Description) -> RowReader:
    """Return the rows of a folder of FITS files.

    Raises:
        ValueError: If the folder is damaged.
    """
    recipe = stored.recipe
    return RowFileReader(
        stored,
        name=lambda number, _: row_file(recipe, number),
        load=lambda path: _read_row(path, recipe),
    )


def _read_row(path: Path, recipe: AbstractRecipe) -> Array:
    """Return the data of one file."""
    shape = recipe.shape[1:] if recipe.content == "image" else recipe.shape
    return read_fits(path, shape).reshape(recipe.shape)


def _example(stored: Description) -> str:
    """Return code that reads the files with their headers."""
    name = stored.path.name
    return (
        "import csv\nfrom astropy.io import fits\n\n"
        f'for row in csv.DictReader(open({json.dumps(f"{name}/{LABELS}")}, newline="")):\n'
        f'    data, header = fits.getdata({json.dumps(f"{name}/")} + row["file"], header=True)'
    )


FITS = FileFormat(
    write=lambda job, path: write_folder(job, path, partial(FitsFiles, extensions=job.extensions)),
    open=open_fits,
    example=_example,
    suffixes=(".fits", ".fit"),
    row_suffix=".fits",
    read_row=_read_row,
    extensions=EXTENSIONS,
)
