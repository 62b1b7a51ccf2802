"""Valid numbers that are probably pixels, degrees or SI units: a warning, never an error."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import deepbench_torch as db
from deepbench_torch.cli.recipes import check
from deepbench_torch.recipes import recipe_warnings

LENGTH = "expected a fraction of the image's shorter side, got "
# Base, change, location of the warning, and a part of its message
DOUBTED: list[tuple[str, dict[str, Any], str, str]] = [
    ("astro", {"objects": {"star": {"x": 14}}}, "objects.star.x",
     "expected a fraction of the width, got 14, which is outside every image; "
     "at 28 pixels 0.518 was probably meant"),
    ("astro", {"objects": {"star": {"y": {"uniform": [5, 23]}}}}, "objects.star.y",
     "{uniform: [0.196, 0.839]} was probably meant"),
    ("astro", {"image": {"width": 56}, "objects": {"star": {"x": {"integer": [10, 20]}}}},
     "objects.star.x", "at 56 pixels {uniform: [0.188, 0.366]} was probably meant"),
    ("astro", {"objects": {"star": {"x": {"normal": [14, 3]}}}}, "objects.star.x",
     "{normal: {mean: 0.518, std: 0.107}} was probably meant"),
    ("astro", {"objects": {"star": {"x": {"choice": [7, 14]}}}}, "objects.star.x",
     "{choice: [0.268, 0.518]} was probably meant"),
    ("astro", {"objects": {"star": {"x": {"uniform": [0, 28]}}}}, "objects.star.x", "0.0179, 1.02"),
    ("astro", {"objects": {"star": {"x": -9}}}, "objects.star.x", "is outside every image"),
    ("astro", {"objects": {"star": {"x": 5000}}}, "objects.star.x", "write a smaller number"),
    ("astro", {"objects": {"star": {"gamma": 2}}}, "objects.star.gamma", LENGTH + "2, which"),
    ("astro", {"objects": {"star": {"gamma": 1}}}, "objects.star.gamma", "0.0357 was probably"),
    ("astro", {"objects": {"galaxy": {"radius": {"log_uniform": [2, 6]}}}}, "objects.galaxy.radius",
     "{log_uniform: [0.0714, 0.214]} was probably meant"),
    ("astro", {"objects": {"spiral": {"core_radius": 3}}}, "objects.spiral.core_radius", "0.107"),
    ("astro", {"objects": {"spiral": {"width": 1.5}}}, "objects.spiral.width", "0.0536"),
    ("astro", {"objects": {"galaxy": {"theta": 45}}}, "objects.galaxy.theta",
     "expected radians, got 45, which is more than a turn; in degrees 0.785 was probably meant"),
    ("astro", {"objects": {"galaxy": {"theta": {"uniform": [0, 180]}}}}, "objects.galaxy.theta",
     "{uniform: [0, 3.14]} was probably meant"),
    ("geometric", {"objects": {"circle": {"radius": 20}}}, "objects.circle.radius", "0.0781"),
    ("geometric", {"objects": {"circle": {"thickness": 3}}}, "objects.circle.thickness", "0.0117"),
    ("geometric", {"objects": {"rectangle": {"width": 100}}}, "objects.rectangle.width", "0.391"),
    ("geometric", {"objects": {"line": {"x1": 200}}}, "objects.line.x1", "0.783"),
    ("geometric", {"objects": {"line": {"thickness": 5}}}, "objects.line.thickness", "0.0195"),
    ("astro", {"degrade": {"blur": {"sigma": 2}}}, "degrade.blur.sigma", "0.0714 was probably"),
    ("astro", {"degrade": {"blur": {"sigma": 1}}}, "degrade.blur.sigma", "0.0357 was probably"),
    ("star", {"count": None, "scene": [{"star": {}}, {"star": {"x": 30}}], "label": "present"},
     "scene.1.star.x", "at 64 pixels 0.477 was probably meant"),
    ("star", {"count": None, "scene": [{"star": {}}], "objects": {"star": {"x": 30}}},
     "objects.star.x", "0.477"),
    ("sky", {"simplify": {"values": {"star": {"x": 30}}}}, "simplify.values.star.x", "0.477"),
    ("nbody", {"parameters": {"mass": 1.989e30}}, "parameters.mass",
     "in SI units 1 was probably meant"),
    ("nbody", {"parameters": {"gravity": 6.674e-11}}, "parameters.gravity", "39.5 was probably"),
    ("nbody", {"parameters": {"x": {"uniform": [-1.5e11, 1.5e11]}}}, "parameters.x",
     "{uniform: [-1, 1]} was probably meant"),
    ("nbody", {"time": {"duration": 3.156e7}}, "time.duration", "in SI units 1 was probably meant"),
    ("nbody", {"noise": {"measurement": {"x": 1.5e9}}}, "noise.measurement.x", "0.01 was probably"),
    ("pendulum", {"parameters": {"length": 1e9}}, "parameters.length", "write it in m"),
    ("pendulum", {"parameters": {"velocity": 1e8}}, "parameters.velocity", "radian / s"),
]  # fmt: skip
FINE: list[tuple[str, dict[str, Any]]] = [
    # partly or fully outside the image, as at the edges of a survey
    ("sky", {"objects": {"star": {"x": {"uniform": [-0.5, 1.5]}, "y": -0.2}}}),
    ("sky", {"objects": {"star": {"x": 1.9}}}),
    ("sky", {"objects": {"galaxy": {"x": 3}}}),
    ("sky", {"objects": {"galaxy": {"x": {"normal": {"mean": 0.5, "std": 0.3}}}}}),
    # a large circle; only an arc of it crosses the image
    ("geometric", {"objects": {"circle": {"x": -3.9, "radius": 1.3}}}),
    ("geometric", {"objects": {"line": {"x0": -1.9, "x1": 2.9}}}),
    # stripes from corner to corner, also of a wide image
    ("geometric", {"objects": {"rectangle": {"width": 1.4, "height": 0.1}}}),
    ("geometric", {"image": {"width": 1024}, "objects": {"rectangle": {"width": 4.0}}}),
    ("geometric", {"objects": {"circle": {"thickness": float("inf")}}}),
    ("astro", {"objects": {"galaxy": {"radius": 0.7, "theta": {"uniform": [-3.2, 6.2]}}}}),
    ("astro", {"degrade": {"blur": {"sigma": 0.2}}}),
    ("nbody", {"parameters": {"mass": 4e6, "x": 1e4}, "time": {"duration": 1e5}}),
    ("nbody", {"parameters": {"mass": 3e-6}}),
    ("pendulum", {"parameters": {"length": 67.0}, "time": {"duration": 86400.0}}),
]


def written(folder: Path, base: str, change: dict[str, Any]) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"extends": base, "name": "mine"} | change, sort_keys=False))
    return path


@pytest.mark.parametrize("name", db.list_recipes())
def test_no_packaged_recipe_is_doubtful(name: str) -> None:
    assert recipe_warnings(name) == []


@pytest.mark.parametrize(("base", "change", "location", "message"), DOUBTED)
def test_a_number_in_another_unit_is_reported_once(
    base: str, change: dict[str, Any], location: str, message: str, tmp_path: Path
) -> None:
    """Tested by every entrance: a file, `check`, replace and the class itself."""
    path = written(tmp_path, base, change)
    (doubt,) = recipe_warnings(path)
    assert doubt.startswith(f"{location}: expected ")
    assert message in doubt
    packaged = db.load_recipe(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recipe = db.load_recipe(path)
    plain = recipe.to_plain()
    loads: list[Callable[[], object]] = [
        lambda: db.load_recipe(path),
        lambda: packaged.replace(name="mine", **change),
        lambda: type(packaged).model_validate(plain),
        lambda: type(packaged)(**plain),
    ]
    for load in loads:
        with pytest.warns(UserWarning, match="^recipe mine: ") as caught:
            load()
        assert [str(warning.message) for warning in caught] == [f"recipe mine: {doubt}"]
        assert caught[0].filename == __file__
    # no second warning of the same number
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recipe.replace(name="other")


@pytest.mark.parametrize(("base", "change"), FINE)
def test_plausible_numbers_are_not_reported(
    base: str, change: dict[str, Any], tmp_path: Path
) -> None:
    assert recipe_warnings(written(tmp_path, base, change)) == []


def test_check_prints_a_warning_and_calls_the_recipe_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "astro", {"objects": {"star": {"x": 14}}})
    check([str(path)])
    warning, verdict = capsys.readouterr().out.splitlines()
    assert warning.startswith(f"{path}: warning: objects.star.x: expected a fraction of the width")
    assert verdict == f"{path}: valid, mine of 28 x 28 pixels"
