"""Compilation: options of the kernels, and the folder in which their machine code is kept."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import llvmlite.binding as llvm
import numba
from filelock import FileLock
from numba import cfunc, njit
from numba.core.registry import cpu_target

F = TypeVar("F", bound=Callable[..., Any])

# "numpy": a division by zero gives infinity; the check for it would keep loops from vectorising.
# Fast maths stays off: it would reorder and contract operations, differently on each CPU.
_OPTIONS = {"error_model": "numpy", "fastmath": False, "nogil": True}
# Independent chains of operations in flight. LLVM takes one in long loops, which then wait for each
# result: 1.2 to 1.6 times slower. It changes no bit.
_CHAINS = 4


def inline(function: F) -> F:
    """Return a kernel function that its callers take in, so that their loops vectorise."""
    compiled: F = njit(**_OPTIONS, forceinline=True)(function)
    return compiled


def kernel(function: F) -> F:
    """Return a kernel function that other kernels call."""
    compiled: F = njit(**_OPTIONS)(function)
    return compiled


def entry(function: F) -> F:
    """Return a kernel that Python calls; its machine code is kept on the disk."""
    with _own_folder():
        compiled: F = njit(**_OPTIONS, cache=True)(function)
    return compiled


def compile_entry(entry: Any, signature: tuple[Any, ...]) -> None:
    """Compile an entry for the types of its arguments, or load it."""
    with _announced(entry.__name__), _interleaved():
        entry.compile(signature)


def compile_function(function: Callable[..., None], signature: Any) -> int:
    """Compile a function that kernels call by its address, or load it; return the address."""
    options = {name: value for name, value in _OPTIONS.items() if name != "nogil"}
    with _announced(function.__name__), _interleaved(), _own_folder():
        compiled = cfunc(signature, **options, cache=True)(function)
    _functions.append(compiled)
    return int(compiled.address)


_functions: list[Any] = []  # kept: their code is freed with them


@contextmanager
def _announced(name: str) -> Iterator[None]:
    """Let one process compile while the others wait; report on stderr the first of all."""
    kept = cache_folder() / _processor()
    marker = kept / name
    if marker.exists():
        yield
        return
    with FileLock(str(cache_folder() / "compile.lock")):
        if not kept.exists():
            print(
                "deepbench_torch: compiling kernels for this CPU, which takes some seconds once",
                file=sys.stderr,
                flush=True,
            )
            kept.mkdir(exist_ok=True)
        yield
        marker.touch()


@contextmanager
def _own_folder() -> Iterator[None]:
    """Let numba keep machine code in the folder of this package."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


@contextmanager
def _interleaved() -> Iterator[None]:
    """Let LLVM interleave loops; the option is the process's, so it is reset to its default."""
    llvm.set_option("deepbench_torch", f"-force-vector-interleave={_CHAINS}")
    try:
        yield
    finally:
        llvm.set_option("deepbench_torch", "-force-vector-interleave=0")


def _processor() -> str:
    """Return a short name of the CPU that code is compiled for."""
    features = cpu_target.target_context.codegen().magic_tuple()
    return hashlib.sha256(repr(features).encode()).hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """Return the folder of the machine code: the first of the usual places that is writable.

    numba checks the source file of an entry alone, so the folder is named by the sources of all.
    """
    for parent in _parents():
        folder = parent / f"kernels-{_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return Path(tempfile.mkdtemp(prefix="deepbench_torch-"))


def _parents() -> Iterator[Path]:
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR)
    yield Path(__file__).parent / "__pycache__"
    home = os.environ.get("XDG_CACHE_HOME")
    if home or os.path.expanduser("~") != "~":
        yield Path(home or Path.home() / ".cache") / "deepbench_torch"
    yield Path(tempfile.gettempdir()) / f"deepbench_torch-{_user()}"


def _user() -> str:
    return str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")


def _digest() -> str:
    """Return a digest of all that the machine code depends on but the CPU."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {sys.version}".encode())
    package = Path(__file__).parents[1]
    sources = (
        path
        for part in ("degrade", "native", "numerics", "objects")
        for path in package.glob(f"{part}/*.py")
    )
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
