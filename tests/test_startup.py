"""Startup imports no library that only some uses need."""

import subprocess
import sys

import pytest

SLOW = ("torchvision", "lightning", "astropy", "matplotlib", "scipy", "pandas", "numba")
RUN = "from deepbench_torch.cli import main\ntry: main(['{}'])\nexcept SystemExit: pass"
PROGRAMS = {
    "import": "import deepbench_torch",
    "help": RUN.format("--help"),
    "list": RUN.format("list"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_startup_imports_no_slow_library(program: str) -> None:
    code = f"{PROGRAMS[program]}\nimport sys\nprint(*(n for n in {SLOW} if n in sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == ""


def test_the_report_names_a_library_that_is_imported() -> None:
    code = f"import scipy, sys\nprint(*(n for n in {SLOW} if n in sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "scipy"
