"""Options with several numbers."""

import pytest

from baselines.training.options import repeat_option


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("sky --seeds 0 1 2 --epochs 3", "sky --seeds 0 --seeds 1 --seeds 2 --epochs 3"),
        ("sky --seed 0 1", "sky --seed 0 --seed 1"),
        ("--seeds 4 sky 5", "--seeds 4 sky 5"),
        ("sky --seeds 0 --seeds 1", "sky --seeds 0 --seeds 1"),
        ("sky --epochs 3 4 --seeds", "sky --epochs 3 4 --seeds"),
        ("", ""),
    ],
)
def test_an_option_is_repeated_before_each_of_its_numbers(arguments: str, expected: str) -> None:
    found = repeat_option(arguments.split(), ("--seeds", "--seed"))
    assert found == expected.split()
    assert repeat_option(found, ("--seeds", "--seed")) == found
