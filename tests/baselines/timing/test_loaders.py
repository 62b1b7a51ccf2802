"""Timing of threads, loaders, start and other packages, at tiny sizes."""

import pytest
import torch

from baselines.timing import loaders, others, startup


@pytest.mark.moves_generators  # loaders draw a seed
def test_speeds_of_threads_and_loaders_are_measured() -> None:
    before = torch.get_num_threads()
    speed = loaders.time_loaders(16, rounds=1, workers=(0, 1))
    assert torch.get_num_threads() == before
    assert min(*speed.threads.values(), *speed.workers.values()) > 0
    assert 1 < speed.memory < 4096
    assert "images/s by workers" in str(speed)


def test_the_start_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """With programs that import nothing: the real ones take half a minute."""
    monkeypatch.setattr(startup, "_FIRST", "print(2.5)")
    monkeypatch.setattr(startup, "_IMPORT", "print(len('{}'))")
    assert startup.time_startup(1) == startup.Startup(torch=5.0, package=15.0, cold=2.5, warm=2.5)


@pytest.mark.moves_generators  # galsim has a generator of its own
def test_galsim_is_timed_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "ROWS", 2)
    assert "by GalSim" in others.compare_galsim(1)
    monkeypatch.setattr(others, "find_spec", lambda name: None)
    assert others.compare_galsim(1).startswith("GalSim is not installed; the released DeepBench")
