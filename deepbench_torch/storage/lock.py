"""One process at a time writes a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from deepbench_torch.storage.progress import Bar


@contextmanager
def locked(path: Path, *, quiet: bool) -> Iterator[None]:
    """Hold the lock of a target, which is `.NAME.lock` beside it, waiting for who has it.

    The system lets go of the lock when its process ends, however it ends, so none is ever stale.
    That holds on local disks and on network file systems with working `flock` (NFS from version 4
    on, Lustre mounted with `flock`); elsewhere a marker file stands in, which a killed process can
    leave behind on another machine.

    Args:
        path: What is to be written.
        quiet: Whether not to say on standard error that this process waits.
    """
    place = path.with_name(f".{path.name}.lock")
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not quiet:
            told = f"{path.name} is being written by another process; waiting for it"
            Bar.write(told, file=sys.stderr)
        lock.acquire(poll_interval=0.1)
    try:
        yield
    finally:
        with suppress(OSError):  # while it is held: who waits for it notices and makes a new one
            place.unlink()
        lock.release()
