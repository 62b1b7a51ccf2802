"""HDF5 files that this package wrote, proved by their bytes and not by their names."""

import re
from pathlib import Path
from typing import Any

import h5py

from deepbench_torch.storage.hdf5.checksum import has_checksum
from deepbench_torch.storage.metadata import is_own

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_own_file(path: Path) -> bool:
    """Return whether a file is HDF5 that this package wrote, damaged or not.

    The proof is the checksum line at its end, or else the attributes of the HDF5 file.

    Raises:
        OSError: If the system refuses to read it.
    """
    return path.is_file() and (has_checksum(path) or is_own(_attributes(path)))


def shard_folder_of(path: Path) -> str | None:
    """Return the name of the folder of shards that an HDF5 file joins; None if it joins none."""
    name = _attributes(path).get("shard_folder") if path.is_file() else None
    return name if isinstance(name, str) else None


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
