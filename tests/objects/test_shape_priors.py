"""Shapes in recipes: which values and priors make sense, and what the default ones draw."""

import math
from pathlib import Path

import pytest
import torch

from deepbench_torch import OBJECTS, Grid, Recipe, generate, load_recipe
from deepbench_torch.priors import Choice, Fixed, Integer, Normal, Prior, Uniform
from deepbench_torch.recipes.base import build_recipe


def recipe_of(kind: str, *, size: int, **priors: object) -> Recipe:
    plain = {
        "name": kind,
        "image": {"height": size, "width": size},
        "label": "class",
        "count": 1,
        "objects": {kind: priors},
    }
    return build_recipe(Recipe, plain, source="test")


@pytest.mark.parametrize(
    ("kind", "name", "wrong", "message"),
    [
        ("circle", "thickness", 0.0, "must be > 0"),
        ("circle", "thickness", math.nan, "must be > 0"),
        ("circle", "radius", math.inf, "must be > 0"),
        ("circle", "x", math.inf, "must be finite"),
        ("polygon", "vertices", 2.0, "must be whole and >= 3"),
        ("polygon", "vertices", 4.5, "must be whole and >= 3"),
        ("arc", "extent", 0.0, "must be > 0 and <= 6.28319"),
        ("arc", "extent", 6.2832, "must be > 0 and <= 6.28319"),
    ],
)
def test_values_without_sense_are_refused(kind: str, name: str, wrong: float, message: str) -> None:
    values = {other: torch.ones(1) * 4 for other in OBJECTS[kind].parameters}
    OBJECTS[kind].render(values, Grid(8, 8))
    with pytest.raises(ValueError, match=f"{kind}.{name} {message}"):
        OBJECTS[kind].render(values | {name: torch.tensor([wrong])}, Grid(8, 8))
    if not math.isnan(wrong):  # which no prior takes
        rule = OBJECTS[kind].fields[name].rule
        with pytest.raises(ValueError, match=f"{kind}.{name}: expected {rule}, got {wrong}; "):
            OBJECTS[kind].check_prior(name, Fixed(wrong))


@pytest.mark.parametrize(
    ("kind", "name", "prior"),
    [
        ("circle", "thickness", Fixed(math.inf)),
        ("circle", "thickness", Choice((0.05, math.inf))),
        ("circle", "x", Normal(0.5, 0.1)),
        ("circle", "radius", Normal(0.2, 0.1, low=0.05)),
        ("arc", "extent", Fixed(2 * math.pi)),
        ("arc", "extent", Uniform(0.1, 2 * math.pi)),
        ("polygon", "vertices", Integer(3, 8)),
        ("polygon", "vertices", Choice((3.0, 8.0))),
    ],
)
def test_priors_with_sense_are_accepted(kind: str, name: str, prior: Prior) -> None:
    OBJECTS[kind].check_prior(name, prior)


@pytest.mark.parametrize(
    ("kind", "name", "prior"),
    [
        ("circle", "radius", Choice((0.1, math.inf))),
        ("circle", "radius", Normal(0.2, 0.1)),
        ("arc", "extent", Normal(3.0, 0.1, low=0.1)),
        ("polygon", "vertices", Choice((3.0, 4.5, 6.0))),
        ("polygon", "vertices", Uniform(3, 6)),
        ("polygon", "vertices", Normal(4, 1, low=3)),
        ("polygon", "vertices", Integer(2, 6)),
    ],
)
def test_priors_without_sense_are_refused(kind: str, name: str, prior: Prior) -> None:
    with pytest.raises(ValueError, match=f"{kind}.{name}: expected"):
        OBJECTS[kind].check_prior(name, prior)


@pytest.mark.parametrize("size", [28, 64])
@pytest.mark.parametrize("kind", ["ellipse", "circle", "rectangle", "polygon", "arc", "line"])
def test_packaged_recipes_render_a_visible_object(kind: str, size: int) -> None:
    """Default priors, and for lines a layout that leaves out short ones."""
    image = generate(load_recipe(kind), 0, torch.arange(300), image_size=size).image
    assert set(image.flatten().tolist()) == {0.0, 1.0}
    share = image.mean(dim=(1, 2, 3))
    assert float(share.min()) > 0.008  # 0.35 by 0.03, less than the thinnest line
    assert float(share.max()) < 0.25


def test_recipe_file_holds_an_infinite_thickness(tmp_path: Path) -> None:
    recipe = recipe_of("circle", size=16).replace(objects={"circle": {"thickness": math.inf}})
    assert "thickness: .inf" in recipe.to_yaml()
    (tmp_path / "discs.yaml").write_text(recipe.to_yaml())
    assert load_recipe(tmp_path / "discs.yaml") == recipe
    assert load_recipe(tmp_path / "discs.yaml").digest == recipe.digest


def test_infinite_thickness_counts_towards_the_digest() -> None:
    discs = recipe_of("circle", size=16).replace(objects={"circle": {"thickness": math.inf}})
    rings = discs.replace(objects={"circle": {"thickness": 0.05}})
    assert rings.digest != discs.digest
    assert rings.replace(objects={"circle": {"thickness": math.inf}}).digest == discs.digest


def test_polygons_have_all_directions_evenly() -> None:
    """The first vertex above the x axis of each, in twelve bins of its symmetry."""
    sample = generate(recipe_of("polygon", size=8), 0, torch.arange(6000))
    scene = {name: values[:, 0] for name, values in sample.scene["polygon"].items()}
    for vertices in (3, 5, 6):
        theta = scene["theta"][scene["vertices"] == vertices]
        turn = 2 * math.pi / vertices
        assert_even(torch.remainder(theta, turn), turn)


@pytest.mark.parametrize("name", ["geometric", "line"])
def test_lines_have_all_directions_and_are_long(name: str) -> None:
    """Evenly within 5 %: that much more often along the sides and the diagonals."""
    sample = generate(load_recipe(name), 0, torch.arange(4000), image_size=16)
    line, there = sample.scene["line"], sample.present["line"]
    across, down = (line[f"{axis}1"][there] - line[f"{axis}0"][there] for axis in ("x", "y"))
    assert_even(torch.remainder(torch.atan2(down, across), math.pi), math.pi, uneven=0.1)
    length = torch.hypot(across, down) / 16
    assert float(length.quantile(0.01)) > 0.2


def assert_even(angles: torch.Tensor, turn: float, *, uneven: float = 0.0) -> None:
    """Twelve bins within 4.5 standard errors of a twelfth, and a share of it."""
    counts = torch.histc(angles, 12, 0, turn)
    expected = len(angles) / 12
    assert float((counts - expected).abs().max()) < 4.5 * math.sqrt(expected) + uneven * expected
