"""Pendulum: against scipy's elliptic functions, an adaptive integrator, and closed forms."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import ellipj, ellipk
from torch import Tensor

from deepbench_torch.physics import pendulum, swing

Floats = NDArray[np.float64]

LENGTH, GRAVITY = 1.3, 9.81
FREQUENCY = math.sqrt(GRAVITY / LENGTH)
TIME = torch.linspace(0, 12, 121, dtype=torch.float64)
METHODS: list[pendulum.Method] = ["exact", "small_angle"]
each_method = pytest.mark.parametrize("method", METHODS)


def swing_by_dop853(
    time: Tensor, *, angle: float, velocity: float = 0.0, drag: float = 0.0
) -> tuple[Floats, Floats]:
    """Angles and angular velocities by scipy's Dormand-Prince method of order 8."""

    def rate(_: float, state: Floats) -> list[float]:
        phi, speed = state
        return [speed, -(FREQUENCY**2) * math.sin(phi) - drag * speed]

    options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-13}
    span = (0.0, float(time[-1]))
    found = solve_ivp(rate, span, [angle, velocity], t_eval=time.numpy(), **options)
    return found.y[0], found.y[1]


def sample(batch: int, *, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
    """Pendulums of every sort: a third released, a third pushed, a third with friction."""
    random = np.random.default_rng(0)
    bounds = {"length": (0.5, 2), "angle": (-3, 3), "gravity": (2, 25), "velocity": (-9, 9)}
    bounds |= {"friction": (0, 1), "mass": (0.5, 2)}
    drawn = {name: random.uniform(*pair, batch) for name, pair in bounds.items()}
    drawn["velocity"][0::3] = 0
    drawn["friction"][0::3] = 0
    drawn["friction"][1::3] = 0
    return {name: torch.tensor(values, dtype=dtype) for name, values in drawn.items()}


@pytest.mark.parametrize("degrees", [-90, 1e-3, 10, 90, 170])
def test_released_from_rest_it_follows_jacobis_functions(degrees: float) -> None:
    """sin(phi / 2) = k sn(K - u) and dphi/dt = -2 w k cn(K - u), by scipy.special.ellipj."""
    angle = math.radians(degrees)
    found = pendulum.simulate(TIME, length=LENGTH, angle=angle, gravity=GRAVITY).numpy()
    k = math.sin(angle / 2)
    sn, cn, _, _ = ellipj(ellipk(k * k) - FREQUENCY * TIME.numpy(), k * k)
    # both are rounded at 2e-16 of a phase of 33, a speed of 5
    np.testing.assert_allclose(found.angle[0], 2 * np.arcsin(k * sn), rtol=0, atol=5e-13)
    np.testing.assert_allclose(found.velocity[0], -2 * FREQUENCY * k * cn, rtol=0, atol=1e-12)


@pytest.mark.parametrize("degrees", [10, 90, 170])
def test_released_from_rest_it_agrees_with_dop853(degrees: float) -> None:
    angle = math.radians(degrees)
    found = pendulum.simulate(TIME, length=LENGTH, angle=angle, gravity=GRAVITY).numpy()
    phi, speed = swing_by_dop853(TIME, angle=angle)
    # the integrator's 1e-13 a step grows a hundredfold in passing near upright
    np.testing.assert_allclose(found.angle[0], phi, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.velocity[0], speed, rtol=0, atol=2e-10)


@pytest.mark.parametrize(
    ("velocity", "drag"),
    [(0.0, 0.1), (0.0, 3.0), (0.0, 20.0), (2.0, 0.0), (-4.0, 0.3), (12.0, 0.0), (15.0, 0.2)],
)
def test_with_friction_or_a_push_it_agrees_with_dop853(velocity: float, drag: float) -> None:
    """Swinging, creeping, and going over the top."""
    found = pendulum.simulate(
        TIME,
        length=LENGTH,
        angle=1.2,
        gravity=GRAVITY,
        velocity=velocity,
        friction=drag * 2.5,
        mass=2.5,
    ).numpy()
    phi, speed = swing_by_dop853(TIME, angle=1.2, velocity=velocity, drag=drag)
    # the accuracy that the docstring promises
    np.testing.assert_allclose(found.angle[0], phi, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.velocity[0], speed, rtol=0, atol=1e-9 * (1 + FREQUENCY))


@pytest.mark.parametrize("degrees", [0, 10, 90, 170])
def test_integration_agrees_with_the_closed_form(degrees: float) -> None:
    start = [[math.radians(degrees)], [0.0], [FREQUENCY**2], [0.0]]
    same = swing.Pendulums(*torch.tensor(start, dtype=torch.float64)[..., None])
    for stepped, closed in zip(
        swing.integrated(TIME, same), swing.released(TIME, same), strict=True
    ):
        # the accuracy that the docstring promises, for angles; velocities by frequency
        torch.testing.assert_close(stepped, closed, rtol=0, atol=1e-9 * FREQUENCY)


def test_integration_is_of_order_ten() -> None:
    """The error of one step falls as its power of 11; oracle: DOP853 at its finest."""
    start = [torch.tensor(v, dtype=torch.float64) for v in (1.0, 0.5, FREQUENCY**2, 0.3)]
    steps = [0.4, 0.3]
    errors = []
    for step in steps:
        found = swing.extrapolated_step(swing.Pendulums(*start), step)
        time = torch.tensor([0.0, step], dtype=torch.float64)
        phi, speed = swing_by_dop853(time, angle=1.0, velocity=0.5, drag=0.3)
        errors.append(math.hypot(float(found[0]) - phi[-1], float(found[1]) - speed[-1]))
    order = math.log(errors[0] / errors[1]) / math.log(steps[0] / steps[1])
    # further powers contribute at such long steps; shorter ones are lost in rounding
    assert 10 < order < 12


def test_small_amplitude_is_a_cosine() -> None:
    found = pendulum.simulate(TIME, length=LENGTH, angle=1e-4, gravity=GRAVITY)
    expected = 1e-4 * torch.cos(FREQUENCY * TIME)
    # the period is longer by angle**2 / 16 = 6e-10: a phase of 3e-8 after 33 radians
    torch.testing.assert_close(found.angle[0], expected, rtol=0, atol=1e-4 * 5e-8)


def test_small_angle_is_a_cosine_at_any_amplitude() -> None:
    found = pendulum.simulate(TIME, length=LENGTH, angle=2.0, gravity=GRAVITY, method="small_angle")
    torch.testing.assert_close(found.angle[0], 2 * torch.cos(FREQUENCY * TIME))
    torch.testing.assert_close(found.velocity[0], -2 * FREQUENCY * torch.sin(FREQUENCY * TIME))


@pytest.mark.parametrize(
    "drag", [0.0, 0.3, 2 * FREQUENCY * (1 - 1e-9), 2 * FREQUENCY, 2 * FREQUENCY + 1e-6, 30.0]
)
def test_small_angle_with_friction_is_a_matrix_exponential(drag: float) -> None:
    """Swinging, on either side of critical, and creeping; by scipy.linalg.expm."""
    found = pendulum.simulate(
        TIME,
        length=LENGTH,
        angle=0.7,
        gravity=GRAVITY,
        velocity=1.5,
        friction=drag,
        method="small_angle",
    ).numpy()
    rates = np.array([[0, 1], [-(FREQUENCY**2), -drag]])
    phi, speed = (expm(TIME.numpy()[:, None, None] * rates) @ np.array([0.7, 1.5])).T
    # expm squares up to ten times, each doubling a rounding of 1e-16
    np.testing.assert_allclose(found.angle[0], phi, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.velocity[0], speed, rtol=0, atol=1e-12)


@pytest.mark.parametrize("degrees", [1, 45, 135, 179])
def test_period_is_a_complete_elliptic_integral(degrees: float) -> None:
    """T = 4 K(sin(angle / 2)) / w, by scipy.special.ellipk."""
    angle = math.radians(degrees)
    period = 4 * ellipk(math.sin(angle / 2) ** 2) / FREQUENCY
    quarters = torch.arange(5, dtype=torch.float64) * period / 4
    found = pendulum.simulate(quarters, length=LENGTH, angle=angle, gravity=GRAVITY)
    expected = torch.tensor([1.0, 0.0, -1.0, 0.0, 1.0], dtype=torch.float64) * angle
    # rounding of the period at 179 degrees, where it is steepest in the angle
    torch.testing.assert_close(found.angle[0], expected, rtol=0, atol=1e-11)


def test_upright_it_falls_when_its_rounding_says() -> None:
    """math.pi is 1.2e-16 short of upright: half a swing takes 2 K / w, K = ln(4 / k')."""
    quarter = math.log(4 / math.cos(math.pi / 2)) / FREQUENCY
    time = torch.tensor([0.0, quarter, 2 * quarter], dtype=torch.float64)
    found = pendulum.simulate(time, length=LENGTH, angle=math.pi, gravity=GRAVITY)
    expected = torch.tensor([math.pi, 0.0, -math.pi], dtype=torch.float64)
    torch.testing.assert_close(found.angle[0], expected, rtol=0, atol=1e-12)
    fastest = torch.tensor([0.0, -2 * FREQUENCY, 0.0], dtype=torch.float64)
    torch.testing.assert_close(found.velocity[0], fastest, rtol=0, atol=1e-12)


@each_method
def test_bob_stays_on_its_circle_and_angle_matches(method: pendulum.Method) -> None:
    pendulums = sample(30)
    found = pendulum.simulate(TIME, **pendulums, method=method)
    x, y = found.position.unbind(dim=2)
    arm = pendulums["length"][:, None].expand_as(x)
    # a sine, a cosine and two products, each rounded at 1e-16
    torch.testing.assert_close(torch.hypot(x, y), arm, rtol=1e-15, atol=0)
    away = torch.atan2(x, -y) - found.angle  # a whole number of turns
    torch.testing.assert_close(away, (away / math.tau).round() * math.tau, rtol=0, atol=1e-13)


def test_energy_is_constant_without_friction_and_falls_with_it() -> None:
    pendulums = sample(30)
    found = pendulum.simulate(TIME, **pendulums)
    stiffness = (pendulums["gravity"] / pendulums["length"])[:, None]
    energy = found.velocity**2 / 2 + stiffness * (1 - found.angle.cos())
    free = pendulums["friction"] == 0
    # a tenth of the promised 1e-9 radian, times accelerations of up to 50
    torch.testing.assert_close(energy[free], energy[free][:, :1].expand(-1, 121), rtol=0, atol=5e-9)
    assert (energy[~free].diff(dim=1) < 0).all()


@each_method
def test_velocity_is_the_rate_of_the_angle(method: pendulum.Method) -> None:
    step = 1e-4
    centre = torch.linspace(0.5, 6, 50, dtype=torch.float64)
    time = torch.stack((centre - step, centre, centre + step)).flatten()
    found = pendulum.simulate(time, **sample(30), method=method)
    before, _, after = found.angle.view(30, 3, 50).unbind(dim=1)
    velocity = found.velocity.view(30, 3, 50)[:, 1]
    # step**2 / 6 times a third derivative of up to 1000
    torch.testing.assert_close((after - before) / (2 * step), velocity, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float32])
@each_method
def test_time_may_have_any_dtype(method: pendulum.Method, dtype: torch.dtype) -> None:
    pendulums = sample(6)
    whole = torch.arange(9)
    expected = pendulum.simulate(whole.double(), **pendulums, method=method)
    found = pendulum.simulate(whole.to(dtype), **pendulums, method=method)
    assert all(map(torch.equal, found, expected))


def test_integers_serve_as_parameters() -> None:
    time = torch.arange(5)
    expected = pendulum.simulate(time, length=2.0, angle=1.0, gravity=10.0)
    found = pendulum.simulate(time, length=2, angle=1, gravity=10)
    assert all(map(torch.equal, found, expected))
    tensors: dict[str, Any] = {
        "length": torch.tensor([2]),
        "angle": torch.tensor([1]),
        "gravity": 10,
    }
    assert all(map(torch.equal, pendulum.simulate(time, **tensors), expected))


@each_method
def test_times_may_come_in_any_order(method: pendulum.Method) -> None:
    pendulums = sample(6)
    time = torch.tensor([3.0, 0.0, 7.5, 3.0, 1.0])
    found = pendulum.simulate(time, **pendulums, method=method)
    ordered = pendulum.simulate(torch.tensor([0.0, 1.0, 3.0, 7.5]), **pendulums, method=method)
    for field, expected in zip(found, ordered, strict=True):
        assert torch.equal(field, expected[:, [2, 0, 3, 2, 1]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@each_method
def test_batch_equals_singles(method: pendulum.Method, dtype: torch.dtype) -> None:
    """Bit for bit, at odd sizes, and over the chunks in which a batch is worked out."""
    time = torch.linspace(0, 2, 149)
    pendulums = sample(3 * swing.CHUNK // 149 + 7, dtype=dtype)
    whole = pendulum.simulate(time, **pendulums, method=method)
    for rows in ([0], [1], [2], [220, 221], [659, 4, 17, 18, 300]):
        chosen = {name: values[rows] for name, values in pendulums.items()}
        part = pendulum.simulate(time, **chosen, method=method)
        for field, expected in zip(part, whole, strict=True):
            assert field.dtype == dtype
            assert torch.equal(field, expected[rows])


@each_method
def test_empty_batch(method: pendulum.Method) -> None:
    found = pendulum.simulate(TIME, **sample(0), method=method)
    assert [tuple(field.shape) for field in found] == [(0, 121), (0, 121), (0, 121, 2)]


def test_numbers_go_with_tensors() -> None:
    angle = torch.tensor([0.1, 0.2, 0.3])
    found = pendulum.simulate(TIME, length=1.5, angle=angle, gravity=torch.tensor(9.8))
    full = torch.full((3,), 1.5, dtype=torch.float64), torch.full((3,), 9.8)
    expected = pendulum.simulate(TIME, length=full[0], angle=angle, gravity=full[1])
    assert found.angle.dtype == torch.float32
    assert expected.angle.dtype == torch.float64
    assert torch.equal(found.angle, expected.angle.float())


@pytest.mark.parametrize("released", [True, False])
@each_method
def test_gradients_agree_with_finite_differences(method: pendulum.Method, released: bool) -> None:
    time = torch.tensor([0.2, 0.5], dtype=torch.float64)
    names = ["length", "angle", "gravity"] + ["velocity", "friction", "mass"] * (not released)
    drawn = sample(6)
    rows = [0, 3] if released else [5]
    leaves = [drawn[name][rows].clone().requires_grad_() for name in names]

    def outcome(*values: Tensor) -> tuple[Tensor, ...]:
        drawn: dict[str, Any] = dict(zip(names, values, strict=True))
        return pendulum.simulate(time, **drawn, method=method)

    assert torch.autograd.gradcheck(outcome, leaves, eps=1e-6, atol=1e-6)


def test_gradient_by_friction_does_not_vanish_at_zero() -> None:
    """A small swing fades as exp(-friction t / 2)."""
    friction = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    period = torch.tensor([math.tau / FREQUENCY], dtype=torch.float64)
    found = pendulum.simulate(period, length=LENGTH, angle=1e-5, gravity=GRAVITY, friction=friction)
    (slope,) = torch.autograd.grad(found.angle.sum(), friction)
    # the angle's square, 1e-10, is neglected
    torch.testing.assert_close(slope, -1e-5 * period / 2, rtol=1e-8, atol=0)


def test_gravity_of_a_planet() -> None:
    """On Earth, by IAU's G M and the mean radius, 9.82 m / s^2."""
    big_g, mass, radius = 6.6743e-11, 5.9722e24, 6.371e6
    gravity = pendulum.gravity_of_planet(big_g=big_g, phi=mass / radius**2)
    assert gravity == pytest.approx(9.82, abs=0.005)
    phi = torch.tensor([1.0, 2.0])
    assert torch.equal(torch.as_tensor(pendulum.gravity_of_planet(big_g=3.0, phi=phi)), 3 * phi)


def test_numpy_shares_memory() -> None:
    angle = torch.tensor([0.5, 0.6], requires_grad=True)
    found = pendulum.simulate(TIME, length=1.0, angle=angle, gravity=9.8)
    for tensor, array in zip(found, found.numpy(), strict=True):
        assert isinstance(array, np.ndarray)
        assert array.ctypes.data == tensor.data_ptr()


GOOD: dict[str, Any] = {"length": 1.0, "angle": torch.tensor([0.5, 1.0]), "gravity": 9.8}
DEGREES = "if it is in degrees, multiply it by pi / 180"
START = "the pendulum starts at time 0"
ONE_EACH = "one value a sample"
BAD: list[tuple[str, Any, str]] = [
    (
        "length",
        0,
        "pendulum.length must be finite and > 0, got 0 in sample 0; "
        "give the distance from pivot to bob in metres",
    ),
    (
        "length",
        torch.tensor([1.0, -2.0]),
        "pendulum.length must be finite and > 0, got -2 in sample 1; "
        "give the distance from pivot to bob in metres",
    ),
    (
        "gravity",
        -9.8,
        "pendulum.gravity must be finite and > 0, got -9.8 in sample 0; "
        "give its size; that it pulls down is in the formula",
    ),
    (
        "mass",
        0.0,
        "pendulum.mass must be finite and > 0, got 0 in sample 0; "
        "give the mass of the bob in kilograms",
    ),
    (
        "angle",
        torch.tensor([0.5, 45.0]),
        f"pendulum.angle must be from -pi to pi [radian], got 45 in sample 1; {DEGREES}",
    ),
    (
        "angle",
        math.nan,
        f"pendulum.angle must be from -pi to pi [radian], got nan in sample 0; {DEGREES}",
    ),
    (
        "velocity",
        math.inf,
        "pendulum.velocity must be finite, got inf in sample 0; give radians a second",
    ),
    (
        "friction",
        -0.5,
        "pendulum.friction must be finite and >= 0, got -0.5 in sample 0; "
        "a negative one adds energy to the pendulum; change the sign",
    ),
    (
        "friction",
        1e9,
        "pendulum with friction or a starting velocity must be followed in at most 1,000,000 "
        "steps, got 51,539,607,552; shorten time, or bring gravity / length, velocity or "
        "friction / mass to the scale of the motion",
    ),
    (
        "mass",
        torch.ones(3),
        f"pendulum.mass must be a number or a tensor of shape (2,), {ONE_EACH}, got shape (3,); "
        "expand it to the batch",
    ),
    (
        "gravity",
        torch.ones(2, 1),
        f"pendulum.gravity must be a number or a tensor of shape (2,), {ONE_EACH}, "
        "got shape (2, 1); expand it to the batch",
    ),
    (
        "gravity",
        torch.ones(2, dtype=torch.complex64),
        "pendulum.gravity must be real numbers, got torch.complex64; convert it first",
    ),
    ("method", "exakt", "pendulum.method must be 'exact' or 'small_angle', got 'exakt'"),
    (
        "time",
        torch.zeros(0),
        "pendulum.time must have shape (T,) with T >= 1, got (0,); "
        "for one time give torch.tensor([t])",
    ),
    (
        "time",
        torch.tensor(1.0),
        "pendulum.time must have shape (T,) with T >= 1, got (); "
        "for one time give torch.tensor([t])",
    ),
    (
        "time",
        torch.tensor([0, -1]),
        f"pendulum.time must be finite and >= 0, got -1 at index 1; {START}",
    ),
    (
        "time",
        torch.tensor([math.nan, 1]),
        f"pendulum.time must be finite and >= 0, got nan at index 0; {START}",
    ),
    (
        "time",
        torch.tensor([True]),
        "pendulum.time must be real numbers, got torch.bool; convert it first",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_nonsense_is_refused(name: str, value: Any, message: str) -> None:
    arguments = GOOD | {"time": TIME} | {name: value}
    with pytest.raises(ValueError) as caught:
        pendulum.simulate(arguments.pop("time"), **arguments)
    assert str(caught.value) == message


def test_pi_of_float32_is_still_half_a_turn() -> None:
    """float32 rounds pi up, so torch.pi as float32 lies beyond it."""
    upright = torch.tensor([math.pi, -math.pi], dtype=torch.float32)
    found = pendulum.simulate(TIME[:5], length=1.0, angle=upright, gravity=9.8)
    torch.testing.assert_close(found.angle, upright[:, None].expand(2, 5))
