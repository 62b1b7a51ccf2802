"""Bodies followed at once and one by one by scipy go the same way."""

from baselines.timing import motion


def test_both_sides_of_the_race_follow_the_same_paths() -> None:
    """The leapfrog's own error is 1e-4 au, and some encounters make it larger."""
    race = motion.race(12, sample=4)
    assert race.apart < 2e-3
    assert race.sample == 4
    assert race.batched > 0
    assert "12 N-body trajectories of 3 bodies and 200 steps" in str(race)
    assert "scaled from a sample of 4" in str(race)


def test_the_ratio_is_of_the_time_of_one_trajectory() -> None:
    race = motion.Race(trajectories=100, batched=1.0, sample=5, singles=10.0, apart=1e-4)
    assert race.ratio == 200
