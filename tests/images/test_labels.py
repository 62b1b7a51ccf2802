"""Labels: classes of images that are no kinds, and numbers that a network is to measure."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.images.instances import render_instances
from deepbench_torch.training.checks import check_dataset

ROWS = torch.arange(40)
GROUPS: dict[str, Any] = {
    "stars": {"star": {"integer": [1, 9]}},
    "galaxy": {"galaxy": 1},
    "spiral": {"spiral": 1},
}


def grouped(**keys: Any) -> db.Recipe:
    """Fields of one to nine stars, or a galaxy, or a spiral."""
    recipe: db.Recipe = db.load_recipe("sky").replace(
        **({"count": None, "groups": GROUPS, "label": "class", "layout": None} | keys)
    )
    return recipe


def test_images_of_a_group_hold_its_numbers() -> None:
    sample = db.generate(grouped(), 3, torch.arange(3000), image_size=8)
    numbers = torch.stack([there.sum(1) for there in sample.present.values()], dim=1)
    assert sample.recipe.classes == ["stars", "galaxy", "spiral"]
    assert sample.recipe.kinds == ["star", "galaxy", "spiral"]
    stars = numbers[sample.label == 0]
    assert torch.equal(stars[:, 1:], torch.zeros_like(stars[:, 1:]))
    shares = stars[:, 0].bincount(minlength=10) / len(stars)
    assert float(shares[0]) == 0
    assert float((shares[1:] - 1 / 9).abs().max()) < 0.04  # 4 standard errors
    for group in (1, 2):
        expected = torch.zeros(3, dtype=torch.int64)
        expected[group] = 1
        assert (numbers[sample.label == group] == expected).all()


def test_groups_come_as_often_as_their_weights() -> None:
    recipe = grouped(weights={"stars": 2, "galaxy": 1, "spiral": 1})
    label = db.generate(recipe, 3, torch.arange(4000), image_size=8).label
    shares = label.bincount() / len(label)
    assert shares.tolist() == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


def test_groups_have_a_density() -> None:
    """Closed form: the share of the group, times that of the number, times the parameters'."""
    recipe = grouped(weights={"stars": 2, "galaxy": 1, "spiral": 1})
    sample = db.generate(recipe, 3, ROWS)
    found = recipe.log_prob(sample.scene, sample.present)
    parts = {"star": "stars", "galaxy": "galaxy", "spiral": "spiral"}
    for kind, group in parts.items():
        place = recipe.classes.index(group)
        rows = (sample.label == place).nonzero()[:, 0]
        count = sample.present[kind].sum(1)
        alone = db.load_recipe("sky").replace(
            layout=None,
            count=None,
            counts={"star": 0, "galaxy": 0, "spiral": 0} | {kind: {"integer": [0, 9]}},
        )
        expected = alone.log_prob(sample.scene, sample.present) + math.log(10)
        share = math.log([0.5 / 9, 0.25, 0.25][place])
        torch.testing.assert_close(found[rows], expected[rows] + share, rtol=1e-9, atol=1e-9)
        assert bool((count[rows] > 0).all())


def test_brightness_is_the_sum_of_the_pixels() -> None:
    """Oracle: the exact sum of Python; to 2**-34 of the brightest pixel each."""
    recipe = db.load_recipe("survey").replace(label="brightness")
    sample = db.generate(recipe, 3, ROWS)
    assert sample.label.shape == (len(ROWS), 1)
    for row, image in enumerate(sample.clean.double()):
        exact = math.fsum(image.flatten().tolist())
        assert float(sample.total[row]) == pytest.approx(exact, rel=1e-8, abs=1e-6)
        assert float(sample.label[row, 0]) == pytest.approx(exact, rel=1e-6, abs=1e-6)
    assert torch.equal(db.generate(recipe, 3, ROWS[7:8]).label[0], sample.label[7])


def test_named_parameters_are_the_label() -> None:
    recipe = db.load_recipe("sky").replace(label=["galaxy.radius", "star.x"])
    sample = db.generate(recipe, 3, ROWS)
    assert recipe.classes == ["galaxy.radius", "star.x"]
    for column, (kind, name) in enumerate((("galaxy", "radius"), ("star", "x"))):
        for row in range(len(ROWS)):
            there = sample.present[kind][row].nonzero()[:, 0]
            found = sample.label[row, column]
            if len(there):
                assert float(found) == float(sample.scene[kind][name][row, there[0]])
            else:
                assert math.isnan(float(found))


LABELS: dict[str, db.Recipe] = {
    "groups": grouped(),
    "brightness": db.load_recipe("sky").replace(label="brightness"),
    "parameters": db.load_recipe("galaxy").replace(label=["galaxy.radius", "galaxy.theta"]),
}
each_label = pytest.mark.parametrize("recipe", LABELS.values(), ids=list(LABELS))


@each_label
@pytest.mark.parametrize("form", ["h5", "npy", "fits", "jpeg"])
def test_labels_are_stored(recipe: db.Recipe, form: Any, tmp_path: Path) -> None:
    catalogue = db.Catalogue(recipe, size=12, image_size=16)
    path = db.materialize(catalogue, tmp_path / "rows", format=form, progress=False)
    stored = db.StoredCatalogue(path)
    assert stored.classes == catalogue.classes == catalogue.recipe.classes
    for place in (0, 7, 11):
        expected = torch.as_tensor(catalogue[place][1])
        assert torch.equal(torch.as_tensor(stored[place][1]), expected)
        assert torch.equal(expected, catalogue.samples(place).label[0])
    again = type(recipe).model_validate(recipe.to_plain())
    assert (again, again.digest) == (recipe, recipe.digest)


@each_label
def test_observed_scenes_have_them(recipe: db.Recipe) -> None:
    sample = db.generate(recipe, 3, ROWS)
    found = db.observe(sample.scene, recipe, seed=3, index=ROWS)
    assert torch.equal(found.label, sample.label)


def test_signal_to_noise_is_that_of_a_matched_filter() -> None:
    """Oracle: the scatter of the filter's output over realizations of the noise."""
    recipe = db.load_recipe("star").replace(degrade={"poisson": None, "gaussian": {"sigma": 0.1}})
    sample = db.generate(recipe, 3, ROWS[:1])
    light = sample.clean[0, 0].double()
    outputs = torch.stack(
        [
            (db.generate(recipe, 3, ROWS[:1], realization=k).image[0, 0].double() * light).sum()
            for k in range(400)
        ]
    )
    ratio = float(outputs.mean() / outputs.std())
    assert float(sample.signal_to_noise[0]) == pytest.approx(ratio, rel=0.15)
    target = db.Catalogue(recipe, size=5, seed=3, target="snr")[0][1]
    assert float(target[0]) == pytest.approx(float(sample.signal_to_noise[0]), rel=1e-5)
    assert len(render_instances(sample).row) == 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"label": ["galaxy.radios"]}, r"label.0: .*; did you mean 'galaxy.radius'"),
        ({"label": ["galaxy.radius"] * 2}, "label.1: expected each name once"),
        ({"label": []}, "label"),
        ({"label": "size"}, "label: expected"),
        (
            {"groups": GROUPS},
            "expected one of count, counts, groups and scene, got count and groups",
        ),
        (
            {"count": None, "groups": {"stars": {"star": 1}}},
            "groups: expected the kinds of objects",
        ),
        (
            {"count": None, "groups": GROUPS | {"many": {"star": 1.5}}},
            "groups.many.star: expected whole numbers from 0",
        ),
        (
            {"count": None, "groups": GROUPS, "weights": {"star": 1}},
            "weights: expected the groups, stars, galaxy, spiral, got star",
        ),
    ],
)
def test_wrong_labels_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.load_recipe("sky").replace(**keys)


def test_a_classifier_refuses_numbers() -> None:
    data = db.Catalogue(LABELS["brightness"], size=10)
    with pytest.raises(ValueError, match="Classifier: expected labels that are classes, got numb"):
        check_dataset(data, classes=["brightness"], multilabel=True)
