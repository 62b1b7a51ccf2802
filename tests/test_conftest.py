"""The fixture that watches the global generators sees each of them move."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.conftest import generator_states, moved

MOVES: dict[str, tuple[Callable[[], object], str]] = {
    "python draws": (random.random, "random"),
    "python seeds": (lambda: random.seed(1), "random"),
    "numpy draws": (np.random.random, "numpy.random"),
    "numpy seeds": (lambda: np.random.seed(1), "numpy.random"),
    "torch draws": (lambda: torch.rand(1), "torch"),
    "torch draws one normal": (lambda: torch.randn(1), "torch"),
    "torch seeds": (lambda: torch.manual_seed(1), "torch"),
}


@pytest.mark.moves_generators
@pytest.mark.parametrize("move", MOVES)
def test_a_move_is_seen(move: str) -> None:
    act, name = MOVES[move]
    before = generator_states()
    act()
    assert moved(before) == [name]


def test_no_move_is_not_seen() -> None:
    before = generator_states()
    torch.rand(1, generator=torch.Generator().manual_seed(1))
    np.random.default_rng(1).random()
    assert moved(before) == []
