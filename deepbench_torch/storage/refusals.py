"""Refusals of the operating system while files are written: each with its remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_PERMISSION = "get write permission for the folder from its owner, or choose another folder"
REMEDIES = {
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: "the disk is read-only, so choose a folder on another one",
    errno.ENOSPC: "free some space, or choose a path in a folder that has room",
    errno.EDQUOT: "delete files until the quota has room, or choose a folder outside of it",
    errno.EFBIG: "raise the limit of file sizes, or choose a path in a folder that has room",
    errno.EMFILE: "close files, or raise the limit of open files with `ulimit -n`",
    errno.ENFILE: "close programs, because the system has too many open files",
    errno.ESTALE: "mount the network folder again and repeat the call; finished rows are kept",
    errno.EIO: "check the disk, or choose a folder on another one",
    errno.ENAMETOOLONG: "choose a name of at most 255 bytes and a shorter path",
    errno.EBUSY: "close the program that uses it and repeat the call",
    errno.ETXTBSY: "close the program that uses it and repeat the call",
    errno.EAGAIN: "close the program that has it open and repeat the call",
    errno.ENOLCK: "the folder supports no locks, so choose a folder on another disk",
    errno.ELOOP: "the symbolic link leads to itself, so correct it or choose another path",
    errno.ENOTDIR: "a file is in the way; choose a path in a folder that can be written",
    errno.ENOENT: "choose a path in a folder that can be written",
    errno.EXDEV: "a disk is mounted there; choose a path in one folder of one disk",
}


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
        remedy = REMEDIES.get(error.errno, "choose a path in a folder that can be written")
        words = f"cannot write {what} ({error.strerror or error}); {remedy}"
        if error.filename not in (None, str(path), path) and error.filename2 is None:
            words = f"cannot write {what} ({error.strerror}: {error.filename!r}); {remedy}"
        raise OSError(error.errno, words, str(path)) from error
