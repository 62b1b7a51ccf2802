"""Checksum in the last line of a file: the SHA-256 of all bytes before it.

HDF5 ignores bytes after its own end. A file is checked as bytes before HDF5 reads it.
"""

import hashlib
from pathlib import Path

_MARK = b"\ndeepbench_torch sha256 "
CHECKSUM_BYTES = len(_MARK) + 65
_BLOCK = 1 << 20


def append_checksum(path: Path) -> str:
    """Add the last line to a file and return the SHA-256 in it."""
    digest = _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(_MARK + digest.encode() + b"\n")
    return digest


def has_checksum(path: Path) -> bool:
    """Return whether the last line of a file is one that `append_checksum` adds, right or wrong."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - CHECKSUM_BYTES))
        return file.read(CHECKSUM_BYTES).startswith(_MARK)


def verify_checksum(path: Path) -> str:
    """Return the SHA-256 in the last line of a file, after checking it.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If there is no such line, or it is not that of the file.
    """
    length = path.stat().st_size - CHECKSUM_BYTES
    with path.open("rb") as file:
        file.seek(max(0, length))
        last = file.read(CHECKSUM_BYTES)
    stored = last[len(_MARK) : -1].decode("ascii", "replace")
    if length < 0 or last != _MARK + stored.encode() + b"\n":
        raise ValueError(
            f"{str(path)!r} is damaged: it does not end with the checksum that it was written "
            "with; write it again"
        )
    if _digest(path, length) != stored:
        raise ValueError(
            f"{str(path)!r} is damaged: its bytes are not those that were written, by their "
            "checksum; write it again"
        )
    return stored


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
