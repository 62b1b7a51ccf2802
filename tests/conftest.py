"""Rules for every test: no global random generator moves, and none runs for ever."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch


def generator_states() -> dict[str, object]:
    """The states of the global generators, as values that compare by `==`."""
    _, key, *rest = np.random.get_state(legacy=True)
    return {
        "random": random.getstate(),
        "numpy.random": (np.asarray(key).tobytes(), *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


def moved(before: dict[str, object]) -> list[str]:
    """The names of the generators that are no longer in these states."""
    return [name for name, state in generator_states().items() if state != before[name]]


@pytest.fixture(autouse=True)
def global_generators_stay(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that draws from a global generator or seeds it; put the generators back.

    Training and a DataLoader without a generator of its own must draw: mark their tests with
    `@pytest.mark.moves_generators`.
    """
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    before = generator_states()
    yield
    names = moved(before)
    random.setstate(kept[0])
    np.random.set_state(kept[1])
    torch.set_rng_state(kept[2])
    if names and request.node.get_closest_marker("moves_generators") is None:
        pytest.fail(
            f"moved the global generator of {', '.join(names)}; randomness is an argument, so "
            "address numbers by seed and index, or mark a test of training moves_generators"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow slow tests an hour; every other test has the limit of pyproject.toml."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))
