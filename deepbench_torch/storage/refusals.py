"""Refusals of the operating system while files are read or written, each with its remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Remedy(NamedTuple):
    """Remedy of one refusal: while a catalogue is read, and while it is written."""

    reading: str = "check the path and try again"
    writing: str = "choose a path in a folder that can be written"


_PERMISSION = Remedy(
    "ask its owner for the permission to read it, or read a copy of your own",
    "get write permission for the folder from its owner, or choose another folder",
)
_LOCKED = (
    "another program has it open for writing; close it there, or wait for it, and try again; on a "
    "file system without locks set HDF5_USE_FILE_LOCKING=FALSE"
)
_IN_USE = Remedy(_LOCKED, "close the program that uses it and repeat the call")
_FILES = (
    "too many files are open; close some, use fewer workers, or raise the limit with `ulimit -n`"
)
_DISK = Remedy(
    "the disk or the network failed; check it, then try again or read a copy",
    "check the disk or the network, or choose a folder on another disk",
)
REMEDIES: dict[int, Remedy] = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EAGAIN: Remedy(_LOCKED, "close the program that has it open and repeat the call"),
    errno.EBUSY: _IN_USE,
    errno.ETXTBSY: _IN_USE,
    errno.ENOLCK: Remedy(
        _LOCKED, "the folder supports no locks, so choose a folder on another disk"
    ),
    errno.EMFILE: Remedy(_FILES, "close files, or raise the limit of open files with `ulimit -n`"),
    errno.ENFILE: Remedy(_FILES, "close programs, because the system has too many open files"),
    errno.ENOMEM: Remedy(
        "memory is short; close other programs, or read fewer rows together",
        "close other programs, or use fewer workers, because memory is short",
    ),
    errno.ESTALE: Remedy(
        "the file server replaced or lost it; open it again, or mount the server again",
        "mount the network folder again and repeat the call; finished rows are kept",
    ),
    errno.EIO: _DISK,
    errno.ENXIO: _DISK,
    errno.ENODEV: _DISK,
    errno.ETIMEDOUT: _DISK,
    errno.ENOTCONN: _DISK,
    errno.EHOSTDOWN: _DISK,
    errno.EHOSTUNREACH: _DISK,
    errno.EISDIR: Remedy(
        "it is a folder; give the path of a file",
        "a folder has this name; choose another path",
    ),
    errno.ENOTDIR: Remedy(
        "a part of its path is a file; correct the path",
        "a file is in the way; choose a path in a folder that can be written",
    ),
    errno.ELOOP: Remedy(
        "its symbolic links form a circle; correct them",
        "the symbolic link leads to itself, so correct it or choose another path",
    ),
    errno.ENAMETOOLONG: Remedy(
        "the name is too long for the file system; correct the path",
        "choose a name of at most 255 bytes and a shorter path",
    ),
    errno.EROFS: Remedy(writing="the disk is read-only, so choose a folder on another one"),
    errno.ENOSPC: Remedy(writing="free some space, or choose a path in a folder that has room"),
    errno.EDQUOT: Remedy(
        writing="delete files until the quota has room, or choose a folder outside of it"
    ),
    errno.EFBIG: Remedy(
        writing="raise the limit of file sizes, or choose a path in a folder that has room"
    ),
    errno.ENOENT: Remedy(),
    errno.EXDEV: Remedy(writing="a disk is mounted there; choose a path in one folder of one disk"),
}


def remedy_of(number: int) -> Remedy:
    """Return the remedy of an error number of the system."""
    return REMEDIES.get(number, Remedy())


@contextmanager
def writing(path: Path, what: str = "the catalogue") -> Iterator[None]:
    """Add to an error of the system what was being written, and the remedy.

    Args:
        path: The file or folder that is written.
        what: The noun for it.

    Raises:
        OSError: The error of the same class and number; errors of this package stay as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        remedy = remedy_of(error.errno).writing
        words = f"cannot write {what} ({error.strerror or error}); {remedy}"
        if error.filename not in (None, str(path), path) and error.filename2 is None:
            words = f"cannot write {what} ({error.strerror}: {error.filename!r}); {remedy}"
        raise OSError(error.errno, words, str(path)) from error
