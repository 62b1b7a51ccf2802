"""Croissant: what a stored catalogue holds as JSON-LD, for search engines and loaders of datasets.

Made and checked by the library of the standard's authors, mlcroissant, an extra: `[croissant]`.
"""

import csv
import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deepbench_torch.plotting.cards.names import is_croissant
from deepbench_torch.storage import Description, describe
from deepbench_torch.storage.formats.folder import sha256
from deepbench_torch.storage.names import LABELS, METADATA, PARAMETERS
from deepbench_torch.storage.refusals import writing
from deepbench_torch.storage.work.atomic import replacing

LICENCE = "https://spdx.org/licenses/CC0-1.0.html"
KINDS = {
    ".h5": "application/x-hdf5",
    ".npy": "application/octet-stream",
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".json": "application/json",
}
TEXTS = ("kind", "file", "split", "label")
WHOLE = ("index", "slot")


def can_write_croissant() -> bool:
    """Whether the library that makes it is installed."""
    return find_spec("mlcroissant") is not None


def write_croissant(path: str | Path, card: Path) -> Path:
    """Write what a stored catalogue holds beside its card, `NAME.croissant.json`.

    Args:
        path: The catalogue: a file or folder.
        card: Its card.

    Raises:
        FileExistsError: If a file of others has the name.
        ModuleNotFoundError: If mlcroissant is not installed.
    """
    import mlcroissant as mlc

    told = describe(path)
    output = card.with_name(f"{card.stem}.croissant.json")
    if output.exists() and not is_croissant(output, card):
        raise FileExistsError(
            f"{str(output)!r} was not written beside {card.name!r}; move it elsewhere"
        )
    files = [told.path] if told.path.is_file() else _own_files(told)
    metadata = mlc.Metadata(
        name=told.recipe.name,
        description=told.recipe.description or told.recipe.name,
        license=[LICENCE],
        url=card.name,
        version="1.0.0",
        date_published=datetime.fromisoformat(told.attributes["date"]),
        cite_as=f"{told.attributes['package']}, recipe {told.recipe.name} "
        f"{told.recipe.digest[:12]}, generator {told.attributes['generator_version']}, "
        f"seed {told.seed}",
        conforms_to=["http://mlcommons.org/croissant/1.0"],
        distribution=[_distribution(mlc, file, told) for file in files],
        record_sets=[
            _records(mlc, told.path / name)
            for name in (LABELS, PARAMETERS)
            if told.path.is_dir() and (told.path / name).is_file()
        ],
    )
    text = json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str)
    with writing(output, "the card"), replacing(output) as new:
        new.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return output


def _own_files(told: Description) -> list[Path]:
    """Return the files in the folder itself that the catalogue's metadata list."""
    names = sorted({METADATA, *map(str, told.attributes["files"])})
    return [
        told.path / Path(name).name for name in names if (told.path / Path(name).name).is_file()
    ]


def _distribution(mlc: Any, file: Path, told: Description) -> Any:
    place = file.name if file == told.path else f"{told.path.name}/{file.name}"
    return mlc.FileObject(
        id=file.name,
        name=file.name,
        content_url=place,
        content_size=f"{file.stat().st_size} B",
        encoding_formats=[KINDS.get(file.suffix, "application/octet-stream")],
        sha256=sha256(file),
    )


def _records(mlc: Any, file: Path) -> Any:
    """The columns of a table."""
    with file.open(newline="", encoding="utf-8") as lines:
        columns = next(csv.reader(lines))
    return mlc.RecordSet(
        id=file.stem,
        name=file.stem,
        fields=[_field(mlc, file, column) for column in columns],
    )


def _field(mlc: Any, file: Path, column: str) -> Any:
    kind = mlc.DataType.FLOAT
    if column in (*TEXTS, *WHOLE):
        kind = mlc.DataType.TEXT if column in TEXTS else mlc.DataType.INTEGER
    return mlc.Field(
        id=f"{file.stem}/{column}",
        name=column,
        data_types=[kind],
        source=mlc.Source(file_object=file.name, extract=mlc.Extract(column=column)),
    )
