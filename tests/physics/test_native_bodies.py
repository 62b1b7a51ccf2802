"""The kernel of the motion of bodies has the bits of the tensor path, which is the oracle."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from deepbench_torch.numerics import rng
from deepbench_torch.physics import nbody


def systems(size: int, count: int, dimensions: int) -> tuple[Tensor, Tensor, Tensor]:
    """Bodies, the last of them absent where there are several."""
    streams = ("mass", *(f"x{axis}" for axis in range(2 * dimensions)))
    u = rng.uniform(3, streams, torch.arange(size), count)
    mass = u[:, 0] + 0.1
    if count > 2:
        mass[:, -1] = 0
    state = (u[:, 1:] * 2 - 1).transpose(1, 2)
    return mass, state[..., :dimensions].contiguous(), state[..., dimensions:] * 0.3


@pytest.fixture
def tensor_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch


@pytest.mark.parametrize("damping", [0.0, 0.4, "each"])
@pytest.mark.parametrize(
    ("size", "count", "dimensions"), [(5, 1, 2), (5, 2, 2), (40, 5, 2), (7, 4, 3), (0, 3, 2)]
)
def test_kernel_equals_tensors(
    size: int, count: int, dimensions: int, damping: float | str, tensor_path: pytest.MonkeyPatch
) -> None:
    mass, position, speed = systems(size, count, dimensions)
    rows = torch.arange(size, dtype=torch.float64)
    options = {
        "gravity": 1 + rows / 7,
        "softening": 0.2 + rows / 90,
        "damping": rows % 3 / 2 if isinstance(damping, str) else damping,
    }

    def follow() -> nbody.Trajectory[Tensor]:
        return nbody.simulate(mass, position, speed, **options, duration=0.9, steps=6, substeps=5)

    assert size == 0 or nbody._kernel(nbody._System(mass, position, speed, rows, rows, rows))
    native = follow()
    tensor_path.setattr(nbody.Kernel, "load", None)
    for name, found, expected in zip(native._fields, native, follow(), strict=True):
        assert found.shape == expected.shape
        assert torch.equal(found, expected), name
        assert torch.equal(found.signbit(), expected.signbit()), name


def test_derivatives_and_single_precision_take_tensors() -> None:
    mass, position, speed = systems(2, 3, 2)
    rows = torch.ones(2, dtype=torch.float64)
    system = nbody._System(mass, position, speed, rows, rows, rows)
    assert nbody._kernel(system)
    for name in system._fields:
        field = getattr(system, name).clone().requires_grad_()
        assert not nbody._kernel(system._replace(**{name: field}))
    assert not nbody._kernel(nbody._System(*(field.float() for field in system)))
