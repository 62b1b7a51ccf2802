"""Difficulty of objects, against reference renderers and counts of pixels."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import deepbench_torch as db
from baselines.analysis import dependence
from baselines.analysis.dependence import clearest
from baselines.analysis.factors import Factors, factors
from baselines.scoring.predictions import Header, Predictions
from deepbench_torch.datasets.problems.scores import wilson

GRID = db.Grid(24, 20)
STAR = {"x": 8.5, "y": 11.5, "amplitude": 2.0, "gamma": 1.6, "alpha": 3.0}


def fixed(objects: dict[str, dict[str, float]], **keys: Any) -> db.Recipe:
    """Return a recipe of one object of each kind, with fixed parameters in pixels."""
    sides = {"x": GRID.width, "y": GRID.height}
    lengths = {"gamma", "radius", "width", "height"}
    plain = {
        kind: {
            name: (value + 0.5) / sides[name]
            if name in sides
            else value / GRID.shorter
            if name in lengths
            else value
            for name, value in values.items()
        }
        for kind, values in objects.items()
    }
    base = db.load_recipe("sky").to_plain() | {"count": None, "layout": None, "degrade": {}}
    base |= {"objects": plain, "counts": dict.fromkeys(plain, 1), "name": "fixed"}
    base |= {"image": {"height": GRID.height, "width": GRID.width}}
    return db.Recipe.model_validate(base | keys)


def test_signal_to_noise_of_a_star() -> None:
    """Oracle: the reference renderer's light, and the variance by hand."""
    light = db.reference.render("star", STAR, GRID)
    for degrade, variance in (
        ({"gaussian": {"sigma": 0.3}}, np.full_like(light, 0.09)),
        ({"poisson": {"exposure": 50, "background": 0.4}}, (light + 0.4) / 50),
        (
            {"poisson": {"exposure": 50}, "gaussian": {"sigma": 0.3}},
            light / 50 + 0.09,
        ),
    ):
        found = factors(fixed({"star": STAR}, degrade=degrade), 0, torch.arange(2))
        expected = math.sqrt((light**2 / variance).sum())
        assert found.signal.tolist() == pytest.approx([expected] * 2, rel=1e-5)  # single precision
    found = factors(fixed({"star": STAR}), 0, torch.arange(1))
    assert found.signal.tolist() == [math.inf]


def test_size_and_overlap_of_shapes() -> None:
    """Oracle: the reference renderer's shapes, counted in numpy."""
    circle = {"x": 8.0, "y": 9.0, "radius": 5.0, "thickness": math.inf, "amplitude": 1.0}
    box = {"x": 12.0, "y": 9.0, "width": 9.0, "height": 5.0, "theta": 0.0}
    shapes = {"circle": circle, "rectangle": box | {"thickness": math.inf, "amplitude": 1.0}}
    found = factors(fixed(shapes, compose="union"), 0, torch.tensor([4, 0]))
    assert found.place.tolist() == [0, 0, 1, 1]
    assert found.kind.tolist() == [0, 1, 0, 1]
    masks = [db.reference.render(kind, values, GRID) > 0 for kind, values in shapes.items()]
    both = (masks[0] & masks[1]).sum()
    assert both > 0
    for place, shape in enumerate(masks):
        pixels = shape.sum()
        assert float(found.size[place]) == pytest.approx(2 * math.sqrt(pixels / math.pi))
        assert float(found.overlap[place]) == pytest.approx(both / pixels)


def test_overlap_counts_pixels_where_others_are_brighter() -> None:
    """Oracle: the reference renderer's light, compared in numpy."""
    galaxy = {"x": 10.0, "y": 12.0, "amplitude": 0.5, "radius": 3.0, "n": 1.0, "ellip": 0.2}
    kinds = {"star": STAR, "galaxy": galaxy | {"theta": 0.3}}
    found = factors(fixed(kinds), 0, torch.arange(1))
    light = [db.reference.render(kind, values, GRID) for kind, values in kinds.items()]
    edges = (STAR["amplitude"] / 10, galaxy["amplitude"])
    for place, (own, other) in enumerate(zip(light, light[::-1], strict=True)):
        mask = own >= edges[place]
        expected = (mask & (own <= other)).sum() / mask.sum()
        assert float(found.overlap[place]) == pytest.approx(expected)
        assert 0 < expected < 1


def test_batches_equal_single_rows() -> None:
    recipe = db.load_recipe("sky")
    assert isinstance(recipe, db.Recipe)
    rows = torch.arange(230)
    found = factors(recipe, 3, rows)
    assert sorted(set(found.place.tolist())) == rows.tolist()
    alone = factors(recipe, 3, rows[220:221])
    own = found.place == 220
    for column, expected in zip(found[1:], alone[1:], strict=True):
        assert torch.equal(column[own], expected)


def example(signal: list[float]) -> Factors:
    """Return five objects in two images: kinds 0 0 1 in the first, 1 1 in the second."""
    return Factors(
        place=torch.tensor([0, 0, 0, 1, 1]),
        kind=torch.tensor([0, 0, 1, 1, 1]),
        signal=torch.tensor(signal),
        size=torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]),
        overlap=torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5]),
    )


def test_the_clearest_object_of_each_kind_counts() -> None:
    found = clearest(example([9.0, 8.0, 7.0, 6.0, 6.5]))
    assert found.place.tolist() == [0, 0, 1]
    assert found.kind.tolist() == [0, 1, 1]
    assert found.size.tolist() == [1.0, 3.0, 5.0]
    assert clearest(example([math.inf] * 5)).size.tolist() == [2.0, 3.0, 5.0]


def predictions(label: torch.Tensor, probability: torch.Tensor) -> Predictions:
    catalogue = db.Catalogue("sky", size=10, image_size=16)
    rows = torch.arange(len(label))
    two: dict[str, object] = {"star": {}, "galaxy": {}}
    recipe = db.Recipe.model_validate(db.load_recipe("sky").to_plain() | {"objects": two})
    return Predictions(Header.of(catalogue), recipe, rows, label, probability)


def test_right_answers_are_counted_in_bins() -> None:
    """600 images of one object: found where the signal is above 100. Oracle: closed form."""
    signal = torch.arange(600.0) + 1
    one = torch.ones(600)
    objects = Factors(torch.arange(600), torch.zeros(600).long(), signal, 3 * one, 0 * one)
    probability = torch.zeros(600, 2)
    probability[:, 0] = (signal > 100).float()
    label = torch.tensor([[1.0, 0.0]]).expand(600, 2)
    points = dependence.dependence(predictions(label, probability), objects)
    assert {point.factor for point in points} == {"signal"}  # nothing else varies
    assert [point.answers for point in points] == [100] * 6
    assert [point.share for point in points] == [0, 1, 1, 1, 1, 1]
    assert [point.value for point in points] == [50 + 100 * place for place in range(6)]
    assert (points[0].low, points[0].high) == wilson(0, 100)


def test_a_value_that_many_share_has_a_bin_of_its_own() -> None:
    overlap = torch.cat((torch.zeros(300), torch.arange(1.0, 101)))
    one = torch.ones(400)
    objects = Factors(torch.arange(400), torch.zeros(400).long(), one, one, overlap)
    probability = torch.zeros(400, 2)
    probability[:, 0] = (overlap == 0).float()
    label = torch.tensor([[1.0, 0.0]]).expand(400, 2)
    points = dependence.dependence(predictions(label, probability), objects)
    assert [(p.share, p.answers) for p in points] == [(1.0, 300), *[(0.0, 25)] * 4]


def test_labels_are_counted_by_the_number_of_objects() -> None:
    label = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    probability = torch.tensor([[0.9, 0.2], [0.1, 0.8]])
    points = dependence.dependence(
        predictions(label, probability), example([9.0, 8.0, 7.0, 6.0, 6.5])
    )
    counted = {(p.group, p.value): (p.share, p.answers) for p in points if p.factor == "objects"}
    assert counted == {
        (dependence.LABELS_RIGHT, 2.0): (1.0, 1),
        (dependence.ALL_RIGHT, 2.0): (1.0, 1),
        (dependence.LABELS_RIGHT, 3.0): (0.5, 1),
        (dependence.ALL_RIGHT, 3.0): (0.0, 1),
    }
    missed = [p for p in points if (p.factor, p.group) == ("signal", "galaxy")]
    assert sum(p.answers * p.share for p in missed) == 1  # in the second image only


def test_one_label_an_image_is_right_or_wrong_with_its_kind() -> None:
    label = torch.tensor([0, 1])
    probability = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    objects = Factors(*(column[torch.tensor([0, 4])] for column in example([9.0] * 5)))
    points = dependence.dependence(predictions(label, probability), objects)
    assert {(p.group, p.share) for p in points} == {("star", 1.0), ("galaxy", 0.0)}
