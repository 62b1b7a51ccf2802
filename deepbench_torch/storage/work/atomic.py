"""Files that are there whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from deepbench_torch.storage.names import beside as next_to


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, renamed to it in the end or removed on any error."""
    beside = next_to(path, f".{uuid4().hex}.tmp", hidden=True)
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Have the disk take a file, or all files of a folder, whole."""
    if path.is_dir():
        os.sync()
        return
    with path.open("rb") as written:
        os.fsync(written.fileno())


def reserve(path: Path, size: int) -> None:
    """See that a new file may have so many bytes, before a library writes it.

    HDF5 cannot go on after a write that failed: it may take the whole process with it.

    Raises:
        OSError: If the disk, a quota or a limit is in the way.
    """
    with path.open("wb") as file:
        if sys.platform == "linux":
            os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(0)


@contextmanager
def folders(folder: Path) -> Iterator[None]:
    """Make a folder; on any error take away what was made of it and of those above, if empty."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in missing:
            with suppress(OSError):  # something else lies in it, or it was never made
                place.rmdir()
        raise
