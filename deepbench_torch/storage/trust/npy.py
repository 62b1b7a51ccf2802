"""Trust in NumPy files: an array of known type and shape, mapped into memory, never unpickled."""

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust.files import refused, regular_file


def mapped_array(
    path: Path, shape: tuple[int, ...], dtype: "np.dtype[Any]"
) -> "np.ndarray[Any, np.dtype[Any]]":
    """Return the array of a file, read-only and mapped into memory.

    Raises:
        ValueError: If the file is not an array of this shape and type, or has another length.
    """
    size = regular_file(path)
    with reading(path), path.open("rb") as file:
        found, fortran, kind = _header(file, path)
        offset = file.tell()
    if kind.hasobject or (found, fortran, kind) != (shape, False, dtype):
        raise refused(path, f"an array {shape} of {dtype}", f"{found} of {kind}")
    expected = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size != expected:
        raise refused(path, f"{expected:,} bytes", f"{size:,}")
    with reading(path):
        return np.asarray(np.memmap(path, dtype, "r", offset, shape))


def _header(file: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    """Return the shape, the order and the type in the header of a file."""
    try:
        if npy.read_magic(file) == (1, 0):
            return npy.read_array_header_1_0(file)
    except OSError:
        raise
    except Exception as error:  # NumPy reads the header as Python's literals: SyntaxError and more
        got = f"{type(error).__name__}: {error}".splitlines()[0]
        raise refused(path, "a header of NumPy's format", got) from None
    raise refused(path, "a header of NumPy's format", "another version than 1.0")
