"""Read predictions from any source: the truth is generated again, everything else is checked."""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import ValidationError

import deepbench_torch as db
from baselines.scoring.predictions import Header, Predictions, image_recipe, joined_names
from deepbench_torch.generate import GENERATOR_VERSION

BATCH = 256  # images in a batch
SHOWN = 3  # rows that an error names


class Line(NamedTuple):
    """Row of the file: its row number, its label in words and its probabilities."""

    row: int
    label: str
    chances: list[float]


def read(path: Path, *, recipe: str | Path | None = None) -> Predictions:
    """Read predictions in the order of the rows, with labels from recipe and seed.

    Args:
        path: A file as `predictions.write` writes it; rows may have any order.
        recipe: Recipe of the images; if None, the packaged one that the file names.

    Raises:
        ValueError: If the file is incomplete, or its rows are not the images that it names.
        FileNotFoundError: If there is no file.
    """
    text = _text(path)
    notes = [line for line in text if line.startswith("#")]
    header = _header(notes, path)
    catalogue = _catalogue(header, path, recipe)
    table = csv.reader(line for line in text if line and not line.startswith("#"))
    lines = _lines(table, path, catalogue.classes)
    _check_rows([line.row for line in lines], catalogue.rows, path)
    lines.sort(key=lambda line: line.row)
    label = torch.cat([catalogue.samples(rows=rows).label for rows in _parts(catalogue.rows)])
    _check_labels(lines, joined_names(label, catalogue.classes), path)
    return Predictions(
        header=header,
        recipe=image_recipe(catalogue),
        row=torch.tensor(catalogue.rows),
        label=label,
        probability=torch.tensor([line.chances for line in lines]),
    )


def _text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected text in UTF-8, got {error.reason}; save it as UTF-8"
        ) from None


def _parts(rows: range) -> Iterable[range]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _header(notes: list[str], path: Path) -> Header:
    found = dict(note.removeprefix("#").strip().partition(": ")[::2] for note in notes)
    try:
        return Header.model_validate(found)
    except ValidationError as error:
        faults = (f"{detail['loc'][0]}: {detail['msg']}" for detail in error.errors())
        raise ValueError(
            f"{path}: expected lines `# key: value` for {', '.join(Header.model_fields)}, got "
            f"{'; '.join(faults)}; correct these lines"
        ) from None


def _catalogue(header: Header, path: Path, recipe: str | Path | None) -> db.Catalogue:
    """Return the catalogue that the header names, if this package generates the same images."""
    if recipe is None and header.recipe not in db.list_recipes():
        raise ValueError(
            f"{path}: recipe: expected a packaged recipe, got {header.recipe!r}; set its YAML "
            "file with --recipe"
        )
    sides = header.image_size.split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        found = f"got {header.image_size!r}; write height and width in pixels"
        raise ValueError(f"{path}: image_size: expected a size such as 48x64, {found}")
    catalogue = db.Catalogue(
        recipe or header.recipe,
        size=header.size,
        seed=header.seed,
        split=header.split,
        image_size=(int(sides[0]), int(sides[1])),
    )
    digest = catalogue.recipe.digest
    if (header.digest, header.generator_version) != (digest, GENERATOR_VERSION):
        raise ValueError(
            f"{path}: expected predictions of recipe {header.recipe} with digest {digest:.12} and "
            f"generator version {GENERATOR_VERSION}, got {header.digest:.12} and "
            f"{header.generator_version}; score it with the version of the package that wrote it"
        )
    return catalogue


def _lines(table: Iterable[list[str]], path: Path, classes: list[str]) -> list[Line]:
    expected = ["row", "label", *classes]
    rows = iter(table)
    columns = next(rows, [])
    if columns != expected:
        raise ValueError(
            f"{path}: expected the columns {','.join(expected)}, got "
            f"{','.join(columns) or 'none'}; correct the line of names"
        )
    return [_line(cells, path, len(expected)) for cells in rows]


def _line(cells: list[str], path: Path, columns: int) -> Line:
    if len(cells) != columns:
        found = f"got {','.join(cells)!r:.60}; correct the line"
        raise ValueError(f"{path}: expected {columns} cells in each line, {found}")
    row, label, *chances = cells
    if not (row.isascii() and row.isdecimal()):
        found = f"got {row!r:.60}; write the number of an image"
        raise ValueError(f"{path}: row: expected a whole number, {found}")
    try:
        values = [float(chance) for chance in chances]
    except ValueError:
        found = f"got {', '.join(chances):.60}; write a number for each class"
        raise ValueError(f"{path}: row {row}: expected probabilities, {found}") from None
    wrong = [value for value in values if math.isnan(value) or not 0 <= value <= 1]
    if wrong:
        found = f"got {wrong[0]:g}; apply a sigmoid or softmax to logits"
        raise ValueError(f"{path}: row {row}: expected probabilities from 0 to 1, {found}")
    return Line(int(row), label, values)


def _check_rows(found: list[int], expected: range, path: Path) -> None:
    """Check that every row of the split occurs once, and no other row."""
    times = Counter(found)
    unknown = [row for row in times if row not in expected]
    missed = len(expected) - (len(times) - len(unknown))
    faults = {  # rows are not listed: a header may state any size
        "misses": (missed, (row for row in expected if row not in times)),
        "repeats": (
            sum(count > 1 for count in times.values()),
            (row for row, count in times.items() if count > 1),
        ),
        "has unknown": (len(unknown), iter(unknown)),
    }
    found_faults = [
        f"{verb} {_some(rows, count)}" for verb, (count, rows) in faults.items() if count
    ]
    if found_faults:
        raise ValueError(
            f"{path}: expected each row from {expected[0]} to {expected[-1]} once, got a file that "
            f"{' and '.join(found_faults)}; correct its rows"
        )


def _some(rows: Iterator[int], count: int) -> str:
    """Return the first of `count` rows in words."""
    names = ", ".join(str(row) for row in islice(rows, SHOWN))
    more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
    return f"row{'s' if count > 1 else ''} {names}{more}"


def _check_labels(lines: list[Line], truth: list[str], path: Path) -> None:
    for line, name in zip(lines, truth, strict=True):
        if line.label != name:
            raise ValueError(
                f"{path}: row {line.row}: expected the label {name or 'nothing'!r} of recipe and "
                f"seed, got {line.label or 'nothing'!r}; correct the row, recipe or seed"
            )
