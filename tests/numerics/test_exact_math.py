"""Portable functions: as accurate as numpy and scipy, and the same bits whatever the processor."""

import decimal
import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor
from torch.autograd import forward_ad

import deepbench_torch as db
from deepbench_torch.numerics import exact_math, rng

Numbers = NDArray[np.float64]
Function = Callable[[Numbers], Numbers]
FOLDER = Path(__file__).parents[2]
LEAST = 2.0**-53  # of the uniform numbers
# torch's own forward mode makes its rules by the old compiler
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")


def units_in_the_last_place(found: Tensor, true: Numbers) -> float:
    """The largest error in units of the last place of the true value; 0 must be 0."""
    return float(np.max(np.abs(found.numpy() - true) / np.spacing(np.abs(true))))


def test_exp_agrees_with_numpy() -> None:
    """Polynomial and product round once each; numpy itself is off by up to one unit."""
    x = np.concatenate([np.linspace(-700, 700, 200_001), np.linspace(-1, 1, 20_001)])
    assert units_in_the_last_place(exact_math.exp(torch.tensor(x)), np.exp(x)) <= 2


@pytest.mark.parametrize("x", [0.0, -0.0, 5e-324, 1e-300, -1e-17])
def test_exp_of_almost_nothing_is_one(x: float) -> None:
    assert exact_math.exp(torch.tensor([x], dtype=torch.float64)).tolist() == [1.0]


def test_log_agrees_with_numpy() -> None:
    """From the least to the largest normal number, and near 1, where a logarithm loses digits."""
    x = np.concatenate(
        [
            np.geomspace(2.3e-308, 1.7e308, 200_001),
            1 + np.linspace(-1e-6, 1e-6, 20_001),
            np.linspace(0.5, 2, 20_001),
        ]
    )
    assert units_in_the_last_place(exact_math.log(torch.tensor(x)), np.log(x)) <= 4


ANGLES = np.concatenate([np.linspace(-10, 10, 200_001), np.geomspace(1e-300, 1e6, 50_001), [0.0]])
ALL = np.concatenate([np.geomspace(1e-300, 1e300, 50_001), np.linspace(-9, 9, 200_001), [np.inf]])
POWERS = np.concatenate([np.linspace(-700, 700, 200_001), np.geomspace(1e-300, 1, 50_001)])


@pytest.mark.parametrize(
    ("name", "true", "values", "units"),
    [
        ("sin", np.sin, ANGLES[np.abs(ANGLES) < 3], 3),
        ("cos", np.cos, ANGLES[np.abs(ANGLES) < 1.5], 3),
        ("atan", np.arctan, np.concatenate([ALL, -ALL]), 5),
        ("expm1", np.expm1, POWERS, 5),
    ],
)
def test_functions_agree_with_numpy(name: str, true: Function, values: Numbers, units: int) -> None:
    found = getattr(exact_math, name)(torch.tensor(values))
    assert units_in_the_last_place(found, true(values)) <= units


@pytest.mark.parametrize(("name", "true"), [("sin", np.sin), ("cos", np.cos)])
def test_large_angles_agree_with_numpy(name: str, true: Function) -> None:
    """Near its zeros a sine is as good as one unit of 1."""
    found = getattr(exact_math, name)(torch.tensor(ANGLES)).numpy()
    assert np.abs(found - true(ANGLES)).max() < 3e-16


def test_decay_agrees_with_numpy() -> None:
    x = np.concatenate([np.linspace(0, 700, 20_001), [1e4, np.inf]])
    found = exact_math.decay(torch.tensor(x)).numpy()
    assert np.allclose(found, np.exp(-x), rtol=1e-15, atol=1e-303)


@pytest.mark.moves_generators  # gradcheck draws directions
@pytest.mark.parametrize("name", ["sin", "cos", "atan", "expm1", "decay", "sqrt"])
def test_derivatives_are_those_of_torch(name: str) -> None:
    """Oracle: differences; twice, in reverse and in forward mode, and under vmap."""
    function = getattr(exact_math, name)
    x = torch.linspace(0.1, 2.0, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, (x,))
    mapped = torch.func.vmap(function)(x.detach())
    torch.testing.assert_close(mapped, function(x.detach()), rtol=1e-14, atol=0)


def test_log_of_one_is_nothing() -> None:
    assert exact_math.log(torch.ones(1, dtype=torch.float64)).tolist() == [0.0]


def test_normal_quantile_agrees_with_scipy() -> None:
    """Wichura's fits are good to 1e-15; the tails take p from 1e-300 to 1 - 2**-53."""
    p = np.concatenate(
        [
            np.geomspace(1e-300, 0.5, 100_001)[:-1],
            np.linspace(0, 1, 100_002)[1:-1],
            1 - np.geomspace(LEAST, 0.5, 10_001)[:-1],
        ]
    )
    found = exact_math.normal_quantile(torch.tensor(p)).numpy()
    np.testing.assert_allclose(found, special.ndtri(p), rtol=4e-15, atol=0)


def test_normal_quantile_is_odd_and_rises() -> None:
    """Also where one fit hands over to the next: |p - 1/2| = 0.425 and p = exp(-25)."""
    edges = [0.075, 0.925, np.exp(-25)]
    p = np.concatenate([edge * (1 + np.linspace(-1e-9, 1e-9, 1001)) for edge in edges])
    z = exact_math.normal_quantile(torch.tensor(np.sort(p)))
    assert bool((z.diff() >= 0).all())
    half = torch.linspace(0, 0.5, 4097, dtype=torch.float64)[1:]  # 1 - half is exact
    assert torch.equal(exact_math.normal_quantile(1 - half), -exact_math.normal_quantile(half))
    assert exact_math.normal_quantile(half[-1:]).tolist() == [0.0]


def test_polynomial_agrees_with_numpy() -> None:
    x = np.linspace(-2, 2, 101)
    coefficients = [3.0, -1.0, 0.0, 0.25]
    found = exact_math.polynomial(coefficients, torch.tensor(x)).numpy()
    np.testing.assert_allclose(found, np.polynomial.polynomial.polyval(x, coefficients), rtol=1e-14)


@pytest.mark.parametrize("function", [exact_math.exp, exact_math.log, exact_math.normal_quantile])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3, 5)])
def test_shapes_are_kept_and_arguments_left_alone(function: object, shape: tuple[int, ...]) -> None:
    assert callable(function)
    x = torch.full(shape, 0.25, dtype=torch.float64)
    found = function(x)
    assert (found.shape, found.dtype) == (x.shape, torch.float64)
    assert bool((x == 0.25).all())


def digest(tables: Iterable[Tensor]) -> str:
    return hashlib.sha256(b"".join(table.numpy().tobytes() for table in tables)).hexdigest()


def functions() -> str:
    """A hash of the functions on a grid."""
    steps = torch.arange(10_001, dtype=torch.float64)  # linspace has other bits without vectors
    x, p = steps * 0.14 - 700, (steps + 0.5) / 10_001
    y = exact_math.exp(x)
    return digest([y, exact_math.log(y), exact_math.normal_quantile(p)])


def truth() -> str:
    """A hash of the parameters of 200 rows of images, and of systems with their motion."""
    sample = db.generate("astro", 3, torch.arange(200))
    tables = [table for kind in sample.scene.values() for table in kind.values()]
    bodies = db.generate("nbody", 3, torch.arange(50))
    motion = [bodies.clean, bodies.kinetic, bodies.potential]
    return digest([*tables, *sample.present.values(), *bodies.parameters.values(), *motion])


def test_functions_have_the_same_bits_as_ever() -> None:
    """Written down once, on an x86-64 processor with AVX2; they hold on every other."""
    assert functions() == "8ab744742252788176f3ad0cc21db5d0f0673cb808260e82b8976a27474d41f7"


def test_truth_has_the_same_bits_without_vector_instructions() -> None:
    """Another process in which torch takes its plain code: other sums, other functions."""
    code = (
        "import torch; from tests.numerics.test_exact_math import functions, truth; "
        "print(torch.backends.cpu.get_cpu_capability(), functions(), truth())"
    )
    plain = os.environ | {"ATEN_CPU_CAPABILITY": "default", "PYTHONPATH": str(FOLDER)}
    run = subprocess.run(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", code], env=plain, cwd=FOLDER, capture_output=True, text=True
    )
    assert run.stdout.split() == ["DEFAULT", functions(), truth()], run.stderr


def exact_root(number: float) -> float:
    """Oracle: the root in 60 decimal digits, rounded once."""
    with decimal.localcontext() as context:
        context.prec = 60
        return float(decimal.Decimal(number).sqrt())


def numbers(count: int) -> Tensor:
    """Numbers of all sizes, and those beside powers of 4, whose roots lie beside powers of 2."""
    u = rng.uniform(5, ("roots",), torch.arange(count), 2)[:, 0]
    spread = (1 + u[:, 0]) * 2.0 ** (u[:, 1] * 600 - 300).round()
    powers = 4.0 ** torch.arange(-20, 21, dtype=torch.float64)
    beside = [torch.nextafter(powers, powers * end) for end in (0, 2)]
    return torch.cat((spread, powers, *beside))


def test_roots_are_correctly_rounded() -> None:
    """Plain, with a gradient, and in forward mode; torch's own roots are not."""
    x = numbers(20_000)
    expected = torch.tensor([exact_root(number) for number in x.tolist()], dtype=torch.float64)
    assert torch.equal(exact_math.sqrt(x), expected)
    assert torch.equal(exact_math.sqrt(x.clone().requires_grad_()).detach(), expected)
    with forward_ad.dual_level():
        dual = exact_math.sqrt(forward_ad.make_dual(x, torch.ones_like(x)))  # type: ignore[no-untyped-call]
        assert torch.equal(dual.detach(), expected)


def test_roots_of_single_precision_are_correctly_rounded() -> None:
    x = numbers(20_000).clamp(1e-30, 1e30).float()
    assert torch.equal(
        exact_math.sqrt(x), exact_math.sqrt(x.double()).float()
    )  # 53 bits round twice rightly


def test_roots_at_the_ends() -> None:
    x = torch.tensor([0.0, 5e-324, math.inf, -1.0], dtype=torch.float64)
    for found in (exact_math.sqrt(x), exact_math.sqrt(x.clone().requires_grad_()).detach()):
        assert found[:3].tolist() == [0.0, math.sqrt(5e-324), math.inf]
        assert bool(found[3].isnan())


@pytest.mark.moves_generators  # gradcheck draws its directions
def test_roots_are_differentiable() -> None:
    x = torch.tensor([0.3, 1.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(exact_math.sqrt, (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(exact_math.sqrt, (x,))
    mapped = torch.func.vmap(exact_math.sqrt)(x.detach())
    torch.testing.assert_close(mapped, exact_math.sqrt(x.detach()), rtol=1e-15, atol=0)


def test_log_gamma_agrees_with_scipy() -> None:
    """It is 0 at 1 and 2, so errors are absolute where it is small."""
    x = np.concatenate([np.linspace(0.01, 50, 50_001), np.logspace(-3, 6, 1001)])
    found = exact_math.log_gamma(torch.tensor(x)).numpy()
    np.testing.assert_allclose(found, special.gammaln(x), rtol=2e-14, atol=2e-14)


def test_logarithms_and_exponentials_are_differentiable() -> None:
    leaves = torch.tensor([0.3, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    for name in ("log_gamma", "natural_log", "exponential"):
        assert torch.autograd.gradcheck(getattr(exact_math, name), (leaves,))
    assert torch.equal(exact_math.natural_log(leaves), exact_math.log(leaves.detach()))
    assert torch.equal(exact_math.exponential(leaves), exact_math.exp(leaves.detach()))
