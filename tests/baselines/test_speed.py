"""Speed is measured for what it says."""

import pytest
import torch

from baselines import speed


@pytest.mark.moves_generators
def test_speed_measures_every_recipe() -> None:
    threads = torch.get_num_threads()
    try:
        row = speed.measure("astro", threads=1, rounds=1)
        assert row.ratio == row.batch / row.randn > 0
        assert row.single > row.batch
        assert speed.reading(size=64, shuffle=True) > 0
    finally:
        torch.set_num_threads(threads)
