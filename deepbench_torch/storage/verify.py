"""Verifying a stored catalogue: every byte against its checksums."""

from collections.abc import Iterator
from pathlib import Path

import h5py

from deepbench_torch.paths import user_path
from deepbench_torch.storage.hdf5 import Sums
from deepbench_torch.storage.header import Header, check_exists, opened, read_header
from deepbench_torch.storage.parts import Part, part_rows, ranges
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.seal import check_seal
from deepbench_torch.storage.trust import regular_file


def verified_header(path: str | Path) -> Header:
    """What a stored catalogue says of itself, after checking all that it holds.

    The file's bytes are checked before HDF5 reads them; then its rows and tables by their own
    checksums, or those of its shards.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If any byte is not as it was written, or the file is none of ours; it names it.
    """
    path = user_path(path)
    check_exists(path)
    regular_file(path)
    with reading(path):
        check_seal(path)
    header = read_header(path)
    for file, told in _files(path, header):
        with reading(file):
            found = None if told is None else check_seal(file)
        if found != told:
            raise ValueError(
                f"{str(file)!r} is not the shard that {str(path)!r} was written with; write the "
                "catalogue again"
            )
        _check_sums(file, header)
    return header


def _files(path: Path, header: Header) -> Iterator[tuple[Path, str | None]]:
    """The files that hold rows, and what seal the catalogue says they have."""
    if header.shards is None:
        yield path, None
        return
    for number, told in enumerate(header.shards.seals):
        yield header.shards.file(number, header.rows), told


def _check_sums(path: Path, header: Header) -> None:
    sums, content = Sums(), header.recipe.content
    with opened(path) as file:
        tables: list[str] = []
        file.visititems(
            lambda name, item: tables.append(name) if isinstance(item, h5py.Dataset) else None
        )
        tables.remove(content)
        for rows in ranges(range(len(file[content])), part_rows(header.recipe)):
            part = slice(rows.start, rows.stop)
            sums.update(Part(file[content][part], {name: file[name][part] for name in tables}))
        told = (file.attrs["sha256"], file.attrs["tables_sha256"])
    for found, expected, what in zip(
        (sums.data(), sums.tables()), told, ("rows", "tables"), strict=True
    ):
        if found != expected:
            raise ValueError(
                f"{str(path)!r} is damaged: its {what} are not those that were written, by their "
                "checksum; write it again"
            )
