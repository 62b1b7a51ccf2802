"""Whatever happens to the writer, a file is whole or not there, and nothing is done twice."""

import errno
import hashlib
import io
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.storage.hdf5 import shards
from deepbench_torch.storage.hdf5 import write as hdf5_write
from deepbench_torch.storage.work import chunks
from deepbench_torch.storage.work.lock import locked
from deepbench_torch.storage.work.workers import Workers
from tests import soak

# the processes here are forked on purpose, and use one thread
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("star", size=60, seed=2, image_size=6)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Parts have ten rows; a function that lists which were made, by any process."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10 * 6 * 6 * 4)
    log, original = tmp_path / "log", chunks.make_chunk

    def noted(recipe: Any, seed: int, rows: range) -> chunks.Chunk:
        with log.open("a") as file:
            file.write(f"{rows.start}\n")
        return original(recipe, seed, rows)

    monkeypatch.setattr(chunks, "make_chunk", noted)
    monkeypatch.setattr(shards, "make_chunk", noted)
    return lambda: log.read_text().split() if log.exists() else []


def write(catalogue: db.Catalogue, path: Path, **options: Any) -> Path:
    return db.materialize(catalogue, path, progress=False, **options)


def elsewhere(function: Callable[[], object]) -> int:
    """Run a function in a forked process and return its number."""
    child = os.fork()
    if child == 0:
        torch.set_num_threads(1)
        # where the tests run in the background of a shell, an interrupt would be ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            function()
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException as error:
            os._exit(error.errno if isinstance(error, OSError) and error.errno else 1)
        os._exit(0)
    return child


def exit_status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_few_kills_at_random_times() -> None:
    assert sum(soak.soak(4).values()) == 4


@pytest.mark.slow
def test_two_hundred_kills_at_random_times() -> None:
    seen = soak.soak(200)
    assert sum(seen.values()) == 200
    assert seen["with work done"] > 50


@pytest.mark.parametrize("options", [{}, {"shard_rows": 20}])
def test_nothing_is_made_twice(
    options: dict[str, int],
    catalogue: db.Catalogue,
    made: Callable[[], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "new" / "a.h5"
    whole = write(catalogue, tmp_path / "whole.h5", **options).read_bytes()
    everything = made()
    stopped, original = len(everything) + 4, chunks.make_chunk

    def stop(recipe: Any, seed: int, rows: range) -> chunks.Chunk:
        if len(made()) == stopped:
            raise KeyboardInterrupt
        return original(recipe, seed, rows)

    with monkeypatch.context() as patched:
        patched.setattr(chunks, "make_chunk", stop)
        patched.setattr(shards, "make_chunk", stop)
        with pytest.raises(KeyboardInterrupt):
            write(catalogue, path, **options)
    assert not path.exists()
    write(catalogue, path, **options)
    assert made() == [*everything, *everything]
    if not options:  # the file that joins shards tells the name of their folder
        assert path.read_bytes() == whole
    assert not list(path.parent.glob(".*"))


def test_what_is_damaged_is_made_again(
    catalogue: db.Catalogue,
    made: Callable[[], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By checksum, not by existence."""
    path = tmp_path / "new" / "a.h5"
    whole = write(catalogue, tmp_path / "a.h5").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match="No space left"):
            write(catalogue, path)
    kept = sorted(path.parent.glob(".a.h5.*.partial/*.part"))
    assert len(kept) == 6
    for number, part in enumerate(kept[:3]):
        content = bytearray(part.read_bytes())
        content[[3, 40, -1][number]] ^= 1
        part.write_bytes(content)
    os.truncate(kept[3], 100)
    kept[4].write_bytes(b"")
    count = len(made())
    assert write(catalogue, path).read_bytes() == whole
    assert len(made()) == count + 5


def test_tables_that_are_written_in_many_pieces_are_the_same_bytes(
    catalogue: db.Catalogue,
    made: Callable[[], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = write(catalogue, tmp_path / "a.h5").read_bytes()
    monkeypatch.setattr(hdf5_write, "TABLE_BYTES", 1)
    assert write(catalogue, tmp_path / "b.h5").read_bytes() == whole
    db.StoredCatalogue(tmp_path / "b.h5", verify=True)
    assert len(made()) == 12


def test_a_part_is_read_as_it_was_kept(tmp_path: Path) -> None:
    """Tables of every dtype and shape, and none of them holds on to the data."""
    part = chunks.make_chunk(db.load_recipe("sky"), 3, range(5))
    chunks.write_chunk(part, tmp_path / "a.part")
    read = chunks.read_chunk(tmp_path / "a.part")
    assert read is not None
    assert list(read.tables) == list(part.tables)
    for mine, other in zip(
        (read.data, *read.tables.values()), (part.data, *part.tables.values()), strict=True
    ):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    assert all(table.base is None for table in read.tables.values())


def test_tables_of_any_shape_are_kept(tmp_path: Path) -> None:
    """None of its objects, no rows, truths, texts, and what does not lie in one piece."""
    data = np.arange(24, dtype=np.float32).reshape(4, 3, 2).transpose(0, 2, 1)
    tables = {
        "no slots": np.zeros((4, 0), np.float32),
        "truths": np.arange(12).reshape(4, 3) % 2 == 0,
        "texts": np.array(["a", "b\n", "", "long"]),
        "steps": np.arange(8)[::2],
    }
    for rows in (4, 0):
        part = chunks.Chunk(data[:rows], {name: each[:rows] for name, each in tables.items()})
        chunks.write_chunk(part, tmp_path / "a.part")
        read = chunks.read_chunk(tmp_path / "a.part")
        assert read is not None
        assert read.data.shape == (rows, 2, 3)
        assert read.data.dtype == np.float32
        np.testing.assert_array_equal(read.data, data[:rows])
        for name, table in part.tables.items():
            assert read.tables[name].dtype == table.dtype
            np.testing.assert_array_equal(read.tables[name], table)


def check_made_again(body: bytes, catalogue: db.Catalogue, folder: Path) -> None:
    """A part whose checksum is right, but that no version which reads it has written."""
    task = chunks.Rows(catalogue.recipe, 2, range(10), folder / "0-10.part")
    chunks.keep_chunk(task)
    whole = task.path.read_bytes()
    task.path.write_bytes(hashlib.sha256(body).digest() + body)
    assert chunks.read_chunk(task.path) is None
    chunks.keep_chunk(task)
    assert task.path.read_bytes() == whole


def test_a_part_of_an_earlier_version_is_made_again(
    catalogue: db.Catalogue, tmp_path: Path
) -> None:
    """It had the names in a line, then each array as NumPy saves it."""
    part, body = chunks.make_chunk(catalogue.recipe, 2, range(10)), io.BytesIO()
    body.write(json.dumps(list(part.tables)).encode() + b"\n")
    for array in (part.data, *part.tables.values()):
        np.save(body, array, allow_pickle=False)
    check_made_again(body.getvalue(), catalogue, tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no line",
        b"no json\n",
        b"3\n",
        b'["abc"]\n',
        b"[]\n",
        b'{"": 1}\n',
        b'[["", "<f4", [9, 9]]]\n',
        b'[["", "<f4", "shape"]]\n',
        b'[["", "no type", [0]]]\n',
        b'[["", "|O", [1]]]\n' + bytes(8),
        b'[["", "<f4", [4000000000, 4000000000, 4000000000]]]\n',
        b'[[[], "<f4", [0]]]\n',
        b"\xff\n",
    ],
)
def test_a_complete_part_of_another_form_is_made_again(
    body: bytes, catalogue: db.Catalogue, tmp_path: Path
) -> None:
    check_made_again(body, catalogue, tmp_path)


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(catalogue: db.Catalogue, tmp_path: Path) -> None:
    path = write(db.Catalogue("star", size=20, image_size=4), tmp_path / "a.h5")
    old = path.read_bytes()

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        with pytest.raises(OSError, match=r"cannot write the catalogue .*has room"):
            write(catalogue, path, overwrite=True)

    assert exit_status(elsewhere(fill)) == 0
    assert os.listdir(tmp_path) == ["a.h5"]
    assert path.read_bytes() == old


def test_an_interrupted_writer_can_be_called_again(
    catalogue: db.Catalogue, made: Callable[[], list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "a.h5"
    child = elsewhere(lambda: [write(catalogue, path, overwrite=True) for _ in range(1000)])
    while len(made()) < 3:
        time.sleep(0.001)
    os.kill(child, signal.SIGINT)
    assert exit_status(child) == 130
    write(catalogue, path, overwrite=True)
    assert os.listdir(path.parent) == ["a.h5"]
    db.StoredCatalogue(path, verify=True)


def test_of_several_at_once_one_writes(
    catalogue: db.Catalogue, made: Callable[[], list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "a.h5"
    begin = time.time() + 0.3

    def write_then() -> None:
        time.sleep(max(0, begin - time.time()))
        try:
            write(catalogue, path)
        except FileExistsError:  # it began when the file was there
            assert path.exists()

    assert [exit_status(child) for child in [elsewhere(write_then) for _ in range(4)]] == [0] * 4
    assert made() == ["0", "10", "20", "30", "40", "50"]
    assert os.listdir(path.parent) == ["a.h5"]


def test_who_waits_gets_the_file_or_an_error(catalogue: db.Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"

    def write_slowly(other: db.Catalogue) -> None:
        with locked(path, quiet=True):
            (tmp_path / "locked").touch()
            time.sleep(0.5)
            write(other, tmp_path / "b.h5").rename(path)

    for other, alike in ((catalogue, True), (db.Catalogue("star", size=9, image_size=4), False)):
        child = elsewhere(partial(write_slowly, other))
        while not (tmp_path / "locked").exists():
            time.sleep(0.01)
        if alike:
            assert write(catalogue, path) == path
        else:
            with pytest.raises(FileExistsError, match="replace it with overwrite=True"):
                write(catalogue, path)
        assert exit_status(child) == 0
        path.unlink()
        (tmp_path / "locked").unlink()


def test_a_stale_lock_holds_nobody_up(catalogue: db.Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"

    def hold() -> None:
        with locked(path, quiet=True):
            (tmp_path / "locked").touch()
            time.sleep(60)

    child = elsewhere(hold)
    while not (tmp_path / "locked").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    exit_status(child)
    assert (tmp_path / ".a.h5.lock").exists()
    write(catalogue, path)
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "locked"]


def test_waiting_is_reported_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def hold() -> None:
        with locked(tmp_path / "a.h5", quiet=True):
            (tmp_path / "locked").touch()
            time.sleep(0.5)

    child = elsewhere(hold)
    while not (tmp_path / "locked").exists():
        time.sleep(0.01)
    with locked(tmp_path / "a.h5", quiet=False):
        assert exit_status(child) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "a.h5 is being written by another process; waiting for it" in printed.err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder(catalogue: db.Catalogue, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="choose a path in a folder that can be written"):
        write(catalogue, folder / "a.h5")
    assert os.listdir(folder) == []


def die_once(path: Path) -> str:
    """End this process the first time, as the system ends one that takes too much memory."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


def die(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(6)]
    for path in paths[:2] + paths[3:]:
        path.touch()
    with Workers(2) as workers:
        assert list(workers.in_order(die_once, paths)) == [path.name for path in paths]
        with pytest.raises(RuntimeError, match=r"3 attempts failed.*finished rows are kept"):
            list(workers.in_order(die, paths))
