"""Augmentation by the eight symmetries of the square."""

import pytest
import torch

from baselines.training.augment import flip_and_turn


@pytest.mark.moves_generators
def test_flips_and_turns_are_the_eight_symmetries() -> None:
    torch.manual_seed(0)
    image = torch.arange(9.0).view(1, 3, 3)
    found = {tuple(flip_and_turn(image).flatten().tolist()) for _ in range(200)}
    expected = {
        tuple(rotated.flatten().tolist())
        for quarter in range(4)
        for rotated in (image.rot90(quarter, (1, 2)), image.rot90(quarter, (1, 2)).flip(2))
    }
    assert found == expected
