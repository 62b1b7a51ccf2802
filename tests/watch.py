"""Watch a file: has any process opened it? Oracle: the kernel's inotify, which sees C code too."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ = 0x01 | 0x20  # IN_ACCESS, IN_OPEN


class Watch:
    """Whether a file was opened."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def opened(self) -> bool:
        """Return whether the file was opened since the last call."""
        try:
            return bool(os.read(self._descriptor, 4096))
        except BlockingIOError:
            return False


@contextmanager
def watching(path: Path) -> Iterator[Watch]:
    """Watch a file."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK)
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    try:
        assert libc.inotify_add_watch(descriptor, os.fsencode(path), _READ) >= 0
        watch = Watch(descriptor)
        path.read_bytes()
        assert watch.opened()  # the watch sees what it must
        yield watch
    finally:
        os.close(descriptor)
