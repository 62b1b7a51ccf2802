"""The progress bar."""

from threading import RLock
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    Base = tqdm[Any]
else:
    Base = tqdm


class Bar(Base):
    """A bar of tqdm with a lock of its own.

    That of tqdm is a semaphore which forked processes share: one that is killed while it holds the
    semaphore leaves all others waiting for ever.
    """

    _lock = RLock()
