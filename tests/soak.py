"""Kill the writing of a catalogue at random times: `python -m tests.soak 200`.

Each kill is a SIGKILL. Afterwards the path must have the old file, the complete new file, or none
if no old file existed. The same call must then write the bytes of an uninterrupted run.
"""

import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

import deepbench_torch as db
from deepbench_torch.storage.work import chunks

ROWS_IN_CHUNK = 32


class Case(NamedTuple):
    """Options of a write, and whether it replaces an old file."""

    options: dict[str, Any]
    over: bool


CASES = [
    Case({}, over=False),
    Case({"shard_rows": 150}, over=False),
    Case({"compression": "gzip"}, over=True),
    Case({"shard_rows": 220}, over=True),
]


def catalogue() -> db.Catalogue:
    return db.Catalogue("star", size=1500, seed=4, image_size=12)


@contextmanager
def small_chunks() -> Iterator[None]:
    """Set chunks of a few rows, so that a resumed run has many."""
    kept = chunks.CHUNK_BYTES
    chunks.CHUNK_BYTES = ROWS_IN_CHUNK * 12 * 12 * 4
    try:
        yield
    finally:
        chunks.CHUNK_BYTES = kept


def contents_of(folder: Path) -> dict[str, str]:
    """Return the checksum of every file in a folder, including hidden ones."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, case: Case) -> None:
    db.materialize(
        catalogue(), folder / "a.h5", progress=False, overwrite=case.over, **case.options
    )


def start(folder: Path, case: Case) -> int:
    """Start writing in another process and return its id."""
    child = os.fork()
    if child == 0:
        torch.set_num_threads(1)  # threads do not survive a fork
        try:
            write(folder, case)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def prepare(folder: Path, case: Case) -> dict[str, str]:
    """Create the folder of a case, with an old file if the case replaces one."""
    folder.mkdir()
    if case.over:
        old = db.Catalogue("star", size=40, seed=1, image_size=6)
        db.materialize(old, folder / "a.h5", progress=False, shard_rows=15)
    return contents_of(folder)


def soak(kills: int, *, seed: int = 0, report: int = 0) -> Counter[str]:
    """Kill runs at random times, resume them, and compare with an uninterrupted run.

    Returns:
        Numbers of runs killed before the first chunk, with chunks written, and too late.

    Raises:
        AssertionError: If a file is neither the old nor the new one, or a resumed one differs.
    """
    times, outcomes = random.Random(seed), Counter[str]()  # noqa: S311
    with small_chunks(), tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        expected, durations = _uninterrupted(root)
        for number in range(kills):
            index = number % len(CASES)
            folder = root / str(number)
            after = times.uniform(0, 1.1 * durations[index])
            outcomes[_kill_once(folder, CASES[index], after, expected=expected[index])] += 1
            shutil.rmtree(folder)
            if report and (number + 1) % report == 0:
                print(f"{number + 1} kills: {dict(outcomes)}", flush=True)
    return outcomes


def _uninterrupted(root: Path) -> tuple[list[dict[str, str]], list[float]]:
    """Return the files of each case and its duration in a process of its own [s]."""
    expected, durations = [], []
    for index, case in enumerate(CASES):
        folder = root / f"complete-{index}"
        prepare(folder, case)
        started = time.perf_counter()
        assert os.waitpid(start(folder, case), 0)[1] == 0, "an uninterrupted run failed"
        durations.append(time.perf_counter() - started)
        expected.append(contents_of(folder))
    return expected, durations


def _kill_once(folder: Path, case: Case, after: float, *, expected: dict[str, str]) -> str:
    before = prepare(folder, case)
    child = start(folder, case)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"a run failed by itself: {status}"
    now = contents_of(folder)
    written, new = now.get("a.h5"), expected["a.h5"]
    assert written in (before.get("a.h5"), new), "the file is neither the old nor the new one"
    if written is not None:
        db.StoredCatalogue(folder / "a.h5", verify=True)
    outcome = "too late" if written == new else "unfinished"
    if outcome == "unfinished" and any(".partial/" in name for name in now):
        outcome = "with work done"
    write(folder, case._replace(over=case.over or written == new))
    assert contents_of(folder) == expected, "the resumed file differs"
    return outcome


if __name__ == "__main__":
    print(dict(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 200, report=20)))
