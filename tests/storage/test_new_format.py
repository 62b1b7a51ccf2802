"""A new format is one FileFormat in the table: every entrance then reads and writes it."""

import csv
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from typing_extensions import override

import deepbench_torch as db
from deepbench_torch.datasets.splits import split_of
from deepbench_torch.plotting.cards.card import write_card
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.storage import append, describe, reproduce, verified
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats import DEFAULT, FORMATS, Format
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.folder import (
    RowFiles,
    label_columns,
    label_values,
    rows_of,
    write_folder,
)
from deepbench_torch.storage.formats.rows import RowFileReader, RowReader
from deepbench_torch.storage.names import LABELS
from deepbench_torch.storage.suffixes import check_suffix
from deepbench_torch.storage.trust import regular_file
from deepbench_torch.storage.work.chunks import Array, Chunk

SIZE = 10


class RawFiles(RowFiles):
    """A file of plain floats for each row."""

    def __init__(self, folder: Path, metadata: Any) -> None:
        super().__init__(folder, metadata)
        self._file = (folder / LABELS).open("w", encoding="utf-8", newline="")
        self._labels = csv.writer(self._file, lineterminator="\n")
        self._labels.writerow(["index", "file", "split", *label_columns(metadata)])
        (folder / "images").mkdir()

    @override
    def write(self, chunk: Chunk, first: int) -> None:
        for row in rows_of(chunk, first):
            name = f"images/{row.number:06d}.raw"
            row.data.tofile(self.folder / name)
            label = label_values(self.metadata, row.tables["label"])
            split = split_of(row.number, self.metadata.size)
            self._labels.writerow([row.number, name, split, *label])

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "raw"}

    @override
    def close(self) -> None:
        self._file.close()


def read_row(path: Path, recipe: AbstractRecipe) -> Array:
    regular_file(path)
    return np.fromfile(path, np.float32).reshape(recipe.shape)


def open_raw(stored: Description) -> RowReader:
    return RowFileReader(
        stored,
        name=lambda number, _: f"images/{number:06d}.raw",
        load=lambda path: read_row(path, stored.recipe),
    )


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a format to the table."""
    row = FileFormat(
        write=lambda job, path: write_folder(job, path, RawFiles),
        open=open_raw,
        example=lambda stored: f"open_raw({stored.path.name!r})",
        suffixes=(".raw",),
        notes=lambda stored: {"bits": "32"},
        row_suffix=".raw",
        read_row=read_row,
    )
    monkeypatch.setitem(FORMATS, "raw", row)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a")


def write(path: Path, **options: Any) -> Path:
    catalogue = db.Catalogue("star", size=SIZE, image_size=12)
    return db.materialize(
        catalogue,
        path,
        format="raw",  # type: ignore[arg-type]
        progress=False,
        **options,
    )


def test_the_names_of_formats_are_those_of_the_table() -> None:
    assert set(get_args(Format)) == set(FORMATS) - {"raw"}
    assert next(iter(FORMATS)) == DEFAULT


def test_every_entrance_reads_it(path: Path) -> None:
    catalogue = db.Catalogue("star", size=SIZE, image_size=12)
    stored = db.StoredCatalogue(path, verify=True)
    assert (stored.format, verified(path).format) == ("raw", "raw")
    for (image, label), (expected, truth) in zip(stored, catalogue, strict=True):
        assert image.equal(expected)
        assert label == truth
    assert reproduce(path).same == "pixels"


def test_a_changed_row_is_found(path: Path) -> None:
    file = path / "images" / "000003.raw"
    values = np.fromfile(file, np.float32)
    values[5] += 1
    values.tofile(file)
    with pytest.raises(ValueError, match="its rows are not those that were written"):
        verified(path)
    with pytest.raises(ValueError, match=r"000003\.raw differs in its pixels"):
        reproduce(path)


def test_it_is_replaced_and_files_of_others_are_kept(path: Path) -> None:
    (path / "images" / "notes.raw").write_text("mine")
    append(path, 5, progress=False)
    assert describe(path).size == SIZE + 5
    assert (path / "images" / "notes.raw").read_text() == "mine"
    assert len(list((path / "images").glob("0*.raw"))) == SIZE + 5


def test_its_ending_promises_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"pass format='raw' for a folder of that format"):
        check_suffix(tmp_path / "a.raw", None)
    check_suffix(tmp_path / "a.raw", "raw")


def test_it_refuses_compression(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="compression: expected None for format 'raw', got 'gzip'"):
        write(tmp_path / "b", compression="gzip")


def test_its_card_shows_its_example_and_its_notes(path: Path) -> None:
    text = write_card(path).read_text()
    assert "open_raw('a')" in text
    assert "| bits | 32 |" in text
