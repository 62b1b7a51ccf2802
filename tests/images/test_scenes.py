"""Scenes: light adds up, and the truth keeps its bounds whatever the defaults of torch."""

from collections.abc import Iterator

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.images import compose
from deepbench_torch.objects import OBJECTS
from tests.images import tensor_layouts as layouts

INDEX = torch.tensor([3, 0, 12_345, 7, 99])
CPU = torch.device("cpu")


def crowded() -> db.Recipe:
    """One to five objects of the astronomy recipe in images that are not square."""
    recipe: db.Recipe = db.load_recipe("astro")
    return recipe.replace(
        count={"integer": [1, 5]}, label="present", image={"height": 19, "width": 26}
    )


def test_light_of_a_scene_is_the_sum_of_its_objects() -> None:
    """Oracle: each object drawn alone through `OBJECTS`, added in float64."""
    recipe = crowded()
    scene = layouts.draw_scene(recipe, seed=1, index=INDEX)
    expected = torch.zeros(len(INDEX), 19, 26, dtype=torch.float64)
    for kind, present in scene.present.items():
        for row, slot in present.nonzero().tolist():
            one = {name: table[row, slot, None] for name, table in scene.parameters[kind].items()}
            expected[row] += OBJECTS[kind].render(one, recipe.grid)[0].double()
    found = compose.compose(scene, recipe.grid, how="sum", device=CPU)
    # single precision adds up to five numbers of one sign
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn one object at a time, to the last bit."""
    recipe = crowded()
    scene = layouts.draw_scene(recipe, seed=1, index=INDEX)
    whole = compose.compose(scene, recipe.grid, how="sum", device=CPU)
    monkeypatch.setattr(compose, "CHUNK", 1)
    assert torch.equal(compose.compose(scene, recipe.grid, how="sum", device=CPU), whole)


def test_every_slot_holds_at_most_one_object() -> None:
    recipe = crowded()
    scene = layouts.draw_scene(recipe, seed=0, index=torch.arange(300))
    there = torch.stack(list(scene.present.values())).sum(dim=0)  # (B, slots)
    assert int(there.max()) == 1
    assert torch.equal(there.sort(dim=1, descending=True).values, there)  # filled from the first
    assert set(there.sum(dim=1).tolist()) == {1, 2, 3, 4, 5}


def test_single_precision_does_not_round_up_to_a_bound() -> None:
    """Row 57692564 of seed 0 draws u = 1 - 1.15e-8 for the ellipticity, which rounds to 1.

    A galaxy of ellipticity 1 has no width, and its image is not a number.
    """
    recipe = db.load_recipe("astro").replace(objects={"galaxy": {"ellip": {"uniform": [0, 1]}}})
    scene = layouts.draw_scene(recipe, seed=0, index=torch.tensor([57_692_564]))
    ellip = scene.parameters["galaxy"]["ellip"]
    assert float(ellip) == 1 - 2.0**-24  # the largest number of single precision below 1
    one = {name: table[0] for name, table in scene.parameters["galaxy"].items()}
    assert bool(OBJECTS["galaxy"].render(one, recipe.grid).isfinite().all())


@pytest.fixture
def double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def rows() -> list[torch.Tensor]:
    degrade = {"blur": {"sigma": 0.05}, "gaussian": {"sigma": 0.1}}
    sample = db.generate(crowded().replace(degrade=degrade), 2, INDEX)
    tables = [table for kind in sample.scene.values() for table in kind.values()]
    return [sample.image, sample.clean, sample.label, *tables]


@pytest.mark.usefixtures("double_by_default")
def test_the_default_dtype_of_torch_changes_nothing() -> None:
    double = rows()
    torch.set_default_dtype(torch.float32)
    for found, expected in zip(double, rows(), strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
