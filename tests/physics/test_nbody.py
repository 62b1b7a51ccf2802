"""N-body: against Kepler's orbit, an adaptive integrator of order 8, and conservation laws."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from torch import Tensor

from deepbench_torch.physics import nbody

Floats = NDArray[np.float64]


class Systems(NamedTuple):
    """Positional arguments of `nbody.simulate`."""

    mass: Tensor
    position: Tensor
    velocity: Tensor


def sample(
    batch: int, bodies: int, dimensions: int, *, dtype: torch.dtype = torch.float64, seed: int = 0
) -> Systems:
    """Bodies of about unit mass in a ball of about unit size, slower than they would escape."""
    random = np.random.default_rng(seed)
    mass = random.uniform(0.2, 1.0, (batch, bodies))
    position = random.normal(size=(batch, bodies, dimensions))
    velocity = 0.3 * random.normal(size=(batch, bodies, dimensions))
    return Systems(*(torch.tensor(field, dtype=dtype) for field in (mass, position, velocity)))


def acceleration(mass: Floats, position: Floats, *, gravity: float, softening: float) -> Floats:
    """The formula, pair by pair."""
    total = np.zeros_like(position)
    for i in range(len(mass)):
        for j in range(len(mass)):
            apart = position[j] - position[i]
            distance = math.sqrt(apart @ apart + softening**2)
            total[i] += gravity * mass[j] * apart / distance**3
    return total


def follow_by_dop853(
    system: Systems,
    time: Floats,
    *,
    gravity: float = 1.0,
    softening: float,
    damping: float = 0.0,
) -> Floats:
    """Positions (T, N, D) of one system by scipy's Dormand-Prince method of order 8."""
    mass, position, velocity = (field.numpy() for field in system)

    def rate(_: float, state: Floats) -> Floats:
        x, v = state.reshape(2, *position.shape)
        pull = acceleration(mass, x, gravity=gravity, softening=softening)
        return np.concatenate([v.ravel(), (pull - damping * v).ravel()])

    start = np.concatenate([position.ravel(), velocity.ravel()])
    span = (0.0, float(time[-1]))
    options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-12}
    solution = solve_ivp(rate, span, start, t_eval=time, **options)
    states: Floats = solution.y.T.reshape(len(time), 2, *position.shape)
    return states[:, 0]


def kepler_orbit(time: Floats, eccentricity: float) -> Floats:
    """Relative positions (T, 2) on an orbit of semi-major axis 1 and period 2 pi.

    Kepler's equation E - e sin E = t, solved by Brent's method.
    """
    anomaly = np.array(
        [brentq(lambda e, t=t: e - eccentricity * math.sin(e) - t, -1, 8, xtol=1e-14) for t in time]
    )
    minor = math.sqrt(1 - eccentricity**2)
    return np.stack([np.cos(anomaly) - eccentricity, minor * np.sin(anomaly)], axis=1)


def two_bodies(eccentricity: Floats, turn: Floats) -> Systems:
    """Masses 0.75 and 0.25 about their centre, nearest at time 0, the orbit's plane turned."""
    share = np.array([-0.25, 0.75])  # of the way from the one to the other
    speed = np.sqrt((1 + eccentricity) / (1 - eccentricity))
    near = (1 - eccentricity)[:, None, None] * share[:, None] * turn[0]
    fast = speed[:, None, None] * share[:, None] * turn[1]
    mass = np.tile([0.75, 0.25], (len(eccentricity), 1))
    return Systems(*(torch.from_numpy(field) for field in (mass, near, fast)))


TURNS = {
    2: np.eye(2),
    3: np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0].T,
}


@pytest.mark.parametrize("dimensions", [2, 3])
def test_two_bodies_keep_to_keplers_orbit(dimensions: int) -> None:
    eccentricity = np.array([0.0, 0.3, 0.6, 0.8])
    turn = TURNS[dimensions]
    coarse, fine = (
        nbody.simulate(
            *two_bodies(eccentricity, turn),
            softening=1e-7,
            duration=2 * math.pi,
            steps=16,
            substeps=substeps,
        ).numpy()
        for substeps in (500, 1000)
    )
    expected = np.stack([kepler_orbit(fine.time, e) @ turn[:2] for e in eccentricity])

    def error(position: Floats) -> Floats:
        apart = position[:, :, 1] - position[:, :, 0]
        distance: Floats = np.linalg.norm(apart - expected, axis=2)
        greatest: Floats = distance.max(axis=1)
        return greatest

    # twice what was measured; it is h**2 = 1.5e-7, times the speed-up where the bodies are nearest
    assert (error(fine.position) < [7e-7, 3e-6, 5e-5, 1.2e-3]).all()
    # two steps tell the error of second order apart; what is left is of fourth
    better = (4 * fine.position - coarse.position) / 3
    assert (error(better) < [1e-12, 1e-11, 3e-9, 4e-6]).all()


def test_three_to_five_bodies_agree_with_dop853() -> None:
    """Each system with its own gravity, softening and damping; the smaller ones padded."""
    mass, position, velocity = sample(3, 5, 3)
    mass = mass * torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    forces = {"gravity": [1.0, 0.5, 1.5], "softening": [0.1, 0.2, 0.3], "damping": [0.0, 0.4, 2.0]}
    found = nbody.simulate(
        mass,
        position,
        velocity,
        **{name: torch.tensor(values, dtype=torch.float64) for name, values in forces.items()},
        duration=2.0,
        steps=8,
        substeps=500,
    )
    for row, bodies in enumerate((3, 4, 5)):
        system = Systems(*(field[row, :bodies] for field in (mass, position, velocity)))
        own = {name: values[row] for name, values in forces.items()}
        expected = follow_by_dop853(system, found.time.numpy(), **own)
        # h = 5e-4 leaves h**2 = 2.5e-7 times a curvature of order 1 over the time of 2
        np.testing.assert_allclose(found.position[row, :, :bodies], expected, atol=1e-6)


@pytest.mark.parametrize("damping", [0.0, 0.7])
def test_error_falls_with_the_square_of_the_step(damping: float) -> None:
    system = sample(1, 3, 2)
    end = np.array([0.0, 2.0])
    single = Systems(*(field[0] for field in system))
    expected = follow_by_dop853(single, end, softening=0.3, damping=damping)[-1]
    errors = []
    for substeps in (100, 200, 400, 800):
        found = nbody.simulate(
            *system, softening=0.3, duration=2.0, steps=1, substeps=substeps, damping=damping
        )
        errors.append(float(np.abs(found.position[0, -1].numpy() - expected).max()))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    # the next term of the error is of fourth order: 1e-4 of the first at these steps
    np.testing.assert_allclose(orders, 2.0, atol=0.02)


def test_momentum_and_angular_momentum_are_conserved() -> None:
    mass, position, velocity = sample(4, 5, 3)
    found = nbody.simulate(mass, position, velocity, softening=0.05, duration=5.0, steps=500)
    weight = mass[:, None, :, None]
    momentum = (weight * found.velocity).sum(dim=2)  # (B, T, 3)
    spin = torch.linalg.cross(found.position, weight * found.velocity).sum(dim=2)
    # pulls on a pair are equal and opposite to the last bit, so only sums are rounded:
    # 500 steps of 5 bodies at 1e-16, with speeds of up to 10 in encounters
    assert (momentum - momentum[:, :1]).abs().max() < 1e-13
    assert (spin - spin[:, :1]).abs().max() < 2e-13


def test_centre_of_mass_moves_uniformly() -> None:
    mass, position, velocity = sample(4, 3, 2)
    found = nbody.simulate(mass, position, velocity, softening=0.05, duration=5.0, steps=500)
    share = (mass / mass.sum(dim=1, keepdim=True))[:, None, :, None]
    centre = (share * found.position).sum(dim=2)
    drift = (share[:, 0] * velocity).sum(dim=1)
    expected = centre[:, :1] + drift[:, None] * found.time[:, None]
    # rounding of 500 sums of numbers up to 10
    torch.testing.assert_close(centre, expected, rtol=0, atol=1e-13)


def figure_eight() -> tuple[Systems, float]:
    """Three equal masses chasing one another along an 8, and the period.

    Chenciner & Montgomery (2000, Annals of Mathematics 152, 881), with Simo's numbers.
    """
    x, y = 0.97000436, 0.24308753
    v, w = 0.93240737 / 2, 0.86473146 / 2
    position = torch.tensor([[[x, -y], [-x, y], [0.0, 0.0]]], dtype=torch.float64)
    velocity = torch.tensor([[[v, w], [v, w], [-2 * v, -2 * w]]], dtype=torch.float64)
    return Systems(torch.ones(1, 3, dtype=torch.float64), position, velocity), 6.32591398


def test_figure_eight_closes_and_keeps_its_energy_for_ten_thousand_steps() -> None:
    system, period = figure_eight()
    found = nbody.simulate(*system, softening=1e-6, duration=10 * period, steps=10_000)
    energy = (found.kinetic + found.potential)[0]
    error = ((energy - energy[0]) / energy[0]).abs()
    # measured 2.4e-5: h = 0.0063 squared; a method that is not symplectic drifts with time
    assert error.max() < 4e-5
    assert error[5000:].max() < 1.05 * error[:5000].max()
    # the phase runs off with h**2 times the time, 63
    torch.testing.assert_close(
        found.position[:, ::1000], system.position[:, None].expand(1, 11, 3, 2), rtol=0, atol=2e-3
    )


def test_energies_are_those_of_the_formula() -> None:
    mass, position, velocity = sample(2, 4, 3)
    found = nbody.simulate(
        mass, position, velocity, gravity=1.7, softening=0.2, duration=1.0, steps=3, substeps=10
    ).numpy()
    for row, number in np.ndindex(2, 4):
        m, x, v = mass[row].numpy(), found.position[row, number], found.velocity[row, number]
        kinetic = sum(m[i] * v[i] @ v[i] / 2 for i in range(4))
        potential = sum(
            -1.7 * m[i] * m[j] / math.sqrt((x[i] - x[j]) @ (x[i] - x[j]) + 0.04)
            for i in range(4)
            for j in range(i)
        )
        # sums of ten terms of order 1
        assert math.isclose(found.kinetic[row, number], kinetic, rel_tol=1e-14)
        assert math.isclose(found.potential[row, number], potential, rel_tol=1e-14)


def test_motion_runs_back_to_its_start() -> None:
    mass, position, velocity = sample(3, 4, 3)
    there = nbody.simulate(mass, position, velocity, softening=0.2, duration=3.0, steps=300)
    back = nbody.simulate(
        mass, there.position[:, -1], -there.velocity[:, -1], softening=0.2, duration=3.0, steps=300
    )
    # leapfrog is its own inverse; rounding of 300 steps grows little in this time
    torch.testing.assert_close(back.position.flip(1), there.position, rtol=0, atol=1e-12)
    torch.testing.assert_close(-back.velocity.flip(1), there.velocity, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_encounters_stay_finite(dtype: torch.dtype) -> None:
    """Falling head on through one another, starting in one place, and at the least softening."""
    mass = torch.ones(3, 2, dtype=dtype)
    position = torch.tensor([[[-1.0, 0], [1, 0]], [[0, 0], [0, 0]], [[1, 1], [1, 1]]], dtype=dtype)
    softening = torch.tensor([1e-3, 1e-9, 1.5e-13], dtype=dtype)
    found = nbody.simulate(
        mass, position, position * 0, softening=softening, duration=10.0, steps=1000
    )
    assert all(field.isfinite().all() for field in found)
    assert (found.position[1:] == position[1:, None]).all()  # no direction to fall in


def test_gradients_agree_with_finite_differences() -> None:
    system = sample(2, 3, 2)
    forces = [(1.0, 0.5), (0.3, 0.6), (0.0, 0.8)]
    inputs = [*system, *(torch.tensor(pair, dtype=torch.float64) for pair in forces)]

    def outcome(*values: Tensor) -> tuple[Tensor, ...]:
        gravity, softening, damping = values[3:]
        found = nbody.simulate(
            *values[:3],
            gravity=gravity,
            softening=softening,
            damping=damping,
            duration=1.0,
            steps=2,
            substeps=2,
        )
        return found[1:]

    leaves = [value.requires_grad_() for value in inputs]
    # central differences across damping = 0 would ask for a negative one
    with torch.no_grad():
        leaves[5][0] = 1e-5
    assert torch.autograd.gradcheck(outcome, leaves, eps=1e-6, atol=1e-7)


def test_gradient_by_damping_does_not_break_at_zero() -> None:
    """A free body goes v (1 - exp(-x)) / x, x = damping t, of slope -v t**2 / 2 at 0."""
    damping = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    found = nbody.simulate(
        torch.ones(1, 1, dtype=torch.float64),
        torch.zeros(1, 1, 2, dtype=torch.float64),
        torch.ones(1, 1, 2, dtype=torch.float64),
        softening=0.1,
        duration=2.0,
        steps=4,
        damping=damping,
    )
    (slope,) = torch.autograd.grad(found.position[0, -1, 0, 0], damping)
    torch.testing.assert_close(slope, torch.tensor([-2.0], dtype=torch.float64))


def test_float32_follows_float64() -> None:
    wide = nbody.simulate(*sample(20, 3, 3), softening=0.3, duration=2.0, steps=200)
    narrow = nbody.simulate(
        *sample(20, 3, 3, dtype=torch.float32), softening=0.3, duration=2.0, steps=200
    )
    for field, expected in zip(narrow, wide, strict=True):
        assert field.dtype == torch.float32
        # 200 steps rounded at 6e-8, so about 1e-6, grown by encounters
        torch.testing.assert_close(field.double(), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16])
def test_narrow_numbers_are_worked_out_in_float32(dtype: torch.dtype) -> None:
    bodies = (torch.tensor([[1, 2]]), torch.tensor([[[0, 0], [1, 0]]]), torch.zeros(1, 2, 2))
    expected = nbody.simulate(*(f.float() for f in bodies), softening=0.5, duration=1, steps=4)
    found = nbody.simulate(*(f.to(dtype) for f in bodies), softening=0.5, duration=1, steps=4)
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("bodies", "dimensions"), [(1, 3), (2, 2), (3, 3), (5, 2), (8, 3)])
def test_batch_equals_singles(bodies: int, dimensions: int, dtype: torch.dtype) -> None:
    """Bit for bit, at odd sizes, and over the chunks in which a batch is worked out."""
    batch = 37 + nbody.STEP_SIZE // (bodies * max(1, bodies - 1) * dimensions)
    system = sample(batch, bodies, dimensions, dtype=dtype)
    random = np.random.default_rng(1)
    forces = torch.tensor(random.uniform(0.1, 1.0, (3, batch)), dtype=dtype)
    forces[2, ::3] = 0  # some without damping
    for rows in ([0], [batch - 1], [2, 3, batch // 2], [5, batch - 40]):
        parts = [
            nbody.simulate(
                *(field[chosen] for field in system),
                gravity=forces[0, chosen],
                softening=forces[1, chosen],
                damping=forces[2, chosen],
                duration=1.0,
                steps=3,
                substeps=3,
            )
            for chosen in (slice(None), rows)
        ]
        for whole, part in zip(parts[0][1:], parts[1][1:], strict=True):
            assert torch.equal(whole[rows], part)


def test_empty_batch() -> None:
    found = nbody.simulate(*sample(0, 3, 2), softening=0.1, duration=1.0, steps=4)
    assert [tuple(field.shape) for field in found] == [
        (5,),
        (0, 5, 3, 2),
        (0, 5, 3, 2),
        (0, 5),
        (0, 5),
    ]


@pytest.mark.parametrize("damping", [0.0, 1e-6, 0.3, 50.0])
def test_one_body_moves_straight(damping: float) -> None:
    """x = x0 + v0 (1 - exp(-c t)) / c, v = v0 exp(-c t), exact at any step."""
    mass, position, velocity = sample(2, 1, 3)
    found = nbody.simulate(
        mass, position, velocity, softening=0.1, duration=4.0, steps=8, damping=damping
    )
    t = found.time[None, :, None, None]
    way = -torch.expm1(-damping * t) / damping if damping else t
    torch.testing.assert_close(found.position, position[:, None] + velocity[:, None] * way)
    torch.testing.assert_close(found.velocity, velocity[:, None] * torch.exp(-damping * t))
    assert (found.potential == 0).all()


def padded(system: Systems, places: list[int]) -> Systems:
    """Each body in its place among five, the others absent and all in the way of body 0."""
    mass, position, velocity = system
    batch, dimensions = len(position), position.shape[2]
    wide = Systems(
        mass.new_zeros(batch, 5),
        position[:, :1].repeat(1, 5, 1),
        velocity.new_zeros(batch, 5, dimensions),
    )
    for field, values in zip(wide, system, strict=True):
        field[:, places] = values
    return wide


@pytest.mark.parametrize("places", [[0, 1, 2], [2, 3, 4], [0, 2, 4]])
def test_absent_bodies_change_no_bit(places: list[int]) -> None:
    system = sample(11, 3, 3, dtype=torch.float32)
    options: dict[str, Any] = {"softening": 0.01, "duration": 2.0, "steps": 20}
    alone = nbody.simulate(*system, **options)
    among = nbody.simulate(*padded(system, places), **options)
    assert torch.equal(among.position[:, :, places], alone.position)
    assert torch.equal(among.velocity[:, :, places], alone.velocity)
    assert torch.equal(among.kinetic, alone.kinetic)
    assert torch.equal(among.potential, alone.potential)
    assert all(field.isfinite().all() for field in among)


def test_substeps_are_steps_that_are_not_recorded() -> None:
    system = sample(3, 3, 2)
    # a quarter is exact, so both divide time into the same numbers
    every = nbody.simulate(*system, softening=0.1, duration=10.0, steps=40)
    fourth = nbody.simulate(*system, softening=0.1, duration=10.0, steps=10, substeps=4)
    assert torch.equal(fourth.time, every.time[::4])
    for field, fine in zip(fourth[1:], every[1:], strict=True):
        assert torch.equal(field, fine[:, ::4])


def test_record_begins_with_what_was_given_and_ends_at_the_duration() -> None:
    system = sample(2, 3, 3, dtype=torch.float32)
    found = nbody.simulate(*system, softening=0.1, duration=0.7, steps=7)
    assert torch.equal(found.position[:, 0], system.position)
    assert torch.equal(found.velocity[:, 0], system.velocity)
    expected = torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    torch.testing.assert_close(found.time, expected)
    assert found.time[-1] == np.float32(0.7)


def test_numpy_shares_memory() -> None:
    mass, position, velocity = sample(2, 3, 2)
    found = nbody.simulate(
        mass.requires_grad_(), position, velocity, softening=0.1, duration=1.0, steps=2
    )
    arrays = found.numpy()
    for tensor, array in zip(found, arrays, strict=True):
        assert isinstance(array, np.ndarray)
        assert array.ctypes.data == tensor.data_ptr()


def with_value(tensor: Tensor, place: tuple[int, ...], value: float) -> Tensor:
    changed = tensor.clone()
    changed[place] = value
    return changed


GOOD: dict[str, Any] = {
    "mass": torch.ones(2, 3),
    "position": torch.zeros(2, 3, 2),
    "velocity": torch.zeros(2, 3, 2),
    "softening": 0.1,
    "duration": 1.0,
    "steps": 2,
}
ABSENT = "give an absent body mass 0 and any finite place"
ONE_EACH = "must be a number or a tensor of shape (2,), one value a sample"
START = "the first recorded time is the start, each step adds one"
SHAPES = (
    "must have shape (B, N, D) with D 2 or 3, the same for position and velocity, and mass (B, N)"
)
BAD: list[tuple[str, Any, str]] = [
    (
        "mass",
        torch.ones(3),
        "nbody.mass must have shape (B, N) with N >= 1, got (3,); "
        "one system is a batch of one, mass[None]",
    ),
    (
        "mass",
        torch.ones(2, 0),
        "nbody.mass must have shape (B, N) with N >= 1, got (2, 0); "
        "one system is a batch of one, mass[None]",
    ),
    (
        "mass",
        with_value(torch.ones(2, 3), (1,), 0),
        "the sum of nbody.mass must be > 0, got 0 in sample 1; "
        "without mass there is no gravity, so give each system a body of some mass",
    ),
    (
        "mass",
        with_value(torch.ones(2, 3), (1, 2), -2),
        "nbody.mass must be finite and >= 0, got -2 in sample 1, body 2; "
        "gravity attracts; give an absent body mass 0",
    ),
    (
        "mass",
        with_value(torch.ones(2, 3), (0, 1), math.nan),
        f"nbody.mass must be finite, got nan in sample 0, body 1; {ABSENT}",
    ),
    (
        "mass",
        torch.ones(2, 3, dtype=torch.complex64),
        "nbody.mass: expected real numbers, got torch.complex64; pass a number or a float tensor",
    ),
    ("position", torch.zeros(2, 3, 4), f"nbody.position {SHAPES}; got (2, 3, 4) with mass (2, 3)"),
    ("position", torch.zeros(2, 4, 2), f"nbody.position {SHAPES}; got (2, 4, 2) with mass (2, 3)"),
    ("velocity", torch.zeros(2, 3, 3), f"nbody.velocity {SHAPES}; got (2, 3, 3) with mass (2, 3)"),
    (
        "position",
        with_value(torch.zeros(2, 3, 2), (1, 2, 0), math.nan),
        f"nbody.position must be finite, got nan in sample 1, body 2; {ABSENT}",
    ),
    (
        "velocity",
        with_value(torch.zeros(2, 3, 2), (1, 0, 1), -math.inf),
        f"nbody.velocity must be finite, got -inf in sample 1, body 0; {ABSENT}",
    ),
    (
        "softening",
        0.0,
        "nbody.softening must be finite and > 0, got 0 in sample 0; "
        "a tenth of the usual distance between bodies is a start",
    ),
    (
        "softening",
        torch.tensor([0.1, -1.0]),
        "nbody.softening must be finite and > 0, got -1 in sample 1; "
        "a tenth of the usual distance between bodies is a start",
    ),
    (
        "softening",
        1e-14,
        "nbody.softening must be large enough for 1 / softening**3 to be finite in torch.float32, "
        "got 1e-14 in sample 0; take a larger one, or float64",
    ),
    (
        "softening",
        torch.ones(3),
        f"nbody.softening {ONE_EACH}, got shape (3,); expand it to the batch",
    ),
    (
        "gravity",
        -9.8,
        "nbody.gravity must be finite and >= 0, got -9.8 in sample 0; it attracts; give its size",
    ),
    (
        "gravity",
        torch.ones(2, 1),
        f"nbody.gravity {ONE_EACH}, got shape (2, 1); expand it to the batch",
    ),
    (
        "damping",
        math.nan,
        "nbody.damping must be finite and >= 0, got nan in sample 0; "
        "a negative one adds energy to the bodies; change the sign",
    ),
    *(
        (
            "duration",
            duration,
            f"nbody.duration must be finite and > 0, got {duration:g}; "
            "to run backwards, turn the starting velocities round",
        )
        for duration in (0.0, -1.0, math.nan, math.inf)
    ),
    *(
        ("steps", steps, f"nbody.steps must be a whole number >= 1, got {steps!r}; {START}")
        for steps in (0, -3, 2.5, True)
    ),
    ("substeps", 0, f"nbody.substeps must be a whole number >= 1, got 0; {START}"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_nonsense_is_refused(name: str, value: Any, message: str) -> None:
    arguments = GOOD | {name: value}
    bodies = [arguments.pop(name) for name in ("mass", "position", "velocity")]
    with pytest.raises(ValueError) as caught:
        nbody.simulate(*bodies, **arguments)
    assert str(caught.value) == message
