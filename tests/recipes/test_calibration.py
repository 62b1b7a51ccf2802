"""Magnitudes and pixel scales of recipes."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from astropy import units

import deepbench_torch as db
from deepbench_torch.cli.catalogues import info
from deepbench_torch.generate import resize
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import derived
from deepbench_torch.recipes import Recipe


def calibrated(**changes: Any) -> Recipe:
    keys: dict[str, Any] = {"zero_point": 25.0, "pixel_scale": 0.2, **changes}
    recipe = db.load_recipe("sky").replace(**keys)
    assert isinstance(recipe, Recipe)
    return recipe


def test_they_change_no_row_and_no_digest() -> None:
    plain, recipe = db.load_recipe("sky"), calibrated()
    assert recipe.digest == plain.digest
    index = torch.arange(3)
    assert torch.equal(db.generate(recipe, 0, index).image, db.generate(plain, 0, index).image)


def test_files_mention_them_only_where_they_are_set() -> None:
    assert "zero_point" not in db.load_recipe("sky").to_yaml()
    assert "pixel_scale" not in db.load_recipe("sky").to_yaml()
    text = calibrated(pixel_scale=None).to_yaml()
    assert "zero_point: 25.0\n" in text
    assert "pixel_scale" not in text
    assert calibrated(zero_point=None, pixel_scale=None) == db.load_recipe("sky")


@pytest.mark.parametrize("size", [28, 64, 256, (40, 200)])
def test_magnitudes_and_angles_are_those_of_any_image_size(size: Any) -> None:
    """Oracle: the same objects, whose light and width are measured in other pixels."""
    recipe = calibrated(layout=None)  # which would judge another form of image differently
    index = torch.arange(4)
    base, other = (db.generate(recipe, 0, index, image_size=each) for each in (64, size))
    for kind, parameters in base.scene.items():
        found = [
            derived(OBJECTS[kind], each.scene[kind], zero_point=each.recipe.zero_point)
            for each in (base, other)
        ]
        torch.testing.assert_close(found[0]["magnitude"], found[1]["magnitude"], rtol=0, atol=1e-5)
        assert found[0]["magnitude"].shape == parameters["x"].shape
    width = [
        each.scene["star"]["gamma"] * (each.recipe.pixel_scale or math.nan)
        for each in (base, other)
    ]
    torch.testing.assert_close(*width, rtol=1e-6, atol=0)


def test_the_recipe_of_another_size_is_calibrated() -> None:
    other = resize(calibrated(), (128, 300))
    assert isinstance(other, Recipe)
    assert other.pixel_scale == 0.1
    assert other.zero_point == pytest.approx(25 + 5 * math.log10(2), abs=1e-14)
    again = resize(other, 64)
    assert isinstance(again, Recipe)
    assert again.zero_point == pytest.approx(25, abs=1e-14)
    assert resize(calibrated(), 64) == calibrated()
    assert resize(db.load_recipe("sky"), 32) == db.load_recipe("sky").replace(
        image={"height": 32, "width": 32}
    )


def test_quantities_have_units() -> None:
    scale = 180.0 * units.mas / units.pix
    recipe = calibrated(zero_point=25.5 * units.mag, pixel_scale=scale)
    assert recipe.zero_point == 25.5
    assert recipe.pixel_scale == pytest.approx(0.18)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pixel_scale": -0.1}, "pixel_scale: expected a number > 0, got -0.1"),
        ({"pixel_scale": 0}, "pixel_scale: expected a number > 0, got 0"),
        ({"pixel_scale": math.inf}, "pixel_scale: expected a finite number, got inf"),
        ({"pixel_scale": 0.1 * units.m}, "pixel_scale: expected a number in arcsec / pixel"),
        ({"zero_point": math.inf}, "zero_point: expected a finite number, got inf"),
        ({"zero_point": math.nan}, "zero_point: expected a finite number, got nan"),
        ({"zero_point": "25"}, "zero_point: expected a number, got '25'"),
        ({"zero_point": {"uniform": [1, 2]}}, "zero_point: expected a number"),
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        calibrated(**wrong)
    assert str(caught.value).startswith(f"recipe sky is not valid: {message}")
    assert str(caught.value).count(" got ") == 1


def test_a_file_is_read_with_the_zero_point_that_is_requested(tmp_path: Path) -> None:
    """The rows do not depend on it, so a file that was written with another is used."""
    path = db.materialize(db.Catalogue(calibrated(), size=4), tmp_path / "a.h5", progress=False)
    other = calibrated(zero_point=27.0)
    found = db.StoredCatalogue(path, recipe=other).to_table()["magnitude"]
    expected = db.Catalogue(other, size=4).to_table()["magnitude"]
    assert found.tolist() == expected.tolist()
    own = db.StoredCatalogue(path).to_table()["magnitude"]
    torch.testing.assert_close(torch.tensor(own + 2), torch.tensor(expected))


def test_the_command_line_states_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = db.materialize(db.Catalogue(calibrated(), size=2), tmp_path / "a.h5", progress=False)
    info(path)
    printed = capsys.readouterr().out
    assert "zero point" in printed
    assert "0.2 arcsec a pixel" in printed


def test_time_series_have_none() -> None:
    with pytest.raises(ValueError, match="zero_point: expected one of the keys"):
        db.load_recipe("pendulum").replace(zero_point=25.0)
