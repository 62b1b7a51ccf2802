"""Faults while reading: what the system refuses apart from what a file holds.

A refusal of the system says nothing of the metadata, so it is never reported as a damaged file.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

_RIGHTS = "ask its owner for the permission to read it, or read a copy of your own"
_LOCKED = (
    "another program has it open for writing; close it there, or wait for it, and try again; on a "
    "file system without locks set HDF5_USE_FILE_LOCKING=FALSE"
)
_FILES = (
    "too many files are open; close some, use fewer workers, or raise the limit with `ulimit -n`"
)
_DISK = "the disk or the network failed; check it, then try again or read a copy"
REMEDIES: dict[int, str] = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EAGAIN: _LOCKED,
    errno.EBUSY: _LOCKED,
    errno.ENOLCK: _LOCKED,
    errno.ETXTBSY: _LOCKED,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: "memory is short; close other programs, or read fewer rows together",
    errno.ESTALE: "the file server replaced or lost it; open it again, or mount the server again",
    errno.EIO: _DISK,
    errno.ENXIO: _DISK,
    errno.ENODEV: _DISK,
    errno.ETIMEDOUT: _DISK,
    errno.ENOTCONN: _DISK,
    errno.EHOSTDOWN: _DISK,
    errno.EHOSTUNREACH: _DISK,
    errno.EISDIR: "it is a folder; give the path of a file",
    errno.ENOTDIR: "a part of its path is a file; correct the path",
    errno.ELOOP: "its symbolic links lead in a circle; correct them",
    errno.ENAMETOOLONG: "the name is too long for the file system; correct the path",
}
# what h5py, yaml and Python raise on a file that only looks like ours
_FOREIGN = (
    OSError,
    LookupError,
    RuntimeError,
    TypeError,
    AttributeError,
    ArithmeticError,
    yaml.YAMLError,
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    Raises:
        OSError: If the system refuses it: of the same class, with its number and the remedy.
        MemoryError: If there is too little memory.
        ValueError: If the file is damaged, or is not a catalogue of this package.
    """
    try:
        yield
    except ValueError as error:
        if str(path) in str(error) or repr(str(path)) in str(error):
            raise
        raise ValueError(f"{str(path)!r} is damaged: {error}; write it again") from error
    except MemoryError as error:
        raise MemoryError(f"{str(path)!r}: {REMEDIES[errno.ENOMEM]}") from error
    except _FOREIGN as error:
        number = refusal(error)
        if number is not None:
            raise _refused(number, path, error) from error
        if isinstance(error, OSError) and repr(str(path)) in str(error):
            raise
        raise ValueError(
            f"{str(path)!r} is not a catalogue written by deepbench_torch ({_words(error)}); "
            "if it should be one, write it again"
        ) from error


def refusal(error: BaseException) -> int | None:
    """Return the number of what the system refused, or None if it refused nothing.

    HDF5 puts the number into its text where the fault lies deeper than in opening a file.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    told = re.search(r"\berrno = ([1-9]\d*)", str(error))
    return int(told[1]) if told else None


def _refused(number: int, path: Path, error: BaseException) -> OSError:
    """Return the error of a number in the class that Python has for it, with its remedy."""
    if isinstance(error, OSError) and str(error.strerror).startswith("cannot read it"):
        return error  # reported within
    remedy = REMEDIES.get(number, "see what the system says of this path, and try again")
    named = re.search(r"name = '([^']+)', .*errno = ", str(error), re.DOTALL)  # by HDF5: a shard
    name = error.filename if isinstance(error, OSError) and error.filename else path
    name = named[1] if named else name
    return OSError(number, f"cannot read it ({os.strerror(number)}); {remedy}", str(name))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
