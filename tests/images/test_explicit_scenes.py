"""Explicit scenes: recipes that list their objects one by one."""

from typing import Any

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.priors import Fixed, Uniform


def recipe(**changes: object) -> db.Recipe:
    """Two stars and a galaxy on a frame that is not square."""
    plain: dict[str, Any] = {
        "name": "three",
        "image": {"height": 12, "width": 20},
        "label": "present",
        "objects": {"star": {"alpha": 3.0}, "spiral": {}, "galaxy": {}},
        "scene": [
            {"star": {"x": 0.25, "y": 0.5, "amplitude": 2.0, "gamma": 0.1}},
            {"galaxy": {"x": {"uniform": [0.5, 0.9]}, "n": 1.0, "theta": 0.3, "ellip": 0.2}},
            {"star": {"x": 0.75, "y": 0.25, "amplitude": 1.0, "gamma": 0.2, "alpha": 4.0}},
        ],
    }
    return db.Recipe.model_validate(plain | changes)


def test_every_image_holds_the_listed_objects() -> None:
    sample = db.generate(recipe(), 0, torch.arange(5))
    assert sample.present["star"].tolist() == [[True, False, True]] * 5
    assert sample.present["galaxy"].tolist() == [[False, True, False]] * 5
    assert not sample.present["spiral"].any()
    assert sample.label.tolist() == [[1.0, 0.0, 1.0]] * 5
    # fractions of 20 columns and 12 rows, counted from half a pixel before the first centre
    assert sample.scene["star"]["x"][:, [0, 2]].tolist() == [[4.5, 14.5]] * 5
    assert sample.scene["star"]["y"][:, [0, 2]].tolist() == [[5.5, 2.5]] * 5
    assert sample.scene["star"]["alpha"][:, [0, 2]].tolist() == [[3.0, 4.0]] * 5
    torch.testing.assert_close(sample.scene["star"]["gamma"][0, [0, 2]], torch.tensor([1.2, 2.4]))
    x = sample.scene["galaxy"]["x"][:, 1]
    assert len(set(x.tolist())) == 5
    assert ((x >= 9.5) & (x <= 17.5)).all()


def test_the_image_is_the_sum_of_its_objects_rendered_alone() -> None:
    sample = db.generate(recipe(), 0, torch.arange(2))
    total = torch.zeros(2, 12, 20)
    for kind, slot in (("star", 0), ("galaxy", 1), ("star", 2)):
        parameters = {name: values[:, slot] for name, values in sample.scene[kind].items()}
        total += db.OBJECTS[kind].render(parameters, db.Grid(12, 20))
    torch.testing.assert_close(sample.clean[:, 0], total)


def test_a_prior_of_a_listed_object_changes_nothing_else() -> None:
    before = db.generate(recipe(), 0, torch.arange(4))
    scene = recipe().to_plain()["scene"]
    scene[1]["galaxy"]["x"] = 0.5
    after = db.generate(recipe(scene=scene), 0, torch.arange(4))
    for kind, parameters in before.scene.items():
        for name, values in parameters.items():
            if (kind, name) != ("galaxy", "x"):
                assert torch.equal(after.scene[kind][name], values)


def test_left_out_parameters_and_kinds_are_filled_in() -> None:
    three = recipe()
    assert three.scene is not None
    assert three.scene[0]["star"]["alpha"] == Fixed(3.0)
    assert three.scene[1]["galaxy"]["radius"] == db.OBJECTS["galaxy"].prior["radius"]
    assert list(three.scene[1]["galaxy"]) == list(db.OBJECTS["galaxy"].parameters)
    alone = recipe(objects={}, scene=[{"star": {}}], label="class")
    assert alone.classes == ["star"]
    assert db.generate(alone, 0, torch.arange(3)).label.tolist() == [0, 0, 0]


def test_round_trip_and_layout() -> None:
    three = recipe()
    assert db.Recipe.model_validate(three.to_plain()) == three
    moved = [{"star": {"x": {"uniform": [0.0, 1.0]}, "y": 0.5}}, {"star": {"x": 0.5, "y": 0.5}}]
    wide = recipe(scene=moved, layout={"visible": 0.5})
    batch = db.generate(wide, 1, torch.arange(30))
    for row in (0, 7, 29):
        assert torch.equal(db.generate(wide, 1, torch.tensor([row])).image[0], batch.image[row])
    free = db.generate(recipe(scene=moved), 1, torch.arange(30))
    assert not torch.equal(batch.scene["star"]["x"][:, 0], free.scene["star"]["x"][:, 0])
    assert wide.scene is not None
    assert wide.scene[0]["star"]["x"] == Uniform(0.0, 1.0)


def test_rungs_of_an_explicit_scene() -> None:
    ladder = recipe(degrade={"gaussian": {"sigma": 0.1}}).rungs()
    assert [rung.name for rung in ladder] == ["simplest", "objects", "noise"]
    simplest = db.generate(ladder[0].recipe, 0, torch.arange(2))
    assert simplest.present["star"].tolist() == [[True, False, False]] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 1}, "got count and scene"),
        ({"scene": [{"star": {}, "galaxy": {}}]}, r"scene\.0: expected one object, got"),
        ({"scene": [{}]}, r"scene\.0: expected one object, got"),
        ({"scene": [{"comet": {}}]}, "expected one of star, .* got 'comet'"),
        ({"scene": [{"star": {"beta": 1}}]}, r"scene\.0\.star\.beta: expected a parameter of star"),
        (
            {"scene": [{"star": {"gamma": 0}}]},
            r"scene\.0\.star\.gamma: expected a number > 0, got 0",
        ),
        ({"label": "class"}, "label: expected present .* got class with scene: 3 objects"),
        ({"scene": []}, "scene: expected at least one entry"),
        ({"scene": 3}, "scene: expected a list, got 3"),
    ],
)
def test_a_wrong_scene_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe(**change)
