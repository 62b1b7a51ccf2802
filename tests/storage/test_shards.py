"""Shards, single files and any writer: the same rows and the same bytes."""

import hashlib
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.storage import metadata, read_header
from deepbench_torch.storage.hdf5 import shards
from deepbench_torch.storage.hdf5.checksum import append_checksum
from deepbench_torch.storage.work import chunks


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("star", size=50, seed=2, image_size=(6, 9))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten rows, so that a catalogue of fifty is resumable."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10 * 6 * 9 * 4)


def write(catalogue: db.Catalogue, path: Path, **options: Any) -> Path:
    return db.materialize(catalogue, path, progress=False, **options)


def bytes_of(folder: Path) -> dict[str, str]:
    """The checksum of every file in a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("shard_rows", [None, 7, 50, 49])
def test_rows_are_the_same_in_shards(
    shard_rows: int | None, compression: Any, catalogue: db.Catalogue, tmp_path: Path
) -> None:
    path = write(catalogue, tmp_path / "a.h5", shard_rows=shard_rows, compression=compression)
    stored = db.StoredCatalogue(path, verify=True)
    assert (read_header(path).shards is None) == (shard_rows in (None, 50))
    for places in ([*range(50)], [3, 3, 49, 0, 7, 6, 6, 21], [20, 21, 22], [44], [-1, -50], []):
        for (image, label), (again, kept) in zip(
            catalogue.__getitems__(places), stored.__getitems__(places), strict=True
        ):
            assert torch.equal(image, again)
            assert label == kept
    there = pickle.loads(pickle.dumps(stored))  # noqa: S301
    assert torch.equal(there[17][0], catalogue[17][0])


def test_a_split_in_shards(tmp_path: Path) -> None:
    val = db.Catalogue("star", size=50, split="val", image_size=4)
    stored = db.StoredCatalogue(write(val, tmp_path / "val.h5", shard_rows=4), verify=True)
    assert torch.equal(stored[9][0], val[9][0])
    names = [path.name for path in next(tmp_path.glob("val.h5.*.shards")).iterdir()]
    assert sorted(names)[0] == "000000000030-000000000034.h5"


def test_shards_read_without_this_package(
    catalogue: db.Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: h5py alone, from another folder, after both were moved."""
    write(catalogue, tmp_path / "a" / "a.h5", shard_rows=20)
    shutil.move(tmp_path / "a", tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    sample = db.generate(catalogue.recipe, 2, torch.arange(50))
    assert isinstance(sample, db.Sample)
    with h5py.File("b/a.h5") as file:
        assert np.array_equal(file["image"][:], sample.image.numpy())
        assert np.array_equal(file["label"][:], sample.label.numpy())
        gamma = file["parameters/star/gamma"]
        assert np.array_equal(gamma[:], sample.scene["star"]["gamma"].numpy())
        assert gamma.attrs["unit"] == "pixel"
        assert file.attrs["complete"]
    assert torch.equal(db.StoredCatalogue("b/a.h5")[31][0], catalogue[31][0])


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("shard_rows", [None, 20])
def test_whatever_makes_a_file_it_is_the_same_bytes(
    shard_rows: int | None,
    catalogue: db.Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    with ThreadPoolExecutor(2) as threads:
        ways: list[dict[str, Any]] = [{}, {"workers": 2}, {"executor": threads}]
        for number, way in enumerate(ways):
            folder = tmp_path / str(number)
            write(catalogue, folder / "a.h5", shard_rows=shard_rows, **way)
            made.append(bytes_of(folder))
    assert made[0] == made[1] == made[2]
    assert len(made[0]) == (1 if shard_rows is None else 4)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1 << 22)  # nor how it was parted
    write(catalogue, tmp_path / "3" / "a.h5", shard_rows=shard_rows)
    assert bytes_of(tmp_path / "3") == made[0]


def test_the_size_decides_about_shards(
    catalogue: db.Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SINGLE_BYTES", 40 * 6 * 9 * 4)
    monkeypatch.setattr(shards, "SHARD_BYTES", 30 * 6 * 9 * 4)
    header = read_header(write(catalogue, tmp_path / "a.h5"))
    assert header.shards is not None
    assert header.shards.rows == 30


def test_the_day_is_that_of_the_environment(
    catalogue: db.Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    path = write(catalogue, tmp_path / "a.h5")
    assert read_header(path).attributes["date"] == "2001-09-09"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "now")
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH must be seconds since 1970, got 'now'"):
        write(catalogue, tmp_path / "b.h5")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert len(metadata.today()) == 10


def test_replaced_shards_are_taken_away(catalogue: db.Catalogue, tmp_path: Path) -> None:
    path = write(catalogue, tmp_path / "a.h5", shard_rows=20)
    before = set(os.listdir(tmp_path))
    write(db.Catalogue("star", size=40, image_size=4), path, shard_rows=9, overwrite=True)
    after = set(os.listdir(tmp_path))
    assert len(after) == 2
    assert before & after == {"a.h5"}
    write(catalogue, path, overwrite=True)
    assert os.listdir(tmp_path) == ["a.h5"]


def test_a_damaged_shard_is_found_and_written_again(
    catalogue: db.Catalogue, tmp_path: Path
) -> None:
    path = write(catalogue, tmp_path / "a.h5", shard_rows=20)
    whole = bytes_of(tmp_path)
    shard = next(tmp_path.glob("*.shards")) / "000000000020-000000000040.h5"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 4
    shard.write_bytes(content)
    with pytest.raises(ValueError, match=f"{shard.name}' is damaged: its bytes are not those"):
        db.StoredCatalogue(path, verify=True)
    write(catalogue, path, shard_rows=20, overwrite=True)
    assert bytes_of(tmp_path) == whole
    # a whole file, but not the one that belongs here
    shutil.copy(shard.with_name("000000000000-000000000020.h5"), shard)
    with pytest.raises(ValueError, match=r"is not the shard that .* was written with"):
        db.StoredCatalogue(path, verify=True)
    write(catalogue, path, shard_rows=20, overwrite=True)
    assert bytes_of(tmp_path) == whole
    shard.unlink()
    with pytest.raises(ValueError, match=r"is missing, a shard of .*a.h5"):
        db.StoredCatalogue(path, verify=True)
    dataset = db.StoredCatalogue(path)
    assert torch.equal(dataset[0][0], catalogue[0][0])
    with pytest.raises(
        ValueError, match=f"{shard.name}' is missing, a shard of .*write the catalogue ag"
    ):
        dataset[25]


def test_shards_that_are_there_need_no_room(
    catalogue: db.Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that took them all is full: the call that resumes with them is not refused."""
    path = write(catalogue, tmp_path / "a.h5", shard_rows=20)
    whole = bytes_of(tmp_path)
    path.unlink()
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(OSError, match=r"GB of data, .* GB free"):
        write(catalogue, tmp_path / "b.h5", shard_rows=20)
    write(catalogue, path, shard_rows=20)
    assert bytes_of(tmp_path) == whole


def test_a_shard_alone_is_no_catalogue(catalogue: db.Catalogue, tmp_path: Path) -> None:
    write(catalogue, tmp_path / "a.h5", shard_rows=20)
    shard = next(tmp_path.glob("*.shards/*.h5"))
    with pytest.raises(ValueError, match="is one shard of a catalogue; open the file beside"):
        db.StoredCatalogue(shard)


@pytest.mark.parametrize(
    ("name", "message"), [("image", "its rows are not those"), ("label", "its tables are not")]
)
def test_contents_have_checksums_of_their_own(
    name: str, message: str, catalogue: db.Catalogue, tmp_path: Path
) -> None:
    """Oracle: a changed file whose last line was written again."""
    path = write(catalogue, tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file[name][7] += 1
    append_checksum(path)
    with pytest.raises(ValueError, match=message):
        db.StoredCatalogue(path, verify=True)


def test_shard_rows_must_be_positive(catalogue: db.Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shard_rows must be None or positive, got 0"):
        write(catalogue, tmp_path / "a.h5", shard_rows=0)
