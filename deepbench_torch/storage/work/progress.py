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

    The lock of tqdm is a semaphore shared by forked processes. A process that is killed while it
    holds the semaphore blocks all others for ever.
    """

    _lock = RLock()
