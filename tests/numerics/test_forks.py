"""Forked processes make rows, whatever the parent did; oracle: the same work without a fork."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import deepbench_torch as db
from tests.numerics.fork_program import WAYS, WORKS

PROGRAM = Path(__file__).with_name("fork_program.py")


# every work once, and with each other way to fork those with the largest tensors
SHORT = ("sky", "render", "catalogue", "stored", "materialize")


def run(way: str, folder: Path, works: Iterable[str] = WORKS) -> dict[str, str]:
    """The hash of each work whose child came back."""
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parents[2]), "OMP_NUM_THREADS": "2"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", str(PROGRAM), way, str(folder), *works],
        capture_output=True,
        text=True,
        env=environment,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ") for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forks")
    db.materialize(db.Catalogue("sky", size=64), path / "stored.h5", progress=False)
    return path


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, str]:
    hashes = run("none", folder)
    assert list(hashes) == list(WORKS)
    return hashes


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", [way for way in WAYS if way != "none"])
def test_a_forked_child_makes_rows(way: str, folder: Path, expected: dict[str, str]) -> None:
    works = WORKS if way == "fork" else SHORT
    assert run(way, folder, works) == {work: expected[work] for work in works}
