"""Threads: torch's number of them is honoured, and forked children make their own."""

import multiprocessing
import threading
from collections.abc import Iterator

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.native import run

INDEX = torch.arange(64)


@pytest.fixture(autouse=True)
def threads_of_torch() -> Iterator[None]:
    """Restore torch's number of threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def own_threads() -> int:
    """Return how many threads of this package there are."""
    return sum(each.name.startswith("deepbench_torch") for each in threading.enumerate())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_threads_as_torch_may_use(count: int) -> None:
    expected = db.generate("sky", 0, INDEX).image
    torch.set_num_threads(count)
    assert torch.equal(db.generate("sky", 0, INDEX).image, expected)
    if count > 1:
        assert own_threads() <= 5
        assert list(run._pools) == [count]


def test_a_small_batch_needs_no_thread() -> None:
    torch.set_num_threads(7)
    db.generate("astro", 0, torch.arange(4))
    assert 7 not in run._pools


def child(queue: "multiprocessing.SimpleQueue[object]") -> None:
    """Make rows in a child, with threads of its own."""
    before = dict(run._pools)
    image = db.generate("sky", 0, INDEX).image
    queue.put((len(before), float(image.double().sum())))


def test_a_forked_child_makes_rows_after_its_parent_used_threads() -> None:
    torch.set_num_threads(2)
    expected = float(db.generate("sky", 0, INDEX).image.double().sum())
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    pools, found = queue.get()
    process.join(60)
    assert (process.exitcode, pools, found) == (0, 0, expected)


def test_a_child_forked_while_other_threads_make_rows() -> None:
    """Threads hold the locks of pools and of numba at any moment; children go on nevertheless."""
    torch.set_num_threads(2)
    expected = float(db.generate("sky", 0, INDEX).image.double().sum())
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            db.generate("sky", 0, INDEX)

    others = [threading.Thread(target=busy) for _ in range(2)]
    for other in others:
        other.start()
    try:
        context = multiprocessing.get_context("fork")
        for _ in range(5):
            queue = context.SimpleQueue()
            process = context.Process(target=child, args=(queue,))
            process.start()
            assert queue.get()[1] == expected
            process.join(60)
            assert process.exitcode == 0
    finally:
        stop.set()
        for other in others:
            other.join()
