"""Time until the first row of a process: imports, and kernels compiled or loaded."""

import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

_IMPORT = "import time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"
_FIRST = (
    "import time, torch, deepbench_torch as db; data = db.Catalogue('sky'); "
    "s = time.perf_counter(); data[0]; print(time.perf_counter() - s)"
)


class Startup(NamedTuple):
    """Seconds of fresh processes.

    Attributes:
        torch: Import of torch.
        package: Import of this package, torch included.
        cold: First row of sky, kernels compiled.
        warm: First row of sky, kernels loaded.
    """

    torch: float
    package: float
    cold: float
    warm: float

    def __str__(self) -> str:
        return (
            f"import of deepbench_torch {self.package:.2f} s, of torch alone {self.torch:.2f} s; "
            f"first row of sky {self.cold:.1f} s with kernels compiled, {self.warm:.2f} s with "
            "kernels loaded"
        )


def time_startup(rounds: int = 3) -> Startup:
    """Time imports and first rows; kernels are kept in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        cold = _seconds(_FIRST, folder)
        alone, package = (
            min(_seconds(_IMPORT.format(name), folder) for _ in range(rounds))
            for name in ("torch", "deepbench_torch")
        )
        warm = min(_seconds(_FIRST, folder) for _ in range(rounds))
    return Startup(alone, package, cold, warm)


def _seconds(code: str, folder: str) -> float:
    """Return what a program prints, kernels kept in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_CACHE_DIR": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
