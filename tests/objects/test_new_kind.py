"""A kind of object that is only a row of `OBJECTS` has a recipe, schema, images and a gallery."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.plotting.gallery import gallery
from deepbench_torch.recipes import reader
from deepbench_torch.recipes.schema import recipe_schema

INDEX = torch.arange(4)


@pytest.fixture(autouse=True)
def coin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new kind, with the light of a circle, in the table alone."""
    caches = (reader._packaged, reader._read)
    monkeypatch.setitem(OBJECTS, "coin", replace(OBJECTS["circle"], name="coin"))
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def test_it_has_a_recipe_of_its_default_priors() -> None:
    recipe = db.load_recipe("coin")
    assert "coin" in db.list_recipes("image")
    assert recipe.classes == ["coin"]
    assert dict(recipe.objects["coin"]) == OBJECTS["coin"].prior
    assert recipe.unit("parameters/coin/radius") == "pixel"


def test_the_schema_has_its_parameters() -> None:
    text = str(recipe_schema())
    assert "'coin'" in text
    del OBJECTS["coin"]
    assert "'coin'" not in str(recipe_schema())


def test_its_images_are_those_of_its_light() -> None:
    """Oracle: `ObjectKind.render`, the formula on tensors."""
    sample = db.generate("coin", seed=0, index=INDEX)
    present = sample.present["coin"][:, 0]
    parameters = {name: values[:, 0] for name, values in sample.scene["coin"].items()}
    expected = OBJECTS["coin"].render(parameters, sample.recipe.grid)
    assert bool(present.all())
    torch.testing.assert_close(sample.clean[:, 0], expected, rtol=0, atol=2e-6)
    assert sample.recipe.log_prob(sample.scene, sample.present).isfinite().all()


def test_its_boxes_and_gallery_need_nothing_else() -> None:
    target = ("label", "boxes", "masks", "labels")
    data = db.Catalogue("coin", size=2, target=target)
    assert [len(truth["boxes"]) for _, truth in data] == [1, 1]
    figure = gallery(data, columns=2, rows=1, boxes=True)
    assert figure.axes[0].get_title(loc="left") == "coin"
