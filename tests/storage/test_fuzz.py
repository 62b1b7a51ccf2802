"""Damaged files: an error of ours that names the file, or the right rows; never anything else."""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.storage.hdf5.checksum import CHECKSUM_BYTES, append_checksum

ROWS = 12


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("astro", size=ROWS, seed=3, image_size=5)


def flip(content: bytearray, rng: random.Random) -> None:
    """Change some bits."""
    for _ in range(rng.choice((1, 1, 2, 50))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def truncate(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)) :]


def append(content: bytearray, rng: random.Random) -> None:
    content += rng.randbytes(rng.choice((1, 64, 5000)))


def zero(content: bytearray, rng: random.Random) -> None:
    """Blank a block, as a disk that lost it."""
    start = rng.randrange(len(content) - 1)
    length = min(rng.choice((1, 512, 4096)), len(content) - start)
    if not any(content[start : start + length]):
        content[0] ^= 1
    content[start : start + length] = bytes(length)


def swap(content: bytearray, rng: random.Random) -> None:
    """Exchange two blocks."""
    length = 256
    first = rng.randrange(len(content) // 2 - length)
    second = rng.randrange(len(content) // 2, len(content) - length)
    one, other = content[first : first + length], content[second : second + length]
    if one == other:
        content[0] ^= 1
    content[first : first + length], content[second : second + length] = other, one


def replace(content: bytearray, rng: random.Random) -> None:
    """Something else altogether."""
    content[:] = rng.choice((b"", b"not HDF5", rng.randbytes(3000), b"\x89HDF\r\n\x1a\n"))


BYTES: list[Callable[[bytearray, random.Random], None]] = [
    flip, truncate, append, zero, swap, replace,
]  # fmt: skip


def all_datasets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if "shape" in dir(item) else None)
    return names


def miss(file: h5py.File, rng: random.Random) -> None:
    """Lose a dataset."""
    del file[rng.choice(all_datasets(file))]


def retype(file: h5py.File, rng: random.Random) -> None:
    """Hold a dataset of another type."""
    name = rng.choice(["image", "label"])
    values = file[name][:]
    del file[name]
    file[name] = values.astype(rng.choice(["f8", "i2", "S4", "c16"]))


def reshape(file: h5py.File, rng: random.Random) -> None:
    """Hold a dataset of an absurd shape, or none at all."""
    name = rng.choice(["image", "label"])
    del file[name]
    shape = rng.choice([(1 << 40, 1, 5, 5), (0,), (ROWS,), (ROWS, 1, 5), (ROWS - 1, 1, 5, 5), ()])
    if len(shape) > 1 and shape[0] > ROWS:
        file.create_dataset(name, shape, np.float32, chunks=(1, 1, 5, 5))
    elif name == "label" and shape == (ROWS,):
        file.create_group(name)
    else:
        file.create_dataset(name, shape, np.float32)


def alter(file: h5py.File, rng: random.Random) -> None:
    """Say something else of itself."""
    name = rng.choice(["recipe", "digest", "seed", "size", "split", "complete", "sha256",
                       "generator_version", "format_version", "tables_sha256"])  # fmt: skip
    absurd: list[Any] = [-1, 1 << 62, 0.5, "", "x", [1, 2], np.nan, b"\xff", "[" * 2000, "a: [b"]
    file.attrs[name] = rng.choice(absurd)


def forget(file: h5py.File, rng: random.Random) -> None:
    """Say less of itself."""
    del file.attrs[rng.choice(["recipe", "digest", "seed", "size", "split", "complete", "sha256",
                               "generator_version", "format_version"])]  # fmt: skip


def pretend(file: h5py.File, rng: random.Random) -> None:
    """Have shards that are not there."""
    file.attrs["shard_rows"] = rng.choice([0, -3, 5, 1 << 40])
    file.attrs["shard_folder"] = rng.choice(["nowhere", "/etc", ""])
    file["shards/offset"] = np.zeros((3, 2), np.int64)
    file["shards/seal"] = np.array(["0" * 64] * 3, dtype="S64")


HDF5: list[Callable[[h5py.File, random.Random], None]] = [
    miss, retype, reshape, alter, forget, pretend,
]  # fmt: skip


def damage(path: Path, whole: bytes, number: int) -> str:
    """Damage a file in the way of a number; where HDF5 has one, the checksum is computed again."""
    rng = random.Random(number)  # noqa: S311
    if number % 2:
        content = bytearray(whole)
        change = BYTES[number // 2 % len(BYTES)]
        change(content, rng)
        path.write_bytes(content)
        return change.__name__
    path.write_bytes(whole[:-CHECKSUM_BYTES])
    alteration = HDF5[number // 2 % len(HDF5)]
    with h5py.File(path, "r+") as file:
        alteration(file, rng)
    if rng.random() < 0.7:
        append_checksum(path)
    return alteration.__name__


def fuzz(count: int, catalogue: db.Catalogue, folder: Path) -> Counter[str]:
    """Damage a file in so many ways and count, by the way, those that were refused."""
    path = db.materialize(catalogue, folder / "a.h5", progress=False)
    whole, refused = path.read_bytes(), Counter[str]()
    every = list(range(ROWS))
    expected = catalogue.__getitems__(every)
    for number in range(count):
        way = damage(path, whole, number)
        try:
            rows = db.StoredCatalogue(path, verify=True).__getitems__(every)
        except ValueError as error:
            refused[way] += 1
            printed = str(error)
        else:
            printed = str(path)
            same = zip(rows, expected, strict=True)
            assert all(torch.equal(a[0], b[0]) and a[1] == b[1] for a, b in same), (number, way)
            assert way == "alter", (number, way)
        assert str(path) in printed, (number, way, printed)
        os.unlink(path)
    return refused


def test_five_hundred_damaged_files(catalogue: db.Catalogue, tmp_path: Path) -> None:
    refused = fuzz(500, catalogue, tmp_path)
    assert set(refused) == {change.__name__ for change in (*BYTES, *HDF5)}
    assert sum(refused.values()) >= 490
