"""Timing of threads, loaders, start and other packages, at tiny sizes."""

import numpy as np
import pytest
import torch

import deepbench_torch as db
from baselines.timing import loaders, others, startup
from deepbench_torch.native.compile import cache_folder


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


@pytest.mark.parametrize("program", [startup._IMPORT.format("deepbench_torch"), startup._FIRST])
def test_its_programs_print_seconds(program: str) -> None:
    """With the kernels that the tests have compiled."""
    assert 0 < startup._seconds(program, str(cache_folder().parent)) < 300


def test_galsim_renders_the_same_scenes() -> None:
    sample = db.Catalogue(others.stars_and_galaxies(), size=24).samples(range(24))
    scenes = others.scenes_of(sample)
    assert {kind for scene in scenes for kind, _ in scene} == {"star", "galaxy"}
    for scene, clean in zip(scenes, sample.clean[:, 0].numpy(), strict=True):
        expected = others.render_with_galsim(scene).array
        np.testing.assert_allclose(clean, expected, rtol=0, atol=2e-6 * expected.max())


@pytest.mark.moves_generators  # galsim has a generator of its own
def test_galsim_is_timed_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "ROWS", 2)
    assert "by GalSim" in others.compare_galsim(1)
    monkeypatch.setattr(others, "find_spec", lambda name: None)
    assert others.compare_galsim(1).startswith("GalSim is not installed; the released DeepBench")
