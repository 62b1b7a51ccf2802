"""Workers: they make the rows of a catalogue in this process or in others."""

import os
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from multiprocessing import connection, forkserver, get_context, parent_process
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar, final

import torch

from deepbench_torch.datasets.guard import UnguardedMainError, naming_guard

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 1024  # tasks submitted before the first result is awaited
TRIES = 3
# no other attempt would end otherwise
_FINAL = (OSError, ValueError, TypeError, NotImplementedError)


@final
class Workers:
    """Run tasks here, in local processes or in any executor; a dead worker is replaced.

    Args:
        workers: Local processes; 0 for this one.
        executor: Instead of them, any `concurrent.futures.Executor`.
    """

    def __init__(self, workers: int = 0, executor: Executor | None = None) -> None:
        self.workers = 0 if executor is not None else workers
        self._executor = executor
        self._pool: ProcessPoolExecutor | None = None
        self._before: Any = None
        self._interrupted = False

    def __enter__(self) -> Self:
        before = signal.getsignal(signal.SIGINT)
        if callable(before) and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note_interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _note_interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        if frame is None or frame.f_code.co_filename != weakref.__file__:
            self._before(number, frame)

    def in_order(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the results of a task in the order of its items.

        Raises:
            RuntimeError: If one item cost `TRIES` workers, or an executor failed as often.
            KeyboardInterrupt: If Ctrl-C was pressed while a weak reference was cleared, of which
                h5py has many: raised there, Python would lose it.
        """
        for result in self._results(task, items):
            if self._interrupted:
                raise KeyboardInterrupt
            yield result

    def _results(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        if self._executor is None and self.workers == 0:
            yield from map(task, items)
            return
        pending: deque[tuple[T, Future[R]]] = deque()
        try:
            for item in items:
                pending.append((item, self._submit(task, item)))
                if len(pending) >= AHEAD:
                    yield self._first(task, pending)
            while pending:
                yield self._first(task, pending)
        finally:
            for _, future in pending:
                future.cancel()

    def _first(self, task: Callable[[T], R], pending: deque[tuple[T, "Future[R]"]]) -> R:
        for attempt in range(TRIES):
            try:
                with naming_guard("materialize"):
                    result = pending[0][1].result()
            except (*_FINAL, UnguardedMainError):
                raise
            except Exception as error:
                if attempt == TRIES - 1:
                    raise RuntimeError(
                        f"{TRIES} attempts failed ({type(error).__name__}: {error}); if workers "
                        "were killed, use fewer or more memory, and call again: finished "
                        "rows are kept"
                    ) from error
                self._again(task, pending)
            else:
                pending.popleft()
                return result
        raise AssertionError("unreachable")

    def _again(self, task: Callable[[T], R], pending: deque[tuple[T, "Future[R]"]]) -> None:
        """Submit failed tasks again: all that a broken pool had not finished."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        for index, (item, future) in enumerate(pending):
            if _failed(future):
                pending[index] = (item, self._submit(task, item))

    def _submit(self, task: Callable[[T], R], item: T) -> "Future[R]":
        if self._executor is not None:
            return self._executor.submit(task, item)
        if self._pool is None:
            self._pool = local_pool(self.workers)
        try:
            return self._pool.submit(task, item)
        except RuntimeError as error:  # a worker died just now
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed


def _failed(future: "Future[Any]") -> bool:
    """Return whether a task ended without a result."""
    if not future.done():
        return False
    try:
        return future.exception() is not None
    except CancelledError:
        return True


def local_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes of one thread each, which end with this one."""
    # forkserver, not fork: torch's threads do not survive a fork
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not by every worker
    _start_server()
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)


def _start_server() -> None:
    """Start the forkserver with SIGINT ignored; this process handles Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may change how signals are met
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def _begin_worker() -> None:
    """Ignore Ctrl-C, and end when the process that started this one ends."""
    torch.set_num_threads(1)  # the others use the other cores
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
