"""Parameters that all objects of an image share."""

from typing import Any

import pytest
import torch

import deepbench_torch as db

ROWS = torch.arange(200)


def shared(**keys: Any) -> db.Recipe:
    """Fields of stars and galaxies with shared parameters."""
    recipe: db.Recipe = db.load_recipe("sky").replace(
        **({"shared": {"star": ["gamma", "alpha"]}, "objects": {"spiral": None}} | keys)
    )
    return recipe


def test_objects_of_an_image_have_one_value() -> None:
    sample = db.generate(shared(), 3, ROWS)
    for name in ("gamma", "alpha"):
        values = sample.scene["star"][name]
        assert torch.equal(values, values[:, :1].expand_as(values))
        assert len(torch.unique(values[:, 0])) == len(ROWS)
    free = sample.scene["star"]["amplitude"]
    assert not bool((free == free[:, :1]).all())


def test_other_draws_stay_as_they_were() -> None:
    """The first slot keeps its value; other parameters keep all of theirs, without a layout."""
    one, two = (
        db.generate(shared(layout=None, shared=names), 3, ROWS)
        for names in (None, {"star": ["gamma"]})
    )
    for kind, parameters in one.scene.items():
        assert torch.equal(one.present[kind], two.present[kind])
        for name, values in parameters.items():
            found = two.scene[kind][name]
            if (kind, name) == ("star", "gamma"):
                assert torch.equal(found[:, 0], values[:, 0])
            else:
                assert torch.equal(found, values)


def test_the_density_counts_a_shared_value_once() -> None:
    """Oracle: the density of a recipe without sharing, less that of the repeated values."""
    recipe, free = shared(layout=None), shared(layout=None, shared=None)
    sample = db.generate(recipe, 3, ROWS)
    found = recipe.log_prob(sample.scene, sample.present)
    expected = free.log_prob(sample.scene, sample.present)
    repeated = (sample.present["star"].sum(1) - 1).clamp_min(0)
    for name in ("gamma", "alpha"):
        scale = 64 if name == "gamma" else 1
        value = sample.scene["star"][name][:, 0].double() / scale
        prior = recipe.objects["star"][name]
        expected = expected - repeated * (prior.log_prob(value) - torch.tensor(scale).log())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_objects_of_other_values_are_impossible() -> None:
    recipe = shared(layout=None, count=2)
    sample = db.generate(recipe, 3, ROWS)
    both = (sample.present["star"].sum(1) == 2).nonzero()[:, 0]
    scene = {kind: dict(parameters) for kind, parameters in sample.scene.items()}
    scene["star"]["gamma"] = scene["star"]["gamma"] * torch.tensor([1.0, 1.001])
    found = recipe.log_prob(scene, sample.present)
    assert bool(torch.isinf(found[both]).all())
    assert len(both) > 20


@pytest.mark.parametrize("name", ["flux", "magnitude"])
def test_total_light_is_shared(name: str) -> None:
    prior = {"uniform": [18, 22]} if name == "magnitude" else {"uniform": [0.01, 0.02]}
    recipe = shared(
        layout=None,
        shared={"star": [name]},
        objects={"spiral": None, "star": {name: prior}},
        zero_point=27.0,
    )
    table = db.generate(recipe, 3, ROWS).to_table()
    stars = table[table["kind"] == "star"]
    rows = set(stars["index"].tolist())
    for row in rows:
        values = stars[stars["index"] == row][name]
        assert float(values.max() - values.min()) < 1e-4 * float(values.max())
    assert len({round(float(line[name]), 3) for line in stars}) > len(rows) / 2
    sample = db.generate(recipe, 3, ROWS[:2])
    with pytest.raises(ValueError, match=f"log_prob: expected star without a shared {name}"):
        recipe.log_prob(sample.scene, sample.present)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"shared": {"sta": ["gamma"]}}, "shared.sta: expected a kind of objects, star, galaxy"),
        ({"shared": {"star": ["gama"]}}, "shared.star.0: .*; did you mean 'gamma'"),
        (
            {"shared": {"star": ["gamma"]}, "count": None, "scene": [{"star": {}}]},
            "shared: expected shared with count or counts, got scene",
        ),
    ],
)
def test_wrong_names_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shared(**keys)
