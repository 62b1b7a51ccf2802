"""A refusal of the operating system is reported as that, with its remedy; never as damage."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import pytest

import deepbench_torch as db
from deepbench_torch.storage import describe, reproduce, verified, verified_header
from deepbench_torch.storage.reading import reading
from deepbench_torch.storage.refusals import REMEDIES

WAYS: dict[str, dict[str, Any]] = {
    "h5": {"format": "h5"},
    "gzip": {"format": "h5", "compression": "gzip"},
    "shards": {"format": "h5", "shard_rows": 3},
    "npy": {"format": "npy"},
    "jpeg": {"format": "jpeg"},
    "fits": {"format": "fits"},
}
each_way = pytest.mark.parametrize("way", WAYS)
USES: dict[str, Callable[[Path], object]] = {
    "open": db.StoredCatalogue,
    "describe": describe,
    "verified": verified,
    "rows": lambda path: list(db.StoredCatalogue(path)),
}


@contextmanager
def another_user() -> Iterator[None]:
    """Act as a user who owns nothing."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def no_more_files() -> Iterator[None]:
    """Allow no file to be opened."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as last:  # its number is the lowest that is free
        number = last.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def write(folder: Path, way: str) -> Path:
    made = db.Catalogue("astro", size=6, image_size=8)
    path = folder / ("c.h5" if WAYS[way]["format"] == "h5" else "c")
    return db.materialize(made, path, progress=False, **WAYS[way])


def files_of(path: Path, way: str) -> list[Path]:
    """The files of a catalogue that reading it opens."""
    if way == "shards":
        return [path, *path.parent.glob("*.shards/*.h5")]
    unread = {"parameters.csv"} | ({"labels.csv"} if way == "npy" else set())
    inside = [file for file in path.rglob("*") if file.is_file() and file.name not in unread]
    return [path] if path.is_file() else inside


@each_way
def test_a_file_open_for_writing_elsewhere_is_said_to_be_that(way: str, tmp_path: Path) -> None:
    if WAYS[way]["format"] != "h5":
        return  # HDF5 alone has locks
    path = write(tmp_path, way)
    code = (
        f"import h5py, sys\nfile = h5py.File({str(path)!r}, 'r+')\nprint('open', flush=True)\n"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        uses: list[Callable[[Path], object]] = [
            db.StoredCatalogue, describe, verified, verified_header, reproduce,
        ]  # fmt: skip
        for use in uses:
            with pytest.raises(BlockingIOError, match="another program has it open") as caught:
                use(path)
            assert caught.value.errno == errno.EAGAIN
            assert caught.value.filename == str(path)
    finally:
        other.communicate()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@each_way
def test_a_file_of_another_user_is_said_to_be_that(way: str, tmp_path: Path) -> None:
    path = write(tmp_path, way)
    readable(tmp_path)
    for file in files_of(path, way):
        file.chmod(0o600)
        with another_user(), pytest.raises(PermissionError, match="ask its owner") as caught:
            verified(path)
        assert caught.value.errno == errno.EACCES
        assert caught.value.filename == str(file)
        assert "damaged" not in str(caught.value)
        file.chmod(0o644)


def readable(folder: Path) -> None:
    """Let other users into the folders of pytest."""
    for each in (folder, *folder.parents):
        if each.name.startswith(("pytest-", "popen-", folder.name)):
            each.chmod(0o755)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@each_way
def test_a_folder_of_another_user_is_said_to_be_that(way: str, tmp_path: Path) -> None:
    path = write(tmp_path / "mine", way)
    readable(tmp_path)
    (tmp_path / "mine").chmod(0o700)
    for use in USES.values():
        with another_user(), pytest.raises(PermissionError, match="ask its owner") as caught:
            use(path)
        assert caught.value.errno == errno.EACCES


@each_way
def test_too_many_open_files_are_said_to_be_that(way: str, tmp_path: Path) -> None:
    path = write(tmp_path, way)
    stored = db.StoredCatalogue(path)
    uses: list[Callable[[Path], object]] = [*USES.values(), lambda _: stored[0]]
    for use in uses:
        with no_more_files(), pytest.raises(OSError, match="ulimit -n") as caught:
            use(path)
        assert caught.value.errno == errno.EMFILE
    assert len(stored.__getitems__([0, 5])) == 2  # later reads succeed


@each_way
@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES, errno.ETIMEDOUT])
def test_what_opening_raises_keeps_its_class_and_number(
    number: int, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, way)
    opened = {"h5py": h5py.File, "open": Path.open}

    def fail(file: Any, *arguments: Any, **how: Any) -> Any:
        if str(file).startswith(str(tmp_path)):
            raise OSError(number, os.strerror(number), str(file))
        return opened["open"](file, *arguments, **how)

    monkeypatch.setattr(Path, "open", fail)
    monkeypatch.setattr(h5py, "File", fail)
    with pytest.raises(OSError, match="cannot read it") as caught:
        db.StoredCatalogue(path)
    assert type(caught.value) is type(OSError(number, ""))
    assert caught.value.errno == number
    assert REMEDIES[number].reading in str(caught.value)
    assert "damaged" not in str(caught.value)


def test_a_refusal_deep_in_hdf5_is_read_from_its_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk or the network failed") as caught, reading(tmp_path):
        raise RuntimeError("Can't read data (file read failed: errno = 5, error message = 'x')")
    assert caught.value.errno == errno.EIO


def test_short_memory_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="memory is short"), reading(tmp_path):
        raise MemoryError


@pytest.mark.parametrize("name", ["x" * 300, "file.h5/inside.h5", "loop.h5", "lost.h5"])
def test_paths_that_cannot_be(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.h5").write_text("a file")
    (tmp_path / "loop.h5").symlink_to(tmp_path / "loop.h5")
    (tmp_path / "lost.h5").symlink_to(tmp_path / "gone.h5")
    words = {"x" * 300: "too long", "loop.h5": "circle", "lost.h5": "symbolic link to"}
    for use in (db.StoredCatalogue, describe, verified):
        with pytest.raises(OSError, match=words.get(name, "there is no catalogue")):
            use(tmp_path / name)


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, "npy")
    (path / "images.npy").unlink()
    (path / "images.npy").mkdir()
    with pytest.raises(ValueError, match=r"images\.npy' .* expected a file, got a folder"):
        db.StoredCatalogue(path)[0]
    shards = write(tmp_path, "shards")
    shard = next(tmp_path.glob("*.shards/*.h5"))
    shard.unlink()
    shard.mkdir()
    with pytest.raises(ValueError, match="expected a file, got a folder"):
        list(db.StoredCatalogue(shards))
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(FileNotFoundError, match="there is no catalogue in"):
        db.StoredCatalogue(tmp_path / "folder.h5")
