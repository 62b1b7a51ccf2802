"""Timing of writing by one and by two processes."""

from baselines.timing import processes


def test_the_text_has_both_speeds() -> None:
    speedup = processes.Speedup(1000, 50.0, 90.0)
    assert str(speedup) == (
        "writing 1,000 sky images: 50 images/s by one process, 90 by two: 1.80 times as many"
    )


def test_both_speeds_are_measured() -> None:
    speedup = processes.compare(64, rounds=1)
    assert speedup.one > 0
    assert speedup.two > 0
