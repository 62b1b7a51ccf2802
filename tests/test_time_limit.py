"""Time limit of each test: a hang fails and prints its stacks, also a hang in C."""

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parent.parent / "pyproject.toml"
HANGS = {
    "Python": "threading.Event().wait()",
    # a mutex of glibc, locked twice, which no signal interrupts
    "C": "[libc.pthread_mutex_lock(mutex) for _ in range(2)]",
}
TEST = """
import ctypes, threading
libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
def test_that_hangs():
    {hang}
"""


@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_fails_with_its_stack(hang: str, tmp_path: Path) -> None:
    path = tmp_path / "test_hang.py"
    path.write_text(TEST.format(hang=HANGS[hang]))
    options = ["-c", str(SETTINGS), "-o", "timeout=1", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert done.returncode != 0
    assert "Timeout" in done.stdout
    assert "in test_that_hangs" in done.stdout


def test_every_test_has_a_limit(request: pytest.FixtureRequest) -> None:
    assert 0 < float(request.config.getini("timeout")) <= 600
    assert request.config.getini("timeout_method") == "thread"
    assert float(request.config.getini("faulthandler_timeout")) > 0
