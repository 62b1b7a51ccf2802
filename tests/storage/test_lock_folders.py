"""Folders that take no files, and so no lock: an error, not an endless wait."""

from pathlib import Path

import pytest

import deepbench_torch as db

SYSTEM = Path("/proc")  # a folder in which nobody creates files, under any user
only_with_proc = pytest.mark.skipif(not SYSTEM.is_dir(), reason="needs a proc file system")


@only_with_proc
@pytest.mark.parametrize("name", ["x.h5", "x"])
def test_a_folder_that_takes_no_files_is_reported(name: str) -> None:
    format_ = "h5" if name.endswith(".h5") else "npy"
    made = db.Catalogue("star", size=2, image_size=6)
    with pytest.raises(OSError, match=r"cannot write the catalogue .*choose a path in a folder"):
        db.materialize(made, SYSTEM / name, format=format_, progress=False)  # type: ignore[arg-type]
