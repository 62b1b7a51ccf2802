"""Weights of kinds, and images without any object."""

import math

import pytest
import torch
from scipy import stats

import deepbench_torch as db

ROWS = torch.arange(4000)


def weighted(**weights: float) -> db.Recipe:
    recipe = db.load_recipe("astro")
    assert isinstance(recipe, db.Recipe)
    return recipe.replace(weights=weights)


@pytest.mark.parametrize(
    "weights",
    [
        {"star": 95, "galaxy": 5, "spiral": 0},
        {"star": 0.1, "galaxy": 0.2, "spiral": 0.3},
        {"star": 0, "galaxy": 0, "spiral": 7},
    ],
)
def test_kinds_come_as_often_as_their_weights(weights: dict[str, float]) -> None:
    """Oracle: the chi-squared test of scipy; a kind without weight never comes."""
    found = torch.bincount(db.generate(weighted(**weights), 0, ROWS).label, minlength=3)
    shares = torch.tensor(list(weights.values())) / math.fsum(weights.values())
    some = shares > 0
    assert int(found[~some].sum()) == 0
    if int(some.sum()) > 1:
        expected = (shares[some] * len(ROWS)).double()
        expected *= float(found[some].sum() / expected.sum())
        assert stats.chisquare(found[some].numpy(), expected.numpy()).pvalue > 1e-3


def test_weights_change_no_parameter() -> None:
    plain, other = (
        db.generate(recipe, 0, ROWS[:100])
        for recipe in (db.load_recipe("astro"), weighted(star=8, galaxy=1, spiral=1))
    )
    for kind in ("star", "galaxy", "spiral"):
        for name, values in plain.scene[kind].items():
            assert torch.equal(values, other.scene[kind][name])


def test_the_density_knows_them() -> None:
    """The probability of a kind, beside the density of its parameters."""
    recipe, plain = weighted(star=8, galaxy=1, spiral=1), db.load_recipe("astro")
    sample = db.generate(recipe, 0, ROWS[:50])
    extra = recipe.log_prob(sample.scene) - plain.log_prob(sample.scene)
    expected = torch.tensor([0.8, 0.1, 0.1]).double().log()[sample.label] + math.log(3)
    torch.testing.assert_close(extra, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"star": 1}}, "weights: expected the kinds of objects, star, galaxy, spiral"),
        ({"weights": {"star": 1, "galaxy": 1, "comet": 1}}, "got star, galaxy, comet"),
        ({"weights": {"star": 0, "galaxy": 0, "spiral": 0}}, "expected a positive sum"),
        ({"weights": {"star": -1, "galaxy": 1, "spiral": 1}}, "weights.star"),
        ({"weights": {"star": math.nan, "galaxy": 1, "spiral": 1}}, "weights.star"),
        ({"weights": {"star": "1", "galaxy": 1, "spiral": 1}}, "weights.star"),
    ],
)
def test_wrong_weights_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.load_recipe("astro").replace(**changes)


def test_weights_belong_to_a_count() -> None:
    counts = {"star": 1, "galaxy": 1, "spiral": 1}
    with pytest.raises(ValueError, match="weights: expected weights with count or groups only"):
        db.load_recipe("sky").replace(count=None, counts=counts, weights=counts)


@pytest.mark.parametrize("name", ["sky", "geometric", "lensing"])
def test_images_may_be_empty(name: str) -> None:
    """Nothing but noise, in every target."""
    empty = {"count": 0} if name != "lensing" else {"counts": {"arc": 0, "star": 0}}
    recipe = db.load_recipe(name).replace(image={"height": 12, "width": 20}, **empty)
    targets = ["label", "boxes", "masks", "labels", "slots", "components", "parameters", "clean"]
    data = db.Catalogue(recipe, size=5, target=targets)
    image, truth = data[0]
    assert image.shape == (1, 12, 20)
    assert not truth["label"].any()
    assert not truth["clean"].any()
    assert truth["boxes"].shape == (0, 4)
    assert truth["masks"].shape == truth["components"].shape == (0, 12, 20)
    assert truth["labels"].shape == truth["slots"].shape == (0,)
    assert len(data.to_table()) == 0


def test_some_images_may_be_empty() -> None:
    """A third of them, as the prior says."""
    recipe = db.load_recipe("sky").replace(
        count={"integer": [0, 2]}, image={"height": 8, "width": 8}
    )
    sample = db.generate(recipe, 0, ROWS[:900])
    number = torch.stack([there.sum(1) for there in sample.present.values()]).sum(0)
    assert stats.chisquare(torch.bincount(number).numpy()).pvalue > 1e-3
