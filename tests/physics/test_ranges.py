"""Ranges: simulators and recipes accept the same values, and give the same remedy."""

import math
import re

import pytest
import torch

from deepbench_torch.physics import arguments, ranges
from deepbench_torch.systems import SYSTEMS

PAIRS = [
    ("pendulum", "length", ranges.LENGTH),
    ("pendulum", "mass", ranges.MASS),
    ("pendulum", "gravity", ranges.FREE_FALL),
    ("pendulum", "friction", ranges.FRICTION),
    ("hamiltonian_pendulum", "length", ranges.LENGTH),
    ("nbody", "gravity", ranges.GRAVITATION),
    ("nbody", "softening", ranges.SOFTENING),
    ("nbody", "damping", ranges.DRAG),
]
VALUES = [-1.0, 0.0, 1e-9, 1.0, 1e9, math.inf, math.nan]


@pytest.mark.parametrize(("system", "name", "allowed"), PAIRS)
def test_simulators_and_recipes_accept_the_same(
    system: str, name: str, allowed: ranges.Range
) -> None:
    field = SYSTEMS[system].fields[name].rule
    assert field.remedy == allowed.remedy
    for value in torch.tensor(VALUES, dtype=torch.float64):
        if field.allows(value):
            arguments.check_range(name, value[None], allowed)
        else:
            with pytest.raises(ValueError, match=f"{re.escape(allowed.remedy)}$"):
                arguments.check_range(name, value[None], allowed)
