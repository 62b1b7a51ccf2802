"""The same bits on every CPU: the kernels compiled for several, and the hashes of another day."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.generate import GENERATOR_VERSION
from tests.native import golden

GOLDEN = json.loads(golden.FILE.read_text())


def test_the_hashes_are_of_this_generator() -> None:
    assert GOLDEN["generator_version"] == GENERATOR_VERSION
    assert GOLDEN["rows"] == golden.ROWS
    assert list(GOLDEN["recipes"]) == db.list_recipes()


@pytest.mark.parametrize("name", db.list_recipes())
def test_rows_have_the_recorded_hashes(name: str) -> None:
    """Oracle: the file, which another CPU wrote."""
    assert golden.hashes([name]) == {name: GOLDEN["recipes"][name]}


def compiled_for(cpu: str, features: str, names: list[str], folder: Path) -> object:
    """Return the hashes of a process whose kernels are compiled for a CPU."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.native.golden", *names],
        env=os.environ
        | {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "compiling kernels" in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("cpu", "features"), [("x86-64", ""), ("haswell", "+avx2,+fma")])
def test_rows_are_the_same_for_other_cpus(cpu: str, features: str, tmp_path: Path) -> None:
    """Oracle: the file. Without vectors of 256 bits, and with fused multiply-add."""
    names = ["sky", "lens", "lensing", "nbody"]
    expected = {name: GOLDEN["recipes"][name] for name in names}
    assert compiled_for(cpu, features, names, tmp_path) == expected


CAPABILITIES = ["default", "avx2", "avx512"]  # of torch, each with the ones before
OWN = torch.backends.cpu.get_cpu_capability().lower()
# torch ends at an illegal instruction if it is to use vectors that the CPU lacks
POSSIBLE = CAPABILITIES[: CAPABILITIES.index(OWN) + 1] if OWN in CAPABILITIES else CAPABILITIES[:1]


@pytest.mark.parametrize("capability", POSSIBLE)
def test_series_are_the_same_for_other_instructions(capability: str) -> None:
    """Oracle: the file. With the vectors that torch has on older CPUs."""
    names = db.list_recipes("series")
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.native.golden", *names],
        env=os.environ | {"ATEN_CPU_CAPABILITY": capability},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {name: GOLDEN["recipes"][name] for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["x86-64-v2", "sandybridge", "znver3", "skylake-avx512"])
def test_all_rows_are_the_same_for_more_cpus(cpu: str, tmp_path: Path) -> None:
    names = list(GOLDEN["recipes"])
    assert compiled_for(cpu, "", names, tmp_path) == GOLDEN["recipes"]
