"""Errors while a catalogue is read: refusals of the system, and damaged or foreign files.

A refusal of the system is never reported as a damaged file.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from deepbench_torch.storage.refusals import REMEDIES, remedy_of

# raised by h5py, yaml and Python on a file that only looks like a catalogue
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
    """Name the file in every error while it is read.

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
        raise MemoryError(f"{str(path)!r}: {REMEDIES[errno.ENOMEM].reading}") from error
    except _FOREIGN as error:
        number = refusal(error)
        if number is not None:
            raise _refused(number, path, error=error) from error
        if isinstance(error, OSError) and repr(str(path)) in str(error):
            raise
        raise ValueError(
            f"{str(path)!r} is not a catalogue written by deepbench_torch ({_words(error)}); "
            "if it should be one, write it again"
        ) from error


def refusal(error: BaseException) -> int | None:
    """Return the error number of a refusal of the system; None if it is another error.

    After a file is open, HDF5 reports the number in its text only.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    number = re.search(r"\berrno = ([1-9]\d*)", str(error))
    return int(number[1]) if number else None


def _refused(number: int, path: Path, *, error: BaseException) -> OSError:
    """Return the error of a number in the class that Python has for it, with its remedy."""
    if isinstance(error, OSError) and str(error.strerror).startswith("cannot read it"):
        return error  # by an inner `reading`
    remedy = remedy_of(number).reading
    named = re.search(r"name = '([^']+)', .*errno = ", str(error), re.DOTALL)  # by HDF5: a shard
    name = error.filename if isinstance(error, OSError) and error.filename else path
    name = named[1] if named else name
    return OSError(number, f"cannot read it ({os.strerror(number)}); {remedy}", str(name))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
