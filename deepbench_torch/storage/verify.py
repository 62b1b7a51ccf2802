"""Verify a stored catalogue of any format: every byte or row against its checksums."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats import FORMATS
from deepbench_torch.storage.formats.folder import sha256
from deepbench_torch.storage.hdf5.checksum import verify_checksum
from deepbench_torch.storage.hdf5.header import (
    Header,
    check_exists,
    check_unlocked,
    opened,
    read_header,
)
from deepbench_torch.storage.hdf5.write import Sums
from deepbench_torch.storage.names import PARAMETERS, RECIPE
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.trust import inside, regular_file
from deepbench_torch.storage.work.chunks import Chunk, chunk_rows, ranges


def verified(path: str | Path) -> Description:
    """Return the metadata of a stored catalogue of any format, after checking all that it holds.

    The bytes of h5 and npy and the pixels of fits are checked against their checksums. JPEG files
    have lost some of what was generated: each is decoded, and `reproduce` compares its pixels.

    Raises:
        FileNotFoundError: If there is no catalogue.
        OSError: If the system refuses to read it.
        ValueError: If it is damaged, incomplete, or not a catalogue of this package.
    """
    path = user_path(path)
    check_exists(path)
    if not path.is_dir():
        _check_bytes(path)
    stored = describe(path)
    if stored.path.is_dir():
        _check_folder(stored)
    else:
        verified_header(stored.path)
    return stored


def verified_folder(path: str | Path) -> Description:
    """Return the metadata of a catalogue in a folder, after checking its files; see `verified`."""
    return verified(path)


def verified_header(path: str | Path) -> Header:
    """Return the metadata of an HDF5 file, after checking all that it holds.

    The file's bytes are checked before HDF5 reads them; then its rows and tables by their own
    checksums, or those of its shards.

    Raises:
        FileNotFoundError: If there is no file.
        OSError: If the system refuses to read it.
        ValueError: If any byte is not as it was written, or the file is not of this package.
    """
    path = user_path(path)
    check_exists(path)
    _check_bytes(path)
    header = read_header(path)
    for file, expected in _files(path, header):
        if expected is not None and _check_bytes(file) != expected:
            raise ValueError(
                f"{str(file)!r} is not the shard that {str(path)!r} was written with; write the "
                "catalogue again"
            )
        _check_sums(file, header)
    return header


def _check_bytes(path: Path) -> str:
    """Return the checksum of an HDF5 file, after checking its bytes."""
    regular_file(path)
    with reading(path):
        check_unlocked(path)
        return verify_checksum(path)


def _check_folder(stored: Description) -> None:
    """Check the files of a folder against their checksums, and every row."""
    sums = stored.attributes["files"]
    for name in sorted({RECIPE, PARAMETERS, *sums}):
        file = inside(stored.path, name)
        regular_file(file)
        with reading(file):
            found = sha256(file)
        if found != sums.get(name):
            raise ValueError(
                f"{str(file)!r} is not as it was written, by its checksum; write the catalogue "
                "again"
            )
    form, digest = FORMATS[stored.format], hashlib.sha256()
    rows = form.open(stored)
    for chunk in ranges(range(len(stored.rows)), chunk_rows(stored.recipe)):
        digest.update(rows.read(np.arange(chunk.start, chunk.stop))[0].data)
    if form.exact and digest.hexdigest() != stored.checksum:
        raise ValueError(
            f"{str(stored.path)!r} is damaged: its rows are not those that were written, by their "
            "checksum; write it again"
        )


def _files(path: Path, header: Header) -> Iterator[tuple[Path, str | None]]:
    """Yield the files that hold rows, and the checksum that the catalogue has of each."""
    if header.shards is None:
        yield path, None
        return
    for number, expected in enumerate(header.shards.checksums):
        yield header.shards.file(number, header.rows), expected


def _check_sums(path: Path, header: Header) -> None:
    sums, content = Sums(), header.recipe.content
    with opened(path) as file:
        tables: list[str] = []
        file.visititems(
            lambda name, item: tables.append(name) if isinstance(item, h5py.Dataset) else None
        )
        tables.remove(content)
        for rows in ranges(range(len(file[content])), chunk_rows(header.recipe)):
            chunk = slice(rows.start, rows.stop)
            sums.update(Chunk(file[content][chunk], {name: file[name][chunk] for name in tables}))
        expected = (file.attrs["sha256"], file.attrs["tables_sha256"])
    for found, wanted, what in zip(
        (sums.data(), sums.tables()), expected, ("rows", "tables"), strict=True
    ):
        if found != wanted:
            raise ValueError(
                f"{str(path)!r} is damaged: its {what} are not those that were written, by their "
                "checksum; write it again"
            )
