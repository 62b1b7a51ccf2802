"""Croissant: JSON-LD metadata of a stored catalogue, for search engines and dataset loaders.

Written and checked by mlcroissant, the library of the authors of the standard. It is an optional
dependency: `[croissant]`.
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
INTEGERS = ("index", "slot")


def can_write_croissant() -> bool:
    """Return whether mlcroissant is installed."""
    return find_spec("mlcroissant") is not None


def write_croissant(path: str | Path, card: Path) -> Path:
    """Write the JSON-LD metadata of a stored catalogue beside its card, `NAME.croissant.json`.

    Args:
        path: Catalogue: a file or folder.
        card: Card of the catalogue.

    Raises:
        FileExistsError: If another file has the name.
        ModuleNotFoundError: If mlcroissant is not installed.
    """
    import mlcroissant as mlc

    stored = describe(path)
    output = card.with_name(f"{card.stem}.croissant.json")
    if output.exists() and not is_croissant(output, card):
        raise FileExistsError(
            f"{str(output)!r}: expected the file that belongs to {card.name!r}, got another; move "
            "it elsewhere"
        )
    known = stored.attributes
    files = [stored.path] if stored.path.is_file() else _own_files(stored)
    metadata = mlc.Metadata(
        name=stored.recipe.name,
        description=stored.recipe.description or stored.recipe.name,
        license=[LICENCE],
        url=card.name,
        version="1.0.0",
        date_published=datetime.fromisoformat(known["date"]),
        cite_as=f"{known['package']}, recipe {stored.recipe.name} {stored.recipe.digest[:12]}, "
        f"generator {known['generator_version']}, seed {stored.seed}",
        conforms_to=["http://mlcommons.org/croissant/1.0"],
        distribution=[_distribution(mlc, file, stored=stored) for file in files],
        record_sets=[
            _records(mlc, stored.path / name)
            for name in (LABELS, PARAMETERS)
            if stored.path.is_dir() and (stored.path / name).is_file()
        ],
    )
    text = json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str)
    with writing(output, "the card"), replacing(output) as new:
        new.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return output


def _own_files(stored: Description) -> list[Path]:
    """Return the files of the metadata that are in the top folder."""
    names = sorted({METADATA, *map(str, stored.attributes["files"])})
    return [
        stored.path / Path(name).name for name in names if (stored.path / Path(name).name).is_file()
    ]


def _distribution(mlc: Any, file: Path, *, stored: Description) -> Any:
    url = file.name if file == stored.path else f"{stored.path.name}/{file.name}"
    return mlc.FileObject(
        id=file.name,
        name=file.name,
        content_url=url,
        content_size=f"{file.stat().st_size} B",
        encoding_formats=[KINDS.get(file.suffix, "application/octet-stream")],
        sha256=sha256(file),
    )


def _records(mlc: Any, file: Path) -> Any:
    """Return the columns of a table."""
    with file.open(newline="", encoding="utf-8") as lines:
        columns = next(csv.reader(lines))
    return mlc.RecordSet(
        id=file.stem,
        name=file.stem,
        fields=[_field(mlc, file, column=column) for column in columns],
    )


def _field(mlc: Any, file: Path, *, column: str) -> Any:
    kind = mlc.DataType.FLOAT
    if column in (*TEXTS, *INTEGERS):
        kind = mlc.DataType.TEXT if column in TEXTS else mlc.DataType.INTEGER
    return mlc.Field(
        id=f"{file.stem}/{column}",
        name=column,
        data_types=[kind],
        source=mlc.Source(file_object=file.name, extract=mlc.Extract(column=column)),
    )
