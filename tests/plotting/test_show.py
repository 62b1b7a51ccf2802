"""`show` and `animate`: figures of any data, without pyplot."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset

import deepbench_torch as db
from tests.series.series_cases import CASES

SKY = db.Catalogue("sky", size=9, image_size=(12, 20), seed=3)
DATA: dict[str, Callable[[], Any]] = {
    "catalogue": lambda: SKY,
    "split": lambda: db.Catalogue("sky", size=20, image_size=12, split="val"),
    "view": lambda: SKY[3:9],
    "view of a view": lambda: SKY[3:9][[4, 0]],
    "subset": lambda: Subset(SKY, [1, 2]),
    "collection": lambda: db.Collection([SKY, db.Catalogue("sky", size=3, image_size=(12, 20))]),
    "sample": lambda: SKY.samples(range(5)),
}


def pixels(figure: Any) -> list[Any]:
    return [axis.images[0].get_array() for axis in figure.axes if axis.images]


@pytest.mark.parametrize("name", DATA)
def test_images_of_all_data_are_plotted_with_boxes_and_masks(name: str) -> None:
    data = DATA[name]()
    figure = db.show(data, columns=3, rows=2)
    assert len(figure.axes) == 6
    first = data.image[0] if isinstance(data, db.Sample) else data[0][0]
    np.testing.assert_array_equal(pixels(figure)[0], first[0])
    overlaid = db.show(data, columns=3, rows=2, boxes=True, masks=True)
    assert any(axis.patches for axis in overlaid.axes)
    assert any(axis.collections for axis in overlaid.axes)
    np.testing.assert_array_equal(pixels(overlaid)[0], first[0])


def test_stored_rows_look_like_generated_rows(tmp_path: Path) -> None:
    stored = db.StoredCatalogue(db.materialize(SKY, tmp_path / "sky.h5", progress=False))
    figures = [db.show(data, columns=4, rows=2) for data in (SKY, stored)]
    for one, other in zip(*map(pixels, figures), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (3, 1, 4, 6), (1, 1, 4, 6), (12, 1, 4, 6)])
def test_tensors_are_plotted_in_order_with_their_titles(shape: tuple[int, ...]) -> None:
    images = torch.arange(1.0, 1 + math.prod(shape)).view(shape).sqrt()
    flat = images.reshape(-1, 4, 6)
    titles = [f"no. {number}" for number in range(len(flat))]
    figure = db.show(images, titles=titles)
    found = pixels(figure)
    assert len(found) == len(flat)
    assert [axis.get_title(loc="left") for axis in figure.axes[: len(flat)]] == titles
    for image, expected in zip(found, flat, strict=True):
        np.testing.assert_array_equal(image, expected)


def test_an_empty_batch_is_an_empty_figure() -> None:
    assert pixels(db.show(torch.zeros(0, 1, 4, 6))) == []
    assert pixels(db.show(SKY.samples([]))) == []


@pytest.mark.parametrize("name", CASES)
def test_time_series_are_plotted(name: str) -> None:
    data = db.Catalogue(CASES[name], size=3)
    for rows in (data, data[1:], data.samples(range(2))):
        figure = db.show(rows, columns=2, rows=1)
        assert sum(bool(axis.lines) for axis in figure.axes) == 4


def test_a_notebook_gets_a_picture_and_no_global_state(tmp_path: Path) -> None:
    program = (
        "import deepbench_torch as db, torch, sys\n"
        "figure = db.show(torch.rand(2, 1, 4, 6, generator=torch.Generator().manual_seed(0)))\n"
        "png = figure._repr_png_()\n"
        "assert png[:4] == b'\\x89PNG', png[:4]\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)  # noqa: S603


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "channels": (lambda: db.show(torch.zeros(2, 3, 4, 4)), r"expected images of shape .* got \(2"),
    "boxes of a tensor": (lambda: db.show(torch.zeros(4, 4), boxes=True), "expected no boxes"),
    "few titles": (lambda: db.show(torch.zeros(2, 1, 4, 4), titles=["a"]), "a title for each of 2"),
    "titles of data": (lambda: db.show(SKY, titles=["a"]), "expected titles only beside"),
    "boxes of series": (
        lambda: db.show(db.Catalogue(CASES["nbody"], size=1).samples([0]), boxes=True),
        "boxes or masks",
    ),
    "a text": (lambda: db.show("sky"), "expected real numbers, got 'sky'"),  # type: ignore[arg-type]
    "no rows": (lambda: db.show(SKY, rows=0), "expected positive rows"),
    "images in motion": (lambda: db.animate(SKY), "expected time series, got images"),
    "a tensor in motion": (lambda: db.animate(torch.zeros(2, 2)), "expected time series"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_data_are_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", CASES)
def test_an_animation_shows_itself_and_saves_itself(name: str, tmp_path: Path) -> None:
    data = db.Catalogue(CASES[name], size=2)
    motions = [
        db.animate(rows, columns=1, frames=4, dpi=30)
        for rows in (data, data[:1], data.samples([0]))
    ]
    assert motions[0].gif == motions[1].gif == motions[2].gif
    assert (
        motions[0]._repr_html_().startswith('<img alt="animation" src="data:image/gif;base64,R0lG')
    )
    path = motions[0].save(tmp_path / "a.gif")
    assert path.read_bytes() == motions[0].gif
    with Image.open(path) as film:
        assert film.n_frames == 4  # type: ignore[attr-defined]
    motions[0].save(path)  # may replace its own file
    with pytest.raises(ValueError, match=r"ends in \.gif, got '\.mp4'"):
        motions[0].save(tmp_path / "a.mp4")
