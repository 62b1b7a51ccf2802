"""Kill the writing of a catalogue at random moments: `python -m tests.soak 200`.

Each kill is a SIGKILL. After it the old file or the whole new one must be there, or none if there
was none; and the same call must end with the very bytes of a run that nothing disturbed.
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

ROWS_IN_PART = 32


class Case(NamedTuple):
    """A way to write: with which options, and whether over an old file."""

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
def small_parts() -> Iterator[None]:
    """Parts of a few rows, so that there is much to go on with."""
    kept = chunks.CHUNK_BYTES
    chunks.CHUNK_BYTES = ROWS_IN_PART * 12 * 12 * 4
    try:
        yield
    finally:
        chunks.CHUNK_BYTES = kept


def contents_of(folder: Path) -> dict[str, str]:
    """The checksum of every file in a folder, hidden ones as well."""
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
    """Begin to write in another process and return its number."""
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
    """A folder for a case, with an old file in it if it writes over one."""
    folder.mkdir()
    if case.over:
        old = db.Catalogue("star", size=40, seed=1, image_size=6)
        db.materialize(old, folder / "a.h5", progress=False, shard_rows=15)
    return contents_of(folder)


def soak(kills: int, *, seed: int = 0, report: int = 0) -> Counter[str]:
    """Kill so many runs, each at a random moment, and hold each against an undisturbed one.

    Returns:
        How many were killed before anything was done, with something done, and too late.

    Raises:
        AssertionError: If a file is neither the old nor the new one, or a resumed one differs.
    """
    moments, seen = random.Random(seed), Counter[str]()  # noqa: S311
    with small_parts(), tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        expected, durations = _undisturbed(root)
        for number in range(kills):
            place = number % len(CASES)
            folder = root / str(number)
            after = moments.uniform(0, 1.1 * durations[place])
            seen[_kill_once(folder, CASES[place], after, expected=expected[place])] += 1
            shutil.rmtree(folder)
            if report and (number + 1) % report == 0:
                print(f"{number + 1} kills: {dict(seen)}", flush=True)
    return seen


def _undisturbed(root: Path) -> tuple[list[dict[str, str]], list[float]]:
    """What each case writes, and how many seconds it takes in a process of its own."""
    expected, durations = [], []
    for place, case in enumerate(CASES):
        folder = root / f"whole-{place}"
        prepare(folder, case)
        begun = time.perf_counter()
        assert os.waitpid(start(folder, case), 0)[1] == 0, "a run that nothing disturbed failed"
        durations.append(time.perf_counter() - begun)
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
    there, new = now.get("a.h5"), expected["a.h5"]
    assert there in (before.get("a.h5"), new), "the file is neither the old nor the new one"
    if there is not None:
        db.StoredCatalogue(folder / "a.h5", verify=True)
    outcome = "too late" if there == new else "unfinished"
    if outcome == "unfinished" and any(".partial/" in name for name in now):
        outcome = "with work done"
    write(folder, case._replace(over=case.over or there == new))
    assert contents_of(folder) == expected, "the resumed file is another"
    return outcome


if __name__ == "__main__":
    print(dict(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 200, report=20)))
