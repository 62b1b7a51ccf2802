"""Recipes that extend others."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import deepbench_torch as db
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes import recipe_from_plain
from deepbench_torch.systems import SYSTEMS


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_packaged_recipe_is_overridden(tmp_path: Path) -> None:
    path = write(
        tmp_path / "faint.yaml",
        "extends: sky\nobjects: {star: {amplitude: 0.3}}\ndegrade: {poisson: {exposure: 100}}\n",
    )
    recipe = db.load_recipe(path)
    expected = db.load_recipe("sky").replace(
        name="faint", objects={"star": {"amplitude": 0.3}}, degrade={"poisson": {"exposure": 100}}
    )
    assert recipe.digest == expected.digest
    assert recipe.name == "faint"
    assert recipe.description == "sky with changes"
    # YAML contains the values of the base recipe
    again = db.load_recipe(write(tmp_path / "again.yaml", recipe.to_yaml()))
    assert again == recipe


def test_files_extend_files_beside_them(tmp_path: Path) -> None:
    write(tmp_path / "a" / "base.yaml", "extends: star\nname: base\nobjects: {star: {x: 0.5}}\n")
    write(tmp_path / "b" / "middle.yml", "extends: ../a/base.yaml\nimage: {width: 70}\n")
    top = write(tmp_path / "top.yaml", "extends: b/middle.yml\nobjects: {star: {y: 0.25}}\n")
    recipe = db.load_recipe(top)
    assert recipe.name == "top"
    assert (recipe.image.height, recipe.image.width) == (64, 70)
    assert recipe.objects["star"]["x"] == Fixed(0.5)
    assert recipe.objects["star"]["y"] == Fixed(0.25)
    assert recipe.objects["star"]["gamma"] == db.load_recipe("star").objects["star"]["gamma"]


def test_null_removes_a_key(tmp_path: Path) -> None:
    path = write(
        tmp_path / "two.yaml",
        "extends: sky\nobjects: {spiral: null}\nlayout: null\ndegrade: {poisson: null}\n",
    )
    recipe = db.load_recipe(path)
    assert recipe.classes == ["star", "galaxy"]
    assert recipe.layout is None
    sample = db.generate(recipe, 0, torch.arange(3))
    assert torch.equal(sample.image, sample.clean)
    counted = write(
        tmp_path / "counted.yaml",
        "extends: sky\ncount: null\ncounts: {star: {integer: [0, 2]}, galaxy: 1, spiral: 1}\n",
    )
    assert db.load_recipe(counted).count is None
    fewer = write(
        tmp_path / "fewer.yaml",
        "extends: counted.yaml\nobjects: {galaxy: null}\ncounts: {galaxy: null}\n",
    )
    assert db.load_recipe(fewer).classes == ["star", "spiral"]
    listed = write(
        tmp_path / "listed.yaml",
        "extends: sky\ncount: null\nscene: [{star: {}}, {star: {x: 0.1}}]\n",
    )
    assert db.load_recipe(listed).slots == 2


def test_time_series_are_extended(tmp_path: Path) -> None:
    path = write(tmp_path / "short.yaml", "extends: pendulum\ntime: {steps: 3}\n")
    assert db.load_recipe(path).time.steps == 3
    assert db.Catalogue(path, size=2)[0][0].shape[0] == 4
    own = write(tmp_path / "own.yaml", "extends: short.yaml\nparameters: {length: 3}\n")
    default = write(tmp_path / "usual.yaml", "extends: own.yaml\nparameters: {length: null}\n")
    assert db.load_recipe(own).parameters["length"] == Fixed(3.0)
    assert (
        db.load_recipe(default).parameters["length"]
        == SYSTEMS["pendulum"].fields["length"].rule.prior
    )


def test_circles_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml\n")
    write(tmp_path / "b.yaml", "extends: ./a.yaml\n")
    with pytest.raises(ValueError, match=r"a file that does not extend this one, got a\.yaml -> b"):
        db.load_recipe(tmp_path / "a.yaml")


def test_the_base_recipe_must_exist_and_be_valid(tmp_path: Path) -> None:
    missing = write(tmp_path / "a.yaml", "extends: nowhere.yaml\n")
    with pytest.raises(
        FileNotFoundError, match=r"a\.yaml: extends: .*expected a recipe file, got none in"
    ):
        db.load_recipe(missing)
    write(tmp_path / "list.yaml", "- 1\n")
    with pytest.raises(
        ValueError, match=r"expected a mapping in .*list\.yaml, got \[1\]; extend a recipe"
    ):
        db.load_recipe(write(tmp_path / "b.yaml", "extends: list.yaml\n"))
    with pytest.raises(ValueError, match=r"c\.yaml is not valid: objects\.star\.gama: "):
        db.load_recipe(write(tmp_path / "c.yaml", "extends: sky\nobjects: {star: {gama: 1}}\n"))


def test_size_and_seed_change_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", "extends: star\nname: star\nsize: 7\nseed: 9\n")
    recipe = db.load_recipe(path)
    assert recipe.digest == db.load_recipe("star").digest
    catalogue = db.Catalogue(path)
    assert (len(catalogue), catalogue.seed) == (7, 9)
    other = db.Catalogue(path, size=3, seed=0)
    assert (len(other), other.seed) == (3, 0)


COUNTED = {"count": None, "counts": {"star": 1, "galaxy": {"integer": [0, 2]}, "spiral": 1}}
SAME: list[dict[str, Any]] = [
    {"objects": {"spiral": None}},
    {"objects": {"spiral": None, "star": {"x": None, "gamma": 0.05}}},
    {"objects": {"circle": None}},
    {"objects": {"circle": {}}},
    {"degrade": None},
    {"degrade": {"poisson": None, "gaussian": {"sigma": 0.1}}},
    {"degrade": {"poisson": {"background": None}}},
    {"layout": None, "ladder": None, "size": None, "simplify": None},
    {"layout": {"candidates": None}},
    {"simplify": {"kinds": ["star"], "objects": None}},
    COUNTED,
    COUNTED | {"objects": {"spiral": None}, "counts": {"star": 1, "galaxy": 1, "circle": None}},
    {"count": None, "objects": {"spiral": None}, "scene": [{"star": {"x": 0.1}}]},
    {"count": {"choice": {"values": [1, 2], "weights": [1, 2]}}},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"degrade": {}}, "degrade: expected at least one change, got {}"),
    ({"degrade": {"poisson": {}}}, "degrade.poisson: expected at least one change"),
    ({"objects": {}}, "objects: expected at least one change"),
    ({"objects": {"star": {}, "galaxy": {}}}, "objects.star: .*set it to None .* to remove it"),
    ({"image": {}}, "image: expected at least one change"),
    ({"layout": {}}, "layout: expected at least one change"),
    (
        {"objects": {"star": None, "galaxy": None, "spiral": None}},
        "objects: expected at least one entry, got {}",
    ),
    ({"objects": {"spirla": None}}, "objects.spirla: .*did you mean 'spiral'"),
    ({"count": None, "counts": {"starr": None}}, "counts"),
    ({"objects": {"star": {"gama": None}}}, "objects.star.gama: .*did you mean 'gamma'"),
    ({"lyaout": None}, "lyaout: .*did you mean 'layout'"),
    ({"degrade": {"poison": None}}, "degrade.poison: .*did you mean 'poisson'"),
    ({"label": None}, "label: "),
    ({"image": {"height": None}}, "image.height: "),
    (
        {"count": None, "scene": [{"spiral": {}}], "objects": {"spiral": None}},
        "objects.spiral: expected a kind that scene does not list",
    ),
]


@pytest.mark.parametrize("changes", SAME, ids=str)
def test_replace_in_python_is_extends_in_yaml(changes: dict[str, Any], tmp_path: Path) -> None:
    """null in YAML and None in Python remove the same keys."""
    path = tmp_path / "sky.yaml"
    text = yaml.safe_dump(
        {"extends": "sky", "name": "sky", "description": "-"} | changes, sort_keys=False
    )
    expected = db.load_recipe("sky").replace(description="-", **changes)
    assert db.load_recipe(write(path, text)) == expected


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=str)
def test_replace_and_extends_refuse_the_same(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "sky.yaml", yaml.safe_dump({"extends": "sky"} | changes, sort_keys=False)
    )
    with pytest.raises(ValueError, match=f"recipe sky is not valid: .*{message}") as in_python:
        db.load_recipe("sky").replace(**changes)
    with pytest.raises(ValueError, match=message) as in_yaml:
        db.load_recipe(path)
    assert str(in_yaml.value).removeprefix(str(path)) == str(in_python.value).removeprefix(
        "recipe sky"
    )


def test_none_removes_all_noise_and_a_kind() -> None:
    sky = db.load_recipe("sky").replace(objects={"spiral": None}, degrade=None)
    assert sky.classes == ["star", "galaxy"]
    sample = db.generate(sky, 0, torch.arange(3))
    assert torch.equal(sample.image, sample.clean)
    lensing = db.load_recipe("lensing").replace(objects={"arc": None})
    assert list(lensing.counts) == ["star"]
    series = db.load_recipe("pendulum").replace(noise=None)
    assert series.noise.of_measurement == {}


@pytest.mark.parametrize("changes", [{"noise": {}}, {"noise": {"measurement": {}}}, {"time": {}}])
def test_an_empty_change_of_time_series_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected at least one change, got \{\}"):
        db.load_recipe("pendulum").replace(**changes)


def test_an_empty_change_of_parameters_changes_nothing() -> None:
    """A system always has all of its parameters, so an empty change removes none."""
    recipe = db.load_recipe("pendulum")
    assert recipe.replace(parameters={}) == recipe


@pytest.mark.parametrize("key", ["parameters", "options"])
def test_unknown_names_are_not_removed_silently(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}.lenght: "):
        db.load_recipe("pendulum").replace(**{key: {"lenght": None}})


@pytest.mark.parametrize("target", ["sky", "other.yaml", "/etc/passwd"])
def test_a_recipe_in_a_data_file_reads_no_other_file(target: str) -> None:
    """Only a recipe's own YAML file may extend another."""
    with pytest.raises(ValueError, match=r"^x is not valid: .*extends: ") as caught:
        recipe_from_plain({"extends": target, "name": "mine"}, source="x")
    assert "complete" in str(caught.value)


@pytest.mark.parametrize("stem", ["my sky (2)", "ä", "a[b]*?", "~x", "-", "a.b", ".."])
def test_a_recipe_that_extends_is_named_after_its_file(stem: str, tmp_path: Path) -> None:
    recipe = db.load_recipe(write(tmp_path / f"{stem}.yaml", "extends: star\n"))
    assert recipe.name == re.sub(r"[^a-z0-9.-]+|^\.+$", "_", stem)
