"""Proof of what this package wrote, from the metadata in it and never from a name alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from deepbench_torch.paths import entries
from deepbench_torch.recipes.text import read_yaml
from deepbench_torch.storage.folder import METADATA
from deepbench_torch.storage.names import keyed
from deepbench_torch.storage.seal import is_sealed

LIST = "collection.yaml"
GROUP_VERSION = 1
PACKAGE = "deepbench_torch "
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DIGEST = re.compile("[0-9a-f]{64}")
ROW_FOLDERS = ("images", "series", "train", "val", "test")
# row files: images/000000.fits, series/000000.fits, train/0-star/000000.jpg
_ROW_FILE = re.compile(r"(?:images|series|(?:train|val|test)/[^/]+)/(\d{6,})\.(?:jpg|fits)")


def is_own_file(path: Path) -> bool:
    """Return whether a file is HDF5 that this package wrote, damaged or not.

    The proof is the checksum line at its end, or else the attributes of the HDF5 file.

    Raises:
        OSError: If the system refuses to read it.
    """
    return path.is_file() and (is_sealed(path) or _is_own(_attributes(path)))


def shard_folder_of(path: Path) -> str | None:
    """Return the name of the folder of shards that an HDF5 file joins; None if it joins none."""
    name = _attributes(path).get("shard_folder") if path.is_file() else None
    return name if isinstance(name, str) else None


def own_files(folder: Path) -> set[Path] | None:
    """Return the files of the catalogue or the collection in a folder, relative to it.

    Returns:
        None if the folder is no catalogue and no collection of this package.

    Raises:
        OSError: If the system refuses to read it.
    """
    facts = _facts(folder / METADATA)
    if facts is not None:
        return {path for path in every_file(folder) if _is_of_catalogue(path, facts, folder)}
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


def own_shards(folder: Path) -> list[Path]:
    """Return the shards in a folder that this package wrote, and unfinished ones."""
    return [path for path in sorted(folder.iterdir()) if _is_shard(path)]


def _is_shard(path: Path) -> bool:
    number = r"\d{12}-\d{12}\.h5"
    if re.fullmatch(rf"\.{number}\.[0-9a-f]{{32}}\.tmp", path.name):
        return path.is_file()  # of a worker that was killed; the name holds 128 random bits
    return re.fullmatch(number, path.name) is not None and is_own_file(path)


def _attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of an HDF5 file; none if it is not HDF5 or cannot be made out."""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return {}
    try:
        with h5py.File(path, "r") as file:
            return {name: file.attrs[name] for name in file.attrs}
    except OSError as error:
        if error.errno is not None:  # of the system, such as a file that another program has open
            raise
    except (RuntimeError, LookupError, ValueError, TypeError):
        pass
    return {}


def _facts(path: Path) -> dict[str, Any] | None:
    """Return the metadata of a catalogue's folder, if this package wrote them."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return None
    mine = isinstance(facts, dict) and _is_own(facts)
    mine = mine and isinstance(facts.get("format"), str) and isinstance(facts.get("files"), dict)
    return facts if mine else None


def _is_own(facts: dict[str, Any]) -> bool:
    """Return whether metadata name this package, a digest and versions."""
    digest, package = facts.get("digest"), facts.get("package")
    versions = [str(facts.get(name)) for name in ("format_version", "generator_version")]
    return (
        isinstance(digest, str)
        and _DIGEST.fullmatch(digest) is not None
        and isinstance(package, str)
        and package.startswith(PACKAGE)
        and all(version.isdecimal() for version in versions)
    )


def _is_of_catalogue(path: Path, facts: dict[str, Any], folder: Path) -> bool:
    """Return whether a file or an empty folder is one that the metadata of its folder tell of."""
    at = folder / path
    if at.is_dir() and not at.is_symlink():  # empty, such as the folder of a class without rows
        return path.parts[0] in ROW_FOLDERS and len(path.parts) < 3
    if len(path.parts) == 1:
        return path.name == METADATA or path.name in facts["files"]
    row = _ROW_FILE.fullmatch(path.as_posix())
    size = facts.get("size")
    return row is not None and isinstance(size, int) and int(row[1]) < size


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
    """Yield the shards of a file, which stand beside it."""
    for folder in keyed(member, ".shards"):
        if folder.is_dir() and not folder.is_symlink():
            yield from own_shards(folder)


def is_empty(folder: Path) -> bool:
    """Return whether a folder holds nothing but litter of systems and editors."""
    return not entries(folder)
