"""Hamiltonian pendulum: against an adaptive integrator, the Newtonian closed form, conservation."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from deepbench_torch.physics import hamiltonian, pendulum


def sample(batch: int, *, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """Pendulums of which about half go over the top."""
    random = np.random.default_rng(0)
    bounds = {
        "q": (-3, 3),
        "p": (-6, 6),
        "length": (0.5, 1.5),
        "gravity": (2, 10),
        "mass": (0.5, 2),
    }
    arrays = {name: random.uniform(*pair, batch) for name, pair in bounds.items()}
    return {name: torch.tensor(values, dtype=dtype) for name, values in arrays.items()}


def simulate(pendulums: dict[str, Any], **division: Any) -> hamiltonian.PhasePath[Tensor]:
    rest = {name: values for name, values in pendulums.items() if name not in ("q", "p")}
    return hamiltonian.simulate(pendulums["q"], pendulums["p"], **rest, **division)


def test_agrees_with_dop853() -> None:
    pendulums = sample(8)
    found = simulate(pendulums, duration=6.0, steps=60, substeps=40).numpy()
    for row in range(8):
        q, p, length, gravity, mass = (float(values[row]) for values in pendulums.values())

        def rate(_: float, state: Any, own: tuple[float, ...] = (length, gravity, mass)) -> Any:
            length, gravity, mass = own
            return state[1] / (mass * length**2), -mass * gravity * length * math.sin(state[0])

        options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-13}
        expected = solve_ivp(rate, (0, 6), (q, p), t_eval=found.time, **options).y
        # a step of 0.0025 at up to 15 radians a second: 0.04**4 / 100 a radian of 90, and its rates
        np.testing.assert_allclose(found.q[row], expected[0], rtol=0, atol=2e-7)
        np.testing.assert_allclose(found.p[row], expected[1], rtol=0, atol=2e-7)
        np.testing.assert_allclose(
            found.dq_dt[row], expected[1] / (mass * length**2), rtol=0, atol=1e-6
        )
        np.testing.assert_allclose(
            found.dp_dt[row], -mass * gravity * length * np.sin(expected[0]), rtol=0, atol=1e-6
        )


@pytest.mark.parametrize("degrees", [10, 90, 170])
def test_from_rest_it_agrees_with_the_newtonian_pendulum(degrees: float) -> None:
    angle = math.radians(degrees)
    found = hamiltonian.simulate(
        angle, length=2.0, gravity=9.8, mass=3.0, duration=10.0, steps=100, substeps=50
    )
    expected = pendulum.simulate(found.time, length=2.0, angle=angle, gravity=9.8)
    # the phase runs off by about (w h)**4 / 100 = 4e-12 a radian; steeper near upright
    torch.testing.assert_close(found.q, expected.angle, rtol=0, atol=2e-9)
    torch.testing.assert_close(found.dq_dt, expected.velocity, rtol=0, atol=4e-9)


def test_energy_stays_within_its_bound_for_ten_thousand_steps() -> None:
    q = torch.tensor([0.1, 1.0, 2.0, 3.0, 3.1], dtype=torch.float64)
    found = hamiltonian.simulate(q, length=1.0, gravity=1.0, duration=2000.0, steps=10_000)
    error = (found.energy - found.energy[:, :1]).abs()
    # the bound of the docstring at w h = 0.2; no worse in the second half than in the first
    assert error.max() < 0.2 * 0.2**4
    assert (error[:, 5000:].amax(dim=1) < 1.05 * error[:, :5000].amax(dim=1)).all()
    finer = hamiltonian.simulate(q, length=1.0, gravity=1.0, duration=20.0, steps=100, substeps=64)
    # (0.2 / 64)**4 = 1e-10
    assert (finer.energy - finer.energy[:, :1]).abs().max() < 2e-11


def test_energy_is_the_hamiltonian() -> None:
    pendulums = sample(10)
    found = simulate(pendulums, duration=1.0, steps=5)
    length, gravity, mass = (pendulums[name][:, None] for name in ("length", "gravity", "mass"))
    lift = length * (1 - found.q.cos())
    expected = found.p**2 / (2 * mass * length**2) + mass * gravity * lift
    torch.testing.assert_close(found.energy, expected)
    torch.testing.assert_close(found.dq_dt, found.p / (mass * length**2))


def test_rates_are_those_of_hamiltons_equations() -> None:
    """By automatic differentiation of H."""
    pendulums = sample(10)
    found = simulate(pendulums, duration=1.0, steps=5)
    length, gravity, mass = (pendulums[name][:, None] for name in ("length", "gravity", "mass"))
    q, p = (field.clone().requires_grad_() for field in (found.q, found.p))
    energy = p**2 / (2 * mass * length**2) + mass * gravity * length * (1 - q.cos())
    by_q, by_p = torch.autograd.grad(energy.sum(), (q, p))
    torch.testing.assert_close(found.dq_dt, by_p)
    torch.testing.assert_close(found.dp_dt, -by_q)


def test_error_falls_with_the_fourth_power_of_the_step() -> None:
    exact = pendulum.simulate(torch.tensor([5.0]), length=1.0, angle=1.5, gravity=1.0)
    errors = []
    for steps in (50, 100, 200):
        found = hamiltonian.simulate(1.5, length=1.0, gravity=1.0, duration=5.0, steps=steps)
        errors.append(abs(float(found.q[0, -1] - exact.angle[0, 0])))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    # the next term is of sixth order: a hundredth of the first at steps of 0.1
    np.testing.assert_allclose(orders, 4.0, atol=0.1)


def test_motion_runs_back_to_its_start() -> None:
    pendulums = sample(10)
    there = simulate(pendulums, duration=5.0, steps=100)
    turned = pendulums | {"q": there.q[:, -1], "p": -there.p[:, -1]}
    inside = there.q[:, -1].abs() <= math.pi
    turned = {name: values[inside] for name, values in turned.items()}
    back = simulate(turned, duration=5.0, steps=100)
    # it is its own inverse; what is left is rounding, grown near upright
    torch.testing.assert_close(back.q.flip(1), there.q[inside], rtol=0, atol=1e-12)
    torch.testing.assert_close(-back.p.flip(1), there.p[inside], rtol=0, atol=1e-12)


def test_area_in_phase_space_is_kept() -> None:
    """Symplectic: the map from start to end has determinant 1, by automatic differentiation."""
    q, p = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (1.0, 0.5))
    found = hamiltonian.simulate(q, p, length=1.0, gravity=1.0, duration=10.0, steps=20)
    slopes = [
        torch.cat(torch.autograd.grad(end[0, -1], (q, p), retain_graph=True))
        for end in (found.q, found.p)
    ]
    determinant = torch.linalg.det(torch.stack(slopes))
    # a product of 60 maps of determinant 1, rounded
    torch.testing.assert_close(determinant, torch.ones_like(determinant), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batch_equals_singles(dtype: torch.dtype) -> None:
    pendulums = sample(37, dtype=dtype)
    whole = simulate(pendulums, duration=2.0, steps=10, substeps=3)
    for rows in ([0], [36], [3, 4, 5], [20, 7]):
        chosen = {name: values[rows] for name, values in pendulums.items()}
        part = simulate(chosen, duration=2.0, steps=10, substeps=3)
        for field, expected in zip(part[1:], whole[1:], strict=True):
            assert field.dtype == dtype
            assert torch.equal(field, expected[rows])


def test_gradients_agree_with_finite_differences() -> None:
    leaves = [values.requires_grad_() for values in sample(2).values()]

    def outcome(*values: Tensor) -> tuple[Tensor, ...]:
        names = ("q", "p", "length", "gravity", "mass")
        return simulate(dict(zip(names, values, strict=True)), duration=1.0, steps=2)[1:]

    assert torch.autograd.gradcheck(outcome, leaves, eps=1e-6, atol=1e-6)


def test_empty_batch_and_one_number() -> None:
    found = simulate(sample(0), duration=1.0, steps=4)
    assert [tuple(field.shape) for field in found] == [(5,)] + [(0, 5)] * 5
    found = hamiltonian.simulate(1, length=1, gravity=10, duration=1, steps=4)
    assert [tuple(field.shape) for field in found] == [(5,)] + [(1, 5)] * 5
    assert {field.dtype for field in found} == {torch.float64}


def test_numpy_shares_memory() -> None:
    found = simulate(sample(2), duration=1.0, steps=4)
    for tensor, array in zip(found, found.numpy(), strict=True):
        assert isinstance(array, np.ndarray)
        assert array.ctypes.data == tensor.data_ptr()


BAD: list[tuple[str, Any, str]] = [
    (
        "q",
        90,
        "hamiltonian.q must be from -pi to pi [radian], got 90 in sample 0; "
        "if it is in degrees, multiply it by pi / 180",
    ),
    (
        "p",
        torch.tensor([0.0, math.nan]),
        "hamiltonian.p must be finite, got nan in sample 1; it is mass length**2 dq/dt",
    ),
    (
        "length",
        0,
        "hamiltonian.length must be finite and > 0, got 0 in sample 0; "
        "give the distance from pivot to bob in metres",
    ),
    (
        "mass",
        torch.tensor([1, -1]),
        "hamiltonian.mass must be finite and > 0, got -1 in sample 1; "
        "give the mass of the bob in kilograms",
    ),
    (
        "gravity",
        0.0,
        "hamiltonian.gravity must be finite and > 0, got 0 in sample 0; "
        "give its size; that it pulls down is in the formula",
    ),
    (
        "gravity",
        torch.ones(1, 2),
        "hamiltonian.gravity must be a number or a tensor of shape (1,), one value a sample, "
        "got shape (1, 2); expand it to the batch",
    ),
    (
        "duration",
        -1,
        "hamiltonian.duration must be finite and > 0, got -1; "
        "to run backwards, turn the starting velocities round",
    ),
    (
        "steps",
        0,
        "hamiltonian.steps must be a whole number >= 1, got 0; "
        "the first recorded time is the start, each step adds one",
    ),
    (
        "substeps",
        1.5,
        "hamiltonian.substeps must be a whole number >= 1, got 1.5; "
        "the first recorded time is the start, each step adds one",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_nonsense_is_refused(name: str, value: Any, message: str) -> None:
    arguments: dict[str, Any] = {"q": 0.5, "length": 1.0, "gravity": 9.8, "duration": 1.0}
    arguments |= {"steps": 4, name: value}
    with pytest.raises(ValueError) as caught:
        hamiltonian.simulate(**arguments)
    assert str(caught.value) == message
