"""Files of a folder that this package wrote, proved by their metadata and not by names."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepbench_torch.recipes.paths import entries
from deepbench_torch.recipes.text import read_yaml
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.hdf5.owned import is_own_file, own_shards
from deepbench_torch.storage.metadata import is_own
from deepbench_torch.storage.names import LIST, METADATA, keyed

GROUP_VERSION = 1
ROW_FOLDERS = ("images", "series", "train", "val", "test")
# row files: images/000000.fits, series/000000.fits, train/0-star/000000.jpg
_ROW_FILE = re.compile(r"(?:images|series|(?:train|val|test)/[^/]+)/(\d{6,})(\.\w+)")


def own_files(folder: Path) -> set[Path] | None:
    """Return the files of the catalogue or the collection in a folder, relative to it.

    Returns:
        None if the folder is no catalogue and no collection of this package.

    Raises:
        OSError: If the system refuses to read it.
    """
    attributes = _metadata(folder / METADATA)
    if attributes is not None:
        return {
            path for path in every_file(folder) if _is_of_catalogue(path, attributes, folder=folder)
        }
    members = _members(folder)
    if not members:
        return None
    shards = {file for member in members for file in _shard_files(folder / member)}
    return {Path(LIST), *map(Path, members), *(file.relative_to(folder) for file in shards)}


def every_file(folder: Path, within: Path = Path()) -> Iterator[Path]:
    """Yield each file, link and empty folder of a folder, relative to it, sorted."""
    for path in sorted((folder / within).iterdir()):
        here = within / path.name
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            yield from every_file(folder, here)
        else:
            yield here


def _metadata(path: Path) -> dict[str, Any] | None:
    """Return the metadata of a catalogue's folder, if this package wrote them."""
    try:
        attributes = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return None
    own = isinstance(attributes, dict) and is_own(attributes)
    own = (
        own
        and isinstance(attributes.get("format"), str)
        and isinstance(attributes.get("files"), dict)
    )
    return attributes if own else None


def _is_of_catalogue(path: Path, attributes: dict[str, Any], *, folder: Path) -> bool:
    """Return whether a file or an empty folder is listed in the metadata of its folder."""
    at = folder / path
    if at.is_dir() and not at.is_symlink():  # empty, such as the folder of a class without rows
        return path.parts[0] in ROW_FOLDERS and len(path.parts) < 3
    if len(path.parts) == 1:
        return path.name == METADATA or path.name in attributes["files"]
    row = _ROW_FILE.fullmatch(path.as_posix())
    size = attributes.get("size")
    if row is None or row[2] not in {form.row_suffix for form in FORMATS.values()}:
        return False
    return isinstance(size, int) and int(row[1]) < size


def _members(folder: Path) -> list[str]:
    """Return the names of the files that a collection lists, as far as this package wrote them."""
    if not (folder / LIST).is_file():
        return []
    try:
        plain = read_yaml(folder / LIST)
    except ValueError:
        return []
    members = plain.get("members") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(members, dict):
        return []
    if plain.get("version") != GROUP_VERSION:
        return []
    names = [Path(str(name)).name for name in members.values()]
    return [name for name in names if name and is_own_file(folder / name)]


def _shard_files(member: Path) -> Iterator[Path]:
    """Yield the shards of a file, in folders beside it."""
    for folder in keyed(member, ".shards"):
        if folder.is_dir() and not folder.is_symlink():
            yield from own_shards(folder)


def is_empty(folder: Path) -> bool:
    """Return whether a folder holds nothing but hidden files of systems and editors."""
    return not entries(folder)
