"""Recipes: reading, validating, changing and writing them."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Fixed, Normal, Uniform

PACKAGE = Path(db.__file__).parent
each_recipe = pytest.mark.parametrize("name", db.list_recipes())


@each_recipe
def test_yaml_round_trip(name: str, tmp_path: Path) -> None:
    recipe = db.load_recipe(name)
    path = tmp_path / "again.yaml"
    path.write_text(recipe.to_yaml())
    again = db.load_recipe(path)
    assert again == recipe
    assert again.digest == recipe.digest
    assert db.load_recipe(str(path)).to_yaml() == recipe.to_yaml()


REASONED = [
    *sorted(PACKAGE.glob("recipes/*.yaml")),
    *(PACKAGE / f"objects/{k}.py" for k in OBJECTS),
]


@pytest.mark.parametrize("path", REASONED, ids=lambda path: path.name)
def test_every_packaged_range_has_its_reason(path: Path) -> None:
    """A comment is above it, or above a few ranges with the same reason, as for x and y."""
    prior = re.compile(r"uniform:|normal:|integer:|choice:|Uniform\(|Normal\(|Integer\(|Choice\(")
    uncommented = 0
    for line in path.read_text().splitlines():
        if line.strip().startswith("#"):
            uncommented = 0
        elif prior.search(line.partition("#")[0]):
            uncommented += "#" not in line
            assert uncommented <= 4, line


# First 16 digits of the digests; they change with the default priors
DIGESTS = {
    "star": "5f40cf8604f49dcb",
    "galaxy": "6f7d37d41303d1bc",
    "spiral": "a8beaedf9a2668f0",
    "ellipse": "6d58ebe575ad7793",
    "circle": "db706b7929ca2ad9",
    "rectangle": "07782a30d097c4cf",
    "polygon": "870471cc696cd1b8",
    "arc": "8e0f0d152221870c",
    "line": "a915bf4fa6541b1a",
    "lensed": "ec976c1f525bbe79",
}


@pytest.mark.parametrize("kind", list(OBJECTS))
def test_every_kind_has_a_recipe_of_one_object(kind: str) -> None:
    recipe = db.load_recipe(kind)
    assert isinstance(recipe, db.Recipe)
    assert (recipe.name, recipe.classes) == (kind, [kind])
    assert recipe.digest.startswith(DIGESTS.get(kind, ""))
    assert recipe.description.startswith(f"one {kind}, every parameter random")


def test_list_is_sorted_and_loads() -> None:
    names = db.list_recipes()
    assert names == sorted(names)
    assert "astro" in names
    assert all(db.load_recipe(name).name == name for name in names)


def test_a_recipe_is_returned_unchanged() -> None:
    recipe = db.load_recipe("astro")
    assert db.load_recipe(recipe) is recipe


def test_replace_merges_keys_and_replaces_priors() -> None:
    recipe = db.load_recipe("astro")
    changed = recipe.replace(objects={"star": {"gamma": 0.05}}, degrade={"poisson": None})
    assert changed.objects["star"]["gamma"] == Fixed(0.05)
    assert changed.objects["star"]["alpha"] == recipe.objects["star"]["alpha"]
    assert changed.degrade.poisson is None
    assert recipe.degrade.poisson is not None
    narrowed = recipe.replace(objects={"star": {"gamma": {"uniform": [0.05, 0.06]}}})
    assert narrowed.objects["star"]["gamma"] == Uniform(0.05, 0.06)
    cut = recipe.replace(
        objects={"star": {"gamma": {"normal": {"mean": 0.1, "std": 1, "low": 0.01}}}}
    )
    assert cut.objects["star"]["gamma"] == Normal(0.1, 1, 0.01)
    assert recipe.replace(degrade=changed.degrade) == recipe.replace(degrade={"poisson": None})


def test_left_out_parameters_take_the_prior_of_the_object() -> None:
    recipe = db.load_recipe("astro")
    plain = recipe.to_plain()
    del plain["objects"]["star"]["gamma"]
    again = db.Recipe.model_validate(plain)
    assert again.objects["star"]["gamma"] == db.OBJECTS["star"].prior["gamma"]
    assert list(again.objects["star"]) == list(db.OBJECTS["star"].parameters)


def test_the_digest_depends_on_what_changes_a_row() -> None:
    recipe = db.load_recipe("astro")
    assert recipe.replace(description="other words").digest == recipe.digest
    assert recipe.replace(image={"height": 29}).digest != recipe.digest
    assert recipe.replace(degrade={"poisson": {"exposure": 401}}).digest != recipe.digest
    assert recipe.replace(objects={"star": {"alpha": 3}}).digest != recipe.digest


def test_the_digest_omits_defaults_and_keys_that_change_no_row() -> None:
    """Written out by hand: a key added in a later version must not change digests."""
    recipe = db.Recipe.model_validate(plain() | {"size": 3, "description": "words"})
    star = {name: prior.to_plain() for name, prior in recipe.objects["star"].items()}
    hashed = {
        "name": "mine",
        "image": {"height": 8, "width": 9},
        "label": "class",
        "count": 1.0,
        "objects": {"star": star},
    }
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
    assert recipe.digest == hashlib.sha256(text.encode()).hexdigest()


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        db.load_recipe("astro").label = "present"


def plain() -> dict[str, Any]:
    """Return a small valid recipe for the tests to change."""
    return {
        "name": "mine",
        "image": {"height": 8, "width": 9},
        "label": "class",
        "count": 1,
        "objects": {"star": {"gamma": 0.1}},
    }


def test_the_small_recipe_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(plain()))
    sample = db.generate(path, 0, torch.arange(3))
    assert sample.image.shape == (3, 1, 8, 9)
    assert torch.equal(sample.image, sample.clean)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"objects": {"star": {"gamma": -0.1}}},
            "objects.star.gamma: expected a number > 0, got -0.1",
        ),
        ({"objects": {"star": {"gamma": 0}}}, "leave its slot empty instead"),
        (
            {"objects": {"star": {"alpha": {"uniform": [0.5, 2]}}}},
            r"star.alpha: expected a number > 1, got \{'uniform': \[0.5, 2",
        ),
        ({"objects": {"star": {"alpha": 1}}}, "at 1 or below its light is infinite"),
        (
            {"objects": {"star": {"beta": 1}}},
            "objects.star.beta: expected a parameter of star, one of x, y, amplitude",
        ),
        (
            {"objects": {"comet": {}}},
            "objects.comet: expected one of star, galaxy, spiral, lensed, ",
        ),
        ({"objects": {"galaxy": {"ellip": 1.0}}}, "galaxy.ellip: expected a number >= 0 and < 1"),
        ({"objects": {"star": {"x": {"even": [0, 1]}}}}, "x: expected a number or one of uniform"),
        (
            {"objects": {"star": {"x": {"uniform": [1, 0]}}}},
            "star.x.uniform: expected finite low < high",
        ),
        ({"objects": {}}, "objects: expected at least one entry, got {}"),
        ({"image": {"height": 0, "width": 9}}, "image.height: expected a number >= 1, got 0"),
        (
            {"image": {"height": 8, "width": 9, "depth": 1}},
            "image.depth: expected one of the keys height, width, samples, got 'depth'",
        ),
        ({"label": "clas"}, "label: .*class, present, brightness or .*, got 'clas'"),
        ({"count": 2}, "label: expected present .* got class with count: 2"),
        ({"count": 0}, "label: expected present if an image can hold no object"),
        ({"count": {"uniform": [0.5, 1.5]}}, "count: expected whole numbers"),
        ({"count": float("inf")}, "count: expected whole numbers from 0 to 1000"),
        ({"degrade": {"blur": {"sigma": -1}}}, "degrade.blur.sigma: expected a number > 0, got -1"),
        ({"degrade": {"poisson": {"exposure": 0}}}, "degrade.poisson.exposure"),
        ({"name": "a/b"}, "name: .*got 'a/b'"),
        ({"colour": "red"}, "colour: expected one of the keys name, .*got 'colour'"),
    ],
)
def test_a_wrong_recipe_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(plain() | change))
    with pytest.raises(ValueError, match=message) as caught:
        db.load_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_fault_is_reported_together(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(plain() | {"label": 1, "count": "x", "shape": 2}))
    with pytest.raises(ValueError, match=r"label: .*; count: .*; shape: "):
        db.load_recipe(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [", "expected valid YAML"), ("- 1", "expected a mapping"), ("", "expected a mapping")],
)
def test_a_file_without_a_recipe_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        db.load_recipe(path)


def test_missing_files_and_names() -> None:
    found = r"^nowhere/a.yaml: expected a recipe file, got none in '.*nowhere'; check the name"
    with pytest.raises(FileNotFoundError, match=found):
        db.load_recipe("nowhere/a.yaml")
    with pytest.raises(
        ValueError, match=r"sky, .* or a file ending in .yaml, got 'astro.txt'; did you"
    ):
        db.load_recipe("astro.txt")


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(ValueError, match=r"expected valid YAML, got .* for the tag"):
        db.load_recipe(path)
