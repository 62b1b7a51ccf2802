"""Seals: the last line of a file, with the SHA-256 of all before it.

HDF5 does not look beyond its own end. So a file can be checked as bytes, before HDF5 reads from it
what may no longer make sense.
"""

import hashlib
from pathlib import Path

_MARK = b"\ndeepbench_torch sha256 "
CHECKSUM_BYTES = len(_MARK) + 65
_BLOCK = 1 << 20


def seal(path: Path) -> str:
    """Add the last line to a file and return the SHA-256 in it."""
    digest = _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(_MARK + digest.encode() + b"\n")
    return digest


def has_checksum(path: Path) -> bool:
    """Return whether the last line of a file is one that `seal` adds, right or wrong."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - CHECKSUM_BYTES))
        return file.read(CHECKSUM_BYTES).startswith(_MARK)


def verify_checksum(path: Path) -> str:
    """The SHA-256 in the last line of a file.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If there is no such line, or the file is not what it says.
    """
    length = path.stat().st_size - CHECKSUM_BYTES
    with path.open("rb") as file:
        file.seek(max(0, length))
        last = file.read(CHECKSUM_BYTES)
    told = last[len(_MARK) : -1].decode("ascii", "replace")
    if length < 0 or last != _MARK + told.encode() + b"\n":
        raise ValueError(
            f"{str(path)!r} is damaged: it does not end with the checksum that it was written "
            "with; write it again"
        )
    if _digest(path, length) != told:
        raise ValueError(
            f"{str(path)!r} is damaged: its bytes are not those that were written, by their "
            "checksum; write it again"
        )
    return told


def _digest(path: Path, length: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0:
            block = file.read(min(_BLOCK, length))
            if not block:
                break
            digest.update(block)
            length -= len(block)
    return digest.hexdigest()
