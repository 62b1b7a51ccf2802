"""Timing of N-body simulations in one batch and one by one with scipy."""

from baselines.timing import motion


def test_both_sides_have_the_same_trajectories() -> None:
    """Allow an error above 1e-4 au, that of the leapfrog, because of close encounters."""
    timing = motion.time_nbody(12, sample=4)
    assert timing.difference < 2e-3
    assert timing.sample == 4
    assert timing.batched > 0
    assert "12 N-body trajectories of 3 bodies and 200 steps" in str(timing)
    assert "scaled from a sample of 4" in str(timing)


def test_the_ratio_is_of_the_time_of_one_trajectory() -> None:
    timing = motion.NbodyTiming(
        trajectories=100, batched=1.0, sample=5, singles=10.0, difference=1e-4
    )
    assert timing.ratio == 200
