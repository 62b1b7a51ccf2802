"""Lock of a file, which one process at a time writes."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from deepbench_torch.storage.escape import line
from deepbench_torch.storage.names import beside
from deepbench_torch.storage.work.progress import Bar


def _wait(lock: BaseFileLock, lock_path: Path) -> None:
    """Wait for a lock as long as its folder takes files."""
    while not lock.is_locked:
        with suppress(Timeout):
            lock.acquire(timeout=1.0, poll_interval=0.1)
            return
        _check_folder(lock_path)


def _check_folder(lock_path: Path) -> None:
    """Check that a lock file can be in its folder.

    filelock reports a folder of the system such as /proc as a lock that another process holds, so
    waiting would never end.

    Raises:
        OSError: If the lock file does not exist and no file can be created beside it.
    """
    if not os.path.lexists(lock_path):
        tempfile.TemporaryFile(dir=lock_path.parent).close()


@contextmanager
def locked(path: Path, *, quiet: bool) -> Iterator[None]:
    """Hold the lock of a target, which is `.NAME.lock` beside it; wait while another holds it.

    The system releases the lock when its process ends, however it ends, so none is ever stale.
    Local disks and network file systems with working `flock` do so (NFS from version 4 on, Lustre
    mounted with `flock`). Elsewhere a marker file is used, which a killed process can leave
    behind on another machine.

    Every user may open the lock file of another. Where one cannot be opened nevertheless, the lock
    is `.NAME.UID.lock` of this user: two users could then write at the same time. Each file would
    still be complete.

    Args:
        path: File or folder to write.
        quiet: Whether to print nothing on standard error while this process waits.
    """
    lock_path = beside(path, ".lock", hidden=True)
    lock = FileLock(lock_path, mode=0o666)
    try:
        try:
            lock.acquire(timeout=0)
        except PermissionError:
            if not os.path.lexists(lock_path) or not os.access(path.parent, os.W_OK | os.X_OK):
                raise
            lock_path = beside(path, f".{os.geteuid()}.lock", hidden=True)
            lock = FileLock(lock_path, mode=0o666)
            lock.acquire(timeout=0)
    except Timeout:
        _check_folder(lock_path)
        if not quiet:
            text = f"{line(path.name)} is being written by another process; waiting for it"
            Bar.write(text, file=sys.stderr)
        _wait(lock, lock_path)
    try:
        yield
    finally:
        # removed while it is held: a waiting process notices and makes a new one
        with suppress(OSError):
            if lock_path.stat().st_size == 0:  # else somebody else's file
                lock_path.unlink()
        lock.release()
