"""Files that are written atomically."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from deepbench_torch.storage.names import beside as next_to


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Provide a file beside `path`, renamed to it in the end or removed on any error."""
    beside = next_to(path, f".{uuid4().hex}.tmp", hidden=True)
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Flush a file, or all files of a folder, to the disk."""
    if path.is_dir():
        os.sync()
        return
    with path.open("rb") as written:
        os.fsync(written.fileno())


def reserve(path: Path, size: int) -> None:
    """Check that a new file may have some size [byte], before a library writes it.

    HDF5 may end the process after a write that failed.

    Raises:
        OSError: If the disk, a quota or a limit refuses it.
    """
    with path.open("wb") as file:
        if sys.platform == "linux":
            os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(0)


@contextmanager
def folders(folder: Path) -> Iterator[None]:
    """Create a folder and its parents; on any error remove the empty ones that were created."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):  # not empty, or never created
                each.rmdir()
        raise
