"""Catalogues as folders: rows in common files, and the metadata to make them again."""

import csv
import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.labels import label_names
from deepbench_torch.samples.lines import CONDITIONS, condition_column
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.names import METADATA, PARAMETERS, RECIPE
from deepbench_torch.storage.work.chunks import Array, Chunk
from deepbench_torch.storage.work.job import Job


class Row(NamedTuple):
    """One row of a chunk: its number, its data, and by its path everything beside it."""

    number: int
    data: Array
    tables: dict[str, Array]


class RowFiles(ABC):
    """Writer of the rows of a catalogue in the files of one format.

    Args:
        folder: Empty folder.
        metadata: Metadata of the rows.
    """

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        self.folder = folder
        self.metadata = metadata

    @abstractmethod
    def write(self, chunk: Chunk, first: int) -> None:
        """Write the next rows; `first` is the number of the first of them."""

    @abstractmethod
    def finish(self) -> dict[str, Any]:
        """Return further metadata of these files."""

    @abstractmethod
    def close(self) -> None:
        """Close all open files, also after an error."""


def write_folder(job: Job, path: Path, files: Callable[[Path, Metadata], RowFiles]) -> None:
    """Write a catalogue to a new folder."""
    shutil.rmtree(path, ignore_errors=True)  # of an earlier call that was stopped
    path.mkdir()
    metadata = job.metadata
    rows, data = files(path, metadata), hashlib.sha256()
    with (
        closing(rows),
        (path / PARAMETERS).open("w", encoding="utf-8", newline="") as file,
    ):
        table = ParameterTable(file, metadata)
        place = metadata.rows.start
        for chunk in job.chunks():
            rows.write(chunk, place)
            table.write(chunk, place)
            data.update(np.ascontiguousarray(chunk.data).data)
            place += len(chunk.data)
    (path / RECIPE).write_text(metadata.recipe.to_yaml(), encoding="utf-8")
    attributes = {name: fact for name, fact in metadata.attributes().items() if name != "recipe"}
    attributes |= {"content": metadata.recipe.content, "rows": len(metadata.rows), **rows.finish()}
    attributes |= {"data_sha256": data.hexdigest(), "files": _checksums(path)}
    text = json.dumps(attributes, indent=1, ensure_ascii=False) + "\n"
    (path / METADATA).write_text(text, encoding="utf-8")


def _checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in the folder itself."""
    return {file.name: sha256(file) for file in sorted(folder.iterdir()) if file.is_file()}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(chunk: Chunk, first: int) -> Iterator[Row]:
    """Yield the rows of a chunk."""
    for place, data in enumerate(chunk.data):
        tables = {path: table[place] for path, table in chunk.tables.items()}
        yield Row(first + place, data, tables)


class ParameterTable:
    """Table with a line for every object, or every body or system of a time series.

    Columns: the row's index, the kind and the slot of the object, and a parameter each, in pixels
    and radians; empty where a kind has no such parameter. Then the conditions that vary from image
    to image, the same in all lines of an image.
    """

    def __init__(self, file: Any, metadata: Metadata) -> None:
        self._lines = csv.writer(file, lineterminator="\n")
        self._metadata = metadata
        self._names: list[str] = []
        self._conditions: list[str] = []

    def write(self, chunk: Chunk, first: int) -> None:
        """Write the lines of the next rows."""
        if not self._names:
            paths = [path.split("/") for path in chunk.tables if path.startswith("parameters/")]
            self._names = list(dict.fromkeys(name for _, _, name in paths))
            self._conditions = [path for path in chunk.tables if path.startswith(CONDITIONS)]
            columns = [*self._names, *map(condition_column, self._conditions)]
            self._lines.writerow(["index", "kind", "slot", *columns])
        for row in rows_of(chunk, first):
            conditions = [exact(row.tables[path]) for path in self._conditions]
            for kind, slot, values in objects_of(row):
                cells = [exact(values[name]) if name in values else "" for name in self._names]
                self._lines.writerow([row.number, kind, slot, *cells, *conditions])


def objects_of(row: Row) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield kind, slot and parameters of each object of a row."""
    kinds: dict[str, dict[str, Array]] = {}
    for path, values in row.tables.items():
        match path.split("/"):
            case ["parameters", kind, name]:
                kinds.setdefault(kind, {})[name] = values
    for kind, parameters in kinds.items():
        slots = max(int(np.size(values)) for values in parameters.values())
        present = row.tables.get(f"present/{kind}", np.ones(slots, dtype=bool))
        for slot in np.flatnonzero(present).tolist():
            own = {
                name: np.atleast_1d(each)[slot]
                for name, each in parameters.items()
                if slot < np.size(each)
            }
            yield kind, slot, own


def array_name(recipe: AbstractRecipe) -> str:
    """Return the name of the rows, as an array or as a folder of files."""
    return recipe.array_name


def exact(value: Any) -> str:
    """Return a number with the fewest digits that distinguish it from its neighbours."""
    return str(np.asarray(value).item() if value.dtype.kind != "f" else value)


def label_columns(metadata: Metadata) -> list[str]:
    """Return the columns of the label in a table."""
    recipe = metadata.recipe
    return ["label"] if recipe.single_label else recipe.classes


def label_values(metadata: Metadata, label: Array) -> list[str]:
    """Return the label of a row in these columns: the name of the class, or numbers."""
    if np.ndim(label) == 0:
        return label_names(label, metadata.recipe.classes)
    is_flag = metadata.recipe.class_labels  # 1 where a kind is present
    return [str(int(value)) if is_flag else exact(value) for value in label]
