"""reproduce(): making a stored catalogue again from what it says of itself, and comparing."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepbench_torch.paths import files_in, user_path
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.hdf5.header import read_header
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust import inside
from deepbench_torch.storage.work.chunks import Array

BLOCK = 1 << 20  # bytes compared at once
TOLD = 3  # differences that an error names


class Reproduction(NamedTuple):
    """A catalogue that was made again.

    Attributes:
        path: What was made again.
        files: How many files were compared.
        same: What about them is the same: "bytes", or "pixels" of JPEG and FITS files.
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
    """Make a stored catalogue again from its recipe and seed, and compare the two.

    Args:
        path: A file or folder that `materialize` wrote, of any format.
        output: Where to keep what is made; it is thrown away if None.
        workers: Local processes that make the rows; 0 for this one.
        overwrite: Whether `output` may be replaced.
        progress: Whether to show a progress bar.

    Returns:
        What was compared: identical bytes of h5 and npy, identical pixels of jpeg and fits.

    Raises:
        FileNotFoundError: If there is no such catalogue.
        ValueError: If it is not what its recipe and seed make; naming the first differences.
    """
    told = describe(path)
    with tempfile.TemporaryDirectory(prefix="deepbench-torch-") as temporary:
        target = Path(temporary) / told.path.resolve().name if output is None else user_path(output)
        with _on_the_day(told.attributes["date"]):
            materialize(
                told.catalogue(),
                target,
                format=told.format,  # type: ignore[arg-type]
                workers=workers,
                overwrite=overwrite,
                progress=progress,
                **told.options,
            )
        pairs = list(_pairs(told, target))
        faults = [fault for pair in pairs for fault in _difference(*pair, told)]
    if faults:
        more = f"; and {len(faults) - TOLD} more" if len(faults) > TOLD else ""
        raise ValueError(
            f"{str(told.path)!r} is not what its recipe and seed make: "
            f"{'; '.join(faults[:TOLD])}{more}; write it again"
        )
    return Reproduction(told.path, len(pairs), FORMATS[told.format].same)


def _pairs(told: Description, made: Path) -> Iterator[tuple[Path, Path]]:
    """The files of a catalogue, each with the one made again, whether they are there or not."""
    if told.path.is_dir():
        names = {
            file.relative_to(folder) for folder in (told.path, made) for file in files_in(folder)
        }
        for name in sorted(names):
            yield inside(told.path, name.as_posix()), made / name
        return
    old, new = read_header(told.path), read_header(made)
    if old.shards is None or new.shards is None:
        yield told.path, made
        return
    for number in range(len(old.shards.seals)):
        yield old.shards.file(number, old.rows), new.shards.path(number, new.rows)


def _difference(old: Path, new: Path, told: Description) -> Iterator[str]:
    """What two files differ in; nothing if they are the same."""
    if not old.is_file() or not new.is_file():
        yield f"{old.name} is {'missing' if new.is_file() else 'none of its files'}"
        return
    place = _first_difference(old, new)
    if place is None:
        return
    read_row, suffix = FORMATS[told.format].read_row, FORMATS[told.format].row_suffix
    if read_row is None or old.suffix != suffix:
        yield f"{old.name} differs from byte {place} on"
    elif not _equal(old, new, lambda path: read_row(path, told.recipe)):
        yield f"{old.name} differs in its pixels"


def _first_difference(old: Path, new: Path) -> int | None:
    """The first byte that differs, or None."""
    place = 0
    with reading(old), old.open("rb") as left, new.open("rb") as right:
        while one := left.read(BLOCK):
            other = right.read(BLOCK)
            if one != other:
                pairs = enumerate(zip(one, other, strict=False))
                shorter = min(len(one), len(other))
                return place + next((n for n, (a, b) in pairs if a != b), shorter)
            place += len(one)
        return place if right.read(1) else None


def _equal(old: Path, new: Path, read: Callable[[Path], Array]) -> bool:
    """Return whether two files of a row hold the same pixels; a damaged file does not."""
    try:
        return np.array_equal(read(old), read(new))
    except ValueError:
        return False


@contextmanager
def _on_the_day(date: str) -> Iterator[None]:
    """Write files as on a day, which they carry; it is said as builders say it."""
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
