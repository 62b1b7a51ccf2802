"""Forked processes: rows are made whatever the parent did before the fork.

The threads of OpenMP belong to the thread that started them and do not survive a fork. libgomp
does not notice, so the child waits for them for ever in its first parallel loop. Two remedies:

- Before a fork, the forking thread ends its OpenMP threads; parent and child start new ones.
- Where that is impossible, because the runtime is too old or this package was imported after the
  fork, calls of this package run on one thread; see `settings`.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import get_ident

# `omp_pause_hard` of OpenMP 5.0: release all resources, threads included
_PAUSE_HARD = 2
# flag of Linux for a process that was forked and has not executed a program (PF_FORKNOEXEC)
_FORKED = 0x40
_FLAGS = 6  # its field in /proc/self/stat, counted after the name of the program

_torch_was_imported = "torch" in sys.modules
import torch  # noqa: E402 - the line above must come first


class _State:
    """The thread whose OpenMP threads may be lost, by its identifier; None for no thread."""

    affected: int | None = None


def lost_threads() -> bool:
    """Return whether the OpenMP threads of this thread may be lost."""
    return _State.affected == get_ident()


def watch_forks() -> None:
    """Register the remedies with the interpreter; called once, at import of the package."""
    if sys.platform == "win32":  # it has no fork
        return
    if _torch_was_imported and _is_forked() and torch.get_num_threads() > 1:
        _State.affected = get_ident()
    pause = _find_pause()
    paused = True

    def before() -> None:
        nonlocal paused
        # pausing threads that are lost already would wait for them
        paused = not lost_threads() and pause is not None and pause(_PAUSE_HARD) == 0

    def in_child() -> None:
        _State.affected = None if paused else get_ident()

    os.register_at_fork(before=before, after_in_child=in_child)


def _find_pause() -> Callable[[int], int] | None:
    """Return `omp_pause_resource_all` of the OpenMP runtime that torch uses, if it has it."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        pause: Callable[[int], int] = library.omp_pause_resource_all
    except (OSError, AttributeError):  # another platform, or a runtime before OpenMP 5.0
        return None
    return pause


def _is_forked() -> bool:
    """Return whether this process was forked and runs its parent's program; Linux only."""
    try:
        status = Path("/proc/self/stat").read_text()
    except OSError:
        return False
    return bool(int(status.rpartition(")")[2].split()[_FLAGS]) & _FORKED)
