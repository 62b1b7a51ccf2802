"""Where machine code is kept, what is reported, and when numba is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepbench_torch.native import compile as compiling

ROW = (
    "import torch, deepbench_torch as db; "
    "print(float(db.generate('star', 0, torch.arange(3)).image.sum()))"
)


def run(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program in a process of its own."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_import_does_not_import_numba() -> None:
    program = (
        "import sys, deepbench_torch; print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    )
    assert run(program).stdout == "False False\n"


def test_a_catalogue_imports_numba_with_its_first_row() -> None:
    program = (
        "import sys, deepbench_torch as db; data = db.Catalogue('star'); before = 'numba' in "
        "sys.modules; data[0]; print(before, 'numba' in sys.modules)"
    )
    assert run(program).stdout == "False True\n"


def test_kernels_are_compiled_once_and_reported_once(tmp_path: Path) -> None:
    """Two processes at the same time, then a third: one of them compiles, all have the rows."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", ROW],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    found = [process.communicate() for process in both]
    later = run(ROW, NUMBA_CACHE_DIR=str(tmp_path))
    assert sum("compiling kernels" in stderr for _, stderr in found) == 1
    assert later.stderr == ""
    assert {stdout for stdout, _ in found} == {later.stdout}


@pytest.mark.parametrize("folder", ["native", "numerics", "objects"])
def test_the_folder_is_named_by_the_sources(
    folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Oracle: another version of any source, or of numba, has another folder."""
    before = compiling._digest()
    source = tmp_path / folder / "any.py"
    source.parent.mkdir()
    source.write_text("other")
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "native" / "compile.py"))
    first = compiling._digest()
    source.write_text("changed")
    assert len({before, first, compiling._digest()}) == 3


@pytest.mark.parametrize("obstacle", ["file", "missing parent"])
def test_folders_that_cannot_be_written_are_passed_over(
    obstacle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even root cannot make a folder below a file: the next of the places is taken."""
    blocked, free = tmp_path / "blocked", tmp_path / "free"
    blocked.write_text("")
    places = [blocked, free] if obstacle == "file" else [blocked / "below", free / "below"]
    monkeypatch.setattr(compiling, "_parents", lambda: iter(places))
    assert compiling.cache_folder.__wrapped__().parent == places[1]


def test_without_any_folder_a_temporary_one_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(compiling, "_parents", lambda: iter([tmp_path / "file"]))
    folder = compiling.cache_folder.__wrapped__()
    assert folder.is_dir()
    folder.rmdir()
