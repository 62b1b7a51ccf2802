"""Measurements of speed: cases, units and ratios."""

import pytest
import torch

import deepbench_torch as db
from baselines import speed


@pytest.mark.moves_generators
def test_speed_is_of_batches_beside_random_numbers() -> None:
    threads = torch.get_num_threads()
    try:
        row = speed.measure("astro", speed.cases()["astro"], threads=1, rounds=1)
        assert row.ratio == row.batch / row.randn > 0
        assert row.single_ratio == row.single / row.randn_one > 0
        assert speed.reading(size=64, shuffle=True) > 0
    finally:
        torch.set_num_threads(threads)


def test_every_recipe_and_the_cases_of_the_paper_are_timed() -> None:
    cases = speed.cases()
    assert set(db.list_recipes("image")) < cases.keys()
    for name, shape in (
        ("sky, 3 objects, 28 x 28", (28, 28)),
        ("sky, 3 objects", (64, 64)),
        ("geometric, 3 shapes", (256, 256)),
    ):
        sample = db.generate(cases[name], 0, torch.arange(9))
        assert sample.image.shape[2:] == shape
        count = torch.stack([slots.sum(1) for slots in sample.present.values()])
        assert count.sum(0).tolist() == [3] * 9
