"""Recipes that extend others."""

from pathlib import Path

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.priors import Fixed
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
    # what a recipe extends is written out with it
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


def test_null_takes_away(tmp_path: Path) -> None:
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
    usual = write(tmp_path / "usual.yaml", "extends: own.yaml\nparameters: {length: null}\n")
    assert db.load_recipe(own).parameters["length"] == Fixed(3.0)
    assert (
        db.load_recipe(usual).parameters["length"]
        == SYSTEMS["pendulum"].fields["length"].rule.prior
    )


def test_circles_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml\n")
    write(tmp_path / "b.yaml", "extends: ./a.yaml\n")
    with pytest.raises(
        ValueError, match=r"must not lead back to the file itself, got a\.yaml -> b"
    ):
        db.load_recipe(tmp_path / "a.yaml")


def test_what_is_extended_must_be_there_and_valid(tmp_path: Path) -> None:
    missing = write(tmp_path / "a.yaml", "extends: nowhere.yaml\n")
    with pytest.raises(
        FileNotFoundError, match=r"a\.yaml: extends: there is no recipe file .*looked"
    ):
        db.load_recipe(missing)
    write(tmp_path / "list.yaml", "- 1\n")
    with pytest.raises(ValueError, match=r"list\.yaml must be a mapping, got no recipe"):
        db.load_recipe(write(tmp_path / "b.yaml", "extends: list.yaml\n"))
    with pytest.raises(ValueError, match=r"c\.yaml is not valid: objects\.star\.gama: "):
        db.load_recipe(write(tmp_path / "c.yaml", "extends: sky\nobjects: {star: {gama: 1}}\n"))


def test_size_and_seed_decide_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", "extends: star\nname: star\nsize: 7\nseed: 9\n")
    recipe = db.load_recipe(path)
    assert recipe.digest == db.load_recipe("star").digest
    catalogue = db.Catalogue(path)
    assert (len(catalogue), catalogue.seed) == (7, 9)
    other = db.Catalogue(path, size=3, seed=0)
    assert (len(other), other.seed) == (3, 0)
