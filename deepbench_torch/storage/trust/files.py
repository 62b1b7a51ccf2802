"""Trust in files and texts: their kind, their size and the names in them."""

import csv
import json
import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from deepbench_torch.recipes import AbstractRecipe, recipe_from_plain
from deepbench_torch.recipes.text import parse_yaml
from deepbench_torch.storage.escape import terminal
from deepbench_torch.storage.reading import reading

MOST_TEXT = 1 << 22  # bytes of a recipe or of metadata
MOST_LINE = 1 << 16  # characters of one line of a table
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def refused(path: Path, rule: str, got: object) -> ValueError:
    """Return the error for a file that is not as this package writes it."""
    return ValueError(
        f"{str(path)!r} is not a catalogue written by deepbench_torch: expected {rule}, got {got}; "
        "use it only if you trust its author, and write it again"
    )


def regular_file(path: Path, *, what: str = "") -> int:
    """Return the size of a file [byte], if it is one: reading a pipe or a device never ends.

    Args:
        path: The file.
        what: Noun for the message if it is missing, such as "a shard of 'a.h5'".

    Raises:
        OSError: If the system refuses to look.
        ValueError: If it is missing, or it is a folder, a pipe, a socket or a device.
    """
    with reading(path):
        try:
            attributes = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            role = f", {what}" if what else ""
            raise ValueError(
                f"{str(path)!r} is missing{role}; copy the complete catalogue, or write the "
                "catalogue again"
            ) from None
    if not stat.S_ISREG(attributes.st_mode):
        raise refused(path, "a file", _KINDS.get(stat.S_IFMT(attributes.st_mode), "something else"))
    return attributes.st_size


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder, if its name and its links stay in the folder.

    Args:
        folder: The folder of the catalogue.
        name: A name of the file, relative to it and with slashes, as its metadata have it.

    Raises:
        ValueError: If the name or a symbolic link leads out of the folder.
    """
    parts = PurePosixPath(name).parts
    path = folder / name
    if not parts or "\0" in name or "\\" in name or name.startswith("/") or ".." in parts:
        raise refused(folder, "names of its own files", repr(name))
    real, home = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath((real, home)) != home:
        raise refused(path, "a file of its own folder", "a symbolic link that leads out of it")
    return path


def read_text(path: Path) -> str:
    """Return the text of a small file in UTF-8.

    Raises:
        ValueError: If it is no regular file, too large or not UTF-8.
    """
    size = regular_file(path)
    if size > MOST_TEXT:
        raise refused(path, f"at most {MOST_TEXT:,} bytes of text", f"{size:,}")
    with reading(path), path.open("rb") as file:
        return file.read(MOST_TEXT).decode("utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in a small JSON file.

    Raises:
        ValueError: If it is damaged, too large or too deep.
    """
    try:
        attributes = json.loads(read_text(path))
    except RecursionError:
        raise refused(path, "metadata that a person can read", "lists too deep") from None
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(
            f"{str(path)!r} is damaged ({type(error).__name__}: {error}); write the catalogue again"
        ) from None
    if not isinstance(attributes, dict):
        raise ValueError(
            f"{str(path)!r} is damaged (expected a mapping, got {type(attributes).__name__}); "
            "write the catalogue again"
        )
    return attributes


def parse_recipe(text: object, *, source: str) -> AbstractRecipe:
    """Return the recipe in a text that a data file holds; it may name no other file.

    Args:
        text: YAML.
        source: Where it was found, for messages.

    Raises:
        ValueError: If it is no complete recipe.
    """
    if not isinstance(text, str):
        raise TypeError(f"{source} is no text")
    try:
        return _parse_recipe(text, source)
    except ValueError as error:  # what it holds may turn up in the message
        raise ValueError(terminal(str(error))) from None


@lru_cache(maxsize=8)  # recipes are frozen, and one catalogue is opened many times
def _parse_recipe(text: str, source: str) -> AbstractRecipe:
    plain = parse_yaml(text, source=source)
    if isinstance(plain, dict) and "extends" in plain:
        raise ValueError(
            f"{source}: expected a complete recipe, got one with the key 'extends'; a data file "
            "reads no other file, so write it again"
        )
    return recipe_from_plain(plain, source=source)


def read_rows(path: Path, columns: list[str]) -> Iterator[list[str]]:
    """Yield the cells of each line of a table whose columns are known.

    Raises:
        ValueError: If a line is too long, or has other columns.
    """
    regular_file(path)
    with reading(path), path.open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(_short_lines(file, path), strict=True):
            if columns:
                if cells != columns:
                    raise refused(path, f"the columns {', '.join(columns)}", _few(cells))
                width, columns = len(columns), []
                continue
            if len(cells) != width:
                raise refused(path, f"{width} cells a line", len(cells))
            yield cells


def _short_lines(file: Any, path: Path) -> Iterator[str]:
    """Yield the lines of a file, none of them longer than a table of ours has."""
    while line := file.readline(MOST_LINE):
        if len(line) == MOST_LINE:
            raise refused(path, f"lines of fewer than {MOST_LINE:,} characters", "a longer one")
        yield line


def _few(cells: list[str]) -> str:
    text = ", ".join(cells[:12])
    return repr(text if len(text) < 100 else f"{text[:100]}...")
