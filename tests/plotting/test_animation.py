"""Animations: each frame shows the motion up to its time."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import deepbench_torch as db
from deepbench_torch.plotting.animation import MOST_FRAMES, frame_times, save_animation
from deepbench_torch.plotting.series_gallery import SERIES_TARGETS
from tests.series.series_cases import CASES


@pytest.mark.parametrize("name", db.list_recipes("series"))
def test_a_gif_has_a_frame_for_each_time(name: str, tmp_path: Path) -> None:
    data = db.Catalogue(CASES[name], size=2, target=SERIES_TARGETS)
    path = save_animation(data, tmp_path / "new" / "a.GIF", columns=1)
    with Image.open(path) as film:
        assert (film.format, film.n_frames) == ("GIF", CASES[name].time.steps + 1)  # type: ignore[attr-defined]
        pictures = []
        for frame in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(frame)
            pictures.append(np.asarray(film.convert("L")))
    changes = [bool((a != b).any()) for a, b in pairwise(pictures)]
    assert all(changes)
    coloured = [int((picture < 250).sum()) for picture in pictures]
    assert coloured[-1] > coloured[0]  # paths grow


@pytest.mark.parametrize("count", [2, 13, MOST_FRAMES, 201, 100_000])
def test_frames_are_spread_and_end_with_the_last_time(count: int) -> None:
    times = frame_times(count)
    assert len(times) == min(count, MOST_FRAMES)
    assert times[-1] == count - 1
    assert times == sorted(set(times))


def test_other_files_are_refused(tmp_path: Path) -> None:
    data = db.Catalogue(CASES["pendulum"], size=2, target=SERIES_TARGETS)
    with pytest.raises(ValueError, match=r"a\.mp4: expected .* ends in \.gif, got '\.mp4'"):
        save_animation(data, tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="expected time series, got images"):
        save_animation(db.Catalogue("star", size=2, image_size=4), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
