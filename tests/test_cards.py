"""Cards: what they tell of a catalogue, counted again from its samples."""

from pathlib import Path

import numpy as np
import pytest
import torch

import deepbench_torch as db
from deepbench_torch.cards import write_card
from deepbench_torch.cards.columns import columns_of


@pytest.mark.parametrize("name", ["sky", "geometric"])
def test_columns_hold_the_objects_that_are_there(name: str) -> None:
    columns = columns_of(db.Catalogue(name, size=30, seed=2, image_size=6))
    sample = db.generate(name, 2, torch.arange(30), image_size=6)
    assert columns.rows == 30
    assert columns.labels == {
        kind: int(there.any(1).sum()) for kind, there in sample.present.items()
    }
    for column in columns.parameters:
        values = sample.scene[column.owner][column.name]
        np.testing.assert_array_equal(column.values, values[sample.present[column.owner]])
    told = {(column.owner, column.name) for column in columns.parameters}
    assert told == {(kind, each) for kind, named in sample.scene.items() for each in named}


def test_columns_of_time_series_hold_the_bodies_that_are_there() -> None:
    recipe = db.load_recipe("nbody").replace(time={"steps": 2})
    columns = {each.name: each for each in columns_of(db.Catalogue(recipe, size=12)).parameters}
    bodies = columns["bodies"].values
    assert len(bodies) == len(columns["gravity"].values) == 12
    assert len(columns["mass"].values) == bodies.sum()
    assert (columns["mass"].values > 0).all()


def test_the_card_tells_shares_and_ranges(tmp_path: Path) -> None:
    catalogue = db.Catalogue("astro", size=40, image_size=6)
    card = write_card(db.materialize(catalogue, tmp_path / "a.h5", progress=False)).read_text()
    sample = db.generate("astro", 0, torch.arange(40), image_size=6)
    for place, kind in enumerate(catalogue.classes):
        share = 100 * (sample.label == place).double().mean()
        assert f"| {place} | {kind} | {share:.1f} % |" in card
    n = sample.scene["galaxy"]["n"][sample.present["galaxy"]].numpy()
    assert f" | {n.min():.4g}, {n.mean():.4g}, {n.max():.4g} |" in card
