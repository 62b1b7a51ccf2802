"""Readers of rows: the interface that every format has, and what formats of a file a row share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.folder import label_columns
from deepbench_torch.storage.names import LABELS
from deepbench_torch.storage.trust import inside, read_rows, refused
from deepbench_torch.storage.work.chunks import Array

Indices = np.ndarray[Any, np.dtype[np.int64]]


class RowReader(ABC):
    """Rows of a stored catalogue, open in one process."""

    @abstractmethod
    def read(self, indices: Indices) -> tuple[Array, Array]:
        """Return the data and the labels of some rows, in their order.

        Args:
            indices: Positions among the stored rows, from 0 on.

        Returns:
            Fresh arrays: data float32 (B, *recipe.shape); labels int64 (B,) of classes, otherwise
            float32 (B, K).

        Raises:
            OSError: If the system refuses to read.
            ValueError: If a file is missing, damaged or not to be trusted.
        """


class RowFileReader(RowReader):
    """Rows of a folder with a file a row and a table of labels.

    Args:
        stored: The catalogue.
        name: Returns the file of a row, relative to the folder, from its number and its label.
        load: Returns the data of a file, of shape `recipe.shape`.
    """

    def __init__(
        self,
        stored: Description,
        *,
        name: Callable[[int, Array], str],
        load: Callable[[Path], Array],
    ) -> None:
        self._stored = stored
        self._name = name
        self._load = load
        self._labels = read_labels(stored, name)

    @override
    def read(self, indices: Indices) -> tuple[Array, Array]:
        data = np.empty((len(indices), *self._stored.recipe.shape), np.float32)
        for position, index in enumerate(indices.tolist()):
            data[position] = self._load(self._file(index))
        return data, self._labels[indices]

    def _file(self, index: int) -> Path:
        path = self._stored.path
        name = self._name(self._stored.rows[index], self._labels[index])
        return inside(path, name)


def label_shape(stored: Description) -> tuple[tuple[int, ...], "np.dtype[Any]"]:
    """Return the shape and the type of all labels of a catalogue."""
    rows, recipe = len(stored.rows), stored.recipe
    if recipe.single_label:
        return (rows,), np.dtype(np.int64)
    return (rows, len(recipe.classes)), np.dtype(np.float32)


def read_labels(stored: Description, name: Callable[[int, Array], str]) -> Array:
    """Return the labels in the table of a folder.

    Raises:
        ValueError: If the table is not that of this catalogue, row by row.
    """
    path, rows = inside(stored.path, LABELS), stored.rows
    table = read_rows(path, ["index", "file", "split", *label_columns(stored.metadata)])
    shape, dtype = label_shape(stored)
    labels = []
    for number, cells in zip(rows, table, strict=False):
        label = _label(cells[3:], stored, path)
        if cells[:2] != [str(number), name(number, label)]:
            raise refused(path, f"row {number} of the catalogue", f"{cells[0]!r}, {cells[1]!r}")
        labels.append(label)
    if len(labels) != len(rows) or next(table, None) is not None:
        raise refused(path, f"{len(rows):,} rows", f"{len(labels):,} or more")
    return np.asarray(labels, dtype).reshape(shape)


def _label(cells: list[str], stored: Description, path: Path) -> Array:
    """Return the label in the cells of one row."""
    classes = stored.recipe.classes
    if stored.recipe.single_label:
        if cells[0] not in classes:
            raise refused(path, f"a class among {', '.join(classes)}", repr(cells[0]))
        return np.asarray(classes.index(cells[0]))
    try:
        label = np.asarray([np.float32(cell) for cell in cells])
    except ValueError:
        raise refused(path, "numbers as labels", repr(", ".join(cells))) from None
    if stored.recipe.class_labels and not np.isin(label, (0, 1)).all():
        raise refused(path, "0 or 1 as labels", repr(", ".join(cells)))
    return label
