"""Ctrl-C on the command line: one line, its own exit status, nothing under the final name."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell has none
from deepbench_torch.cli import main
main(["generate", "sky", "{path}", "--size", "30000", "--quiet"])
"""


def test_ctrl_c_ends_in_one_line_and_keeps_finished_parts(tmp_path: Path) -> None:
    path = tmp_path / "sky.h5"
    command = [sys.executable, "-c", SCRIPT.format(path=path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as writer:  # noqa: S603
        while not list(tmp_path.glob(".sky.h5.*.partial/*.part")):
            assert writer.poll() is None
            time.sleep(0.02)
        os.kill(writer.pid, signal.SIGINT)
        _, printed = writer.communicate()
    assert writer.returncode == 130
    assert printed.strip() == "deepbench-torch: error: interrupted"
    (left,) = os.listdir(tmp_path)
    assert left.endswith(".partial")
