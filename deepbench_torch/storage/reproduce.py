"""reproduce(): generate a stored catalogue again from its metadata and compare."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepbench_torch.recipes.paths import files_in, user_path
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.hdf5.header import read_header
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust import inside
from deepbench_torch.storage.work.chunks import Array

BLOCK = 1 << 20  # bytes compared together
MOST_FAULTS = 3  # differences that an error names


class Reproduction(NamedTuple):
    """Result of a comparison.

    Attributes:
        path: Catalogue that was generated again.
        files: Number of compared files.
        same: Equal part of the files: "bytes", or "pixels" of JPEG and FITS files.
    """

    path: Path
    files: int
    same: str


def reproduce(
    path: str | Path,
    *,
    output: str | Path | None = None,
    workers: int = 0,
    overwrite: bool = False,
    progress: bool = False,
) -> Reproduction:
    """Generate a stored catalogue again from its recipe and seed, and compare the two.

    Args:
        path: A file or folder that `materialize` wrote, of any format.
        output: Path to keep the new catalogue at; None to delete it.
        workers: Local processes that make the rows; 0 for this one.
        overwrite: Whether `output` may be replaced.
        progress: Whether to show a progress bar.

    Returns:
        Result of the comparison: identical bytes of h5 and npy, identical pixels of jpeg and fits.

    Raises:
        FileNotFoundError: If there is no such catalogue.
        ValueError: If it is not what its recipe and seed make; naming the first differences.
    """
    stored = describe(path)
    with tempfile.TemporaryDirectory(prefix="deepbench-torch-") as temporary:
        target = (
            Path(temporary) / stored.path.resolve().name if output is None else user_path(output)
        )
        with _on_the_day(stored.attributes["date"]):
            materialize(
                stored.catalogue(),
                target,
                format=stored.format,  # type: ignore[arg-type]
                workers=workers,
                overwrite=overwrite,
                progress=progress,
                **stored.options,
            )
        pairs = list(_pairs(stored, target))
        faults = [fault for pair in pairs for fault in _difference(*pair, stored)]
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise ValueError(
            f"{str(stored.path)!r} is not what its recipe and seed make: "
            f"{'; '.join(faults[:MOST_FAULTS])}{more}; write it again"
        )
    return Reproduction(stored.path, len(pairs), FORMATS[stored.format].same)


def _pairs(stored: Description, made: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file of a catalogue with the one generated again; either may be missing."""
    if stored.path.is_dir():
        names = {
            file.relative_to(folder) for folder in (stored.path, made) for file in files_in(folder)
        }
        for name in sorted(names):
            yield inside(stored.path, name.as_posix()), made / name
        return
    old, new = read_header(stored.path), read_header(made)
    if old.shards is None or new.shards is None:
        yield stored.path, made
        return
    for number in range(len(old.shards.checksums)):
        yield old.shards.file(number, old.rows), new.shards.path(number, new.rows)


def _difference(old: Path, new: Path, stored: Description) -> Iterator[str]:
    """Yield the difference of two files, if any."""
    if not old.is_file() or not new.is_file():
        yield f"{old.name} is {'missing' if new.is_file() else 'none of its files'}"
        return
    offset = _first_difference(old, new)
    if offset is None:
        return
    read_row, suffix = FORMATS[stored.format].read_row, FORMATS[stored.format].row_suffix
    if read_row is None or old.suffix != suffix:
        yield f"{old.name} differs from byte {offset} on"
    elif not _equal(old, new, read=lambda path: read_row(path, stored.recipe)):
        yield f"{old.name} differs in its pixels"


def _first_difference(old: Path, new: Path) -> int | None:
    """Return the offset of the first byte that differs, or None."""
    offset = 0
    with reading(old), old.open("rb") as left, new.open("rb") as right:
        while one := left.read(BLOCK):
            other = right.read(BLOCK)
            if one != other:
                pairs = enumerate(zip(one, other, strict=False))
                shorter = min(len(one), len(other))
                return offset + next((n for n, (a, b) in pairs if a != b), shorter)
            offset += len(one)
        return offset if right.read(1) else None


def _equal(old: Path, new: Path, *, read: Callable[[Path], Array]) -> bool:
    """Return whether two files of a row hold the same pixels; a damaged file does not."""
    try:
        return np.array_equal(read(old), read(new))
    except ValueError:
        return False


@contextmanager
def _on_the_day(date: str) -> Iterator[None]:
    """Write files with a given date, by the environment variable SOURCE_DATE_EPOCH."""
    kept = os.environ.get("SOURCE_DATE_EPOCH")
    day = datetime.fromisoformat(date).replace(tzinfo=UTC)
    os.environ["SOURCE_DATE_EPOCH"] = str(int(day.timestamp()))
    try:
        yield
    finally:
        if kept is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = kept
