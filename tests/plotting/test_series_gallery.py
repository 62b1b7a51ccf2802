"""Galleries of time series, and time series on the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.plotting.gallery import gallery
from deepbench_torch.plotting.series_gallery import SERIES_TARGETS
from tests.cli.test_cli import run
from tests.series.series_cases import CASES, short

each_system = pytest.mark.parametrize("name", db.list_recipes("series"))


@each_system
def test_paths_and_energies_are_those_of_the_truth(name: str) -> None:
    """Oracle: the lines of the figure, read back."""
    recipe = CASES[name]
    figure = gallery(db.Catalogue(recipe, size=3, target=SERIES_TARGETS), columns=2, rows=2)
    above, below = figure.axes[0], figure.axes[2]  # of the first series
    sample = db.generate(recipe, 0, torch.arange(1))
    names = [channel.name for channel in recipe.channels]
    first = [f"{axis}0" if recipe.slots > 1 else axis for axis in recipe.definition.phase_plane]
    measured, clean, start = above.lines[:3]
    for line, series in ((measured, sample.series), (clean, sample.clean)):
        expected = [series[0, :, names.index(channel)].numpy() for channel in first]
        assert np.array_equal(np.asarray(line.get_data()), expected)
    assert np.array_equal(np.asarray(start.get_data())[:, 0], np.asarray(clean.get_data())[:, 0])
    bodies = int(sample.present[name].sum()) if recipe.slots > 1 else 1
    assert len(above.lines) == 3 * bodies
    for line in below.lines[1:]:
        assert np.allclose(np.asarray(line.get_xdata()), sample.time.numpy())
    energies = [np.asarray(line.get_ydata()) for line in below.lines[1:]]
    truth = [sample.kinetic, sample.potential, sample.kinetic + sample.potential]
    assert np.array_equal(energies, [energy[0].numpy() for energy in truth])
    assert len([axis for axis in figure.axes if axis.get_visible()]) == 6


def test_titles_and_axes_name_values_and_units() -> None:
    figure = gallery(db.Catalogue("pendulum", size=2, target=SERIES_TARGETS), columns=1, rows=1)
    length, _, gravity = db.Catalogue("pendulum", size=2)[0][1].tolist()
    above, below = figure.axes
    assert above.get_title(loc="left") == f"{length:.3g} m, {gravity:.3g} m/s\N{SUPERSCRIPT TWO}"
    assert above.get_xlabel() == "angle [radian]"
    assert below.get_xlabel() == "time [s]"


def test_refusals() -> None:
    catalogue = db.Catalogue(short("pendulum"), size=2, target=SERIES_TARGETS)
    with pytest.raises(ValueError, match="at most 100 time series, got 0 and 4"):
        gallery(catalogue, rows=0)
    with pytest.raises(
        ValueError, match="boxes or masks: expected a recipe of images, got pendulum"
    ):
        gallery(catalogue, boxes=True)
    with pytest.raises(ValueError, match=r"expected a dataset with target=.'clean', 'energy'"):
        gallery(db.Catalogue(short("pendulum"), size=2))


@each_system
def test_show_plots_series(name: str, tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(CASES[name].to_yaml())
    output = tmp_path / "sub" / "a.png"
    options = ("--output", str(output), "--columns", "2", "--rows", "1")
    assert run("show", str(tmp_path / "short.yaml"), *options) == 0
    assert output.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("format", ["h5", "npy", "fits"])
@each_system
def test_every_format_stores_series(name: str, format: str, tmp_path: Path) -> None:  # noqa: A002
    (tmp_path / "short.yaml").write_text(CASES[name].to_yaml())
    options = ("--size", "4", "--quiet", "--format", format)
    assert run("generate", str(tmp_path / "short.yaml"), str(tmp_path / "out"), *options) == 0
    card = (tmp_path / "out" / f"{name}.md").read_text()
    assert "4 of 13 times" in card
    assert (tmp_path / "out" / f"{name}_card" / "gallery.png").is_file()


def test_commands_accept_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "short.yaml").write_text(CASES["pendulum"].to_yaml())
    path = tmp_path / "a.h5"
    made = ("generate", str(tmp_path / "short.yaml"), str(path), "--size", "7", "--quiet")
    assert run(*made) == 0
    assert "7 time series of 13 times x 4 channels, recipe pendulum" in capsys.readouterr().out
    assert run("info", str(path)) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("7 of 13 times x 4 channels", "length, angle, gravity", "x [m]", "1 s"):
        assert text in printed
    assert run("show", str(path), "--output", str(tmp_path / "a.png"), "--rows", "1") == 0
    assert run("list") == 0
    assert "nbody" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("show nbody --boxes", "of images, got nbody of time series; omit them"),
        ("show nbody --image-size 28", "image_size: expected a recipe of images, got nbo"),
        ("show nbody --columns 1000", "at most 100 time series"),
        (
            "generate nbody out --image-size 28",
            "image_size: expected a recipe of images, got nbo",
        ),
    ],
)
def test_options_of_images_are_refused_in_one_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments.split()) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
