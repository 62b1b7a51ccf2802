"""Two processes against one, measured."""

from baselines.timing import processes


def test_it_says_what_two_processes_write() -> None:
    speedup = processes.Speedup(1000, 50.0, 90.0)
    assert str(speedup) == (
        "writing 1,000 sky images: 50 images/s by one process, 90 by two: 1.80 times as many"
    )


def test_it_measures() -> None:
    speedup = processes.compare(64, rounds=1)
    assert speedup.one > 0
    assert speedup.two > 0
