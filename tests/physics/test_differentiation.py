"""Forward mode of the simulators agrees with reverse mode, also at parameters that are 0.

Where friction, velocity or damping is 0, a simulator takes a shorter way; it may not do so if a
derivative by that parameter is needed. Oracle: reverse mode of plain autograd.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import jacfwd, jacrev, jvp

from deepbench_torch.physics import hamiltonian, nbody, pendulum

# torch's own forward mode makes its rules by the old compiler
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
SWING = {"length": 1.2, "gravity": 9.8, "angle": 1.0, "friction": 0.0, "velocity": 0.0, "mass": 1.0}
PHASE = {"q": 1.0, "p": 0.0, "length": 1.2, "gravity": 9.8, "mass": 1.0}
FORCES = {"gravity": 1.0, "softening": 0.3, "damping": 0.0}
TABLE = [
    *(("pendulum", name) for name in SWING),
    *(("hamiltonian", name) for name in PHASE),
    *(("nbody", name) for name in FORCES),
]


def swing(name: str, value: Tensor) -> Tensor:
    time = torch.linspace(0, 2, 5, dtype=torch.float64)
    given: dict[str, float | Tensor] = {**SWING, name: value}
    return pendulum.simulate(time, **given).position.flatten()  # type: ignore[arg-type]


def phase(name: str, value: Tensor) -> Tensor:
    given: dict[str, float | Tensor] = {**PHASE, name: value}
    path = hamiltonian.simulate(**given, duration=1.0, steps=3, substeps=4)
    return torch.cat((path.q, path.p, path.energy)).flatten()


def bodies(name: str, value: Tensor) -> Tensor:
    mass = torch.ones(1, 2, dtype=torch.float64)
    position = torch.tensor([[[0.0, 0.0], [1.0, 0.2]]], dtype=torch.float64)
    given: dict[str, float | Tensor] = {**FORCES, name: value}
    return nbody.simulate(
        mass, position, position.flip(2) / 3, **given, duration=1.0, steps=3, substeps=4
    ).position.flatten()


SIMULATORS: dict[str, tuple[Callable[[str, Tensor], Tensor], dict[str, float]]] = {
    "pendulum": (swing, SWING),
    "hamiltonian": (phase, PHASE),
    "nbody": (bodies, FORCES),
}


@pytest.mark.parametrize(("simulator", "name"), TABLE)
def test_modes_agree(simulator: str, name: str) -> None:
    simulate, start = SIMULATORS[simulator]
    value = torch.tensor([start[name]], dtype=torch.float64)

    def path(value: Tensor) -> Tensor:
        return simulate(name, value)

    expected = torch.autograd.functional.jacobian(path, value)  # type: ignore[no-untyped-call]
    if (simulator, name) != ("pendulum", "mass"):  # without friction a mass plays no part
        assert float(expected.abs().max()) > 1e-3
    modes = {
        "jvp": jvp(path, (value,), (torch.ones_like(value),))[1][:, None],
        "jacfwd": jacfwd(path)(value),
        "jacrev": jacrev(path)(value),
    }
    for mode, found in modes.items():
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11, msg=lambda m: mode + m)  # noqa: B023
