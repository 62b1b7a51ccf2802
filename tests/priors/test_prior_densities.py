"""Densities of priors: against scipy.stats and torch.distributions, their integral, samples."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor, distributions

from deepbench_torch.numerics import rng
from deepbench_torch.priors import (
    PRIORS,
    Choice,
    Fixed,
    Integer,
    LogUniform,
    Normal,
    PowerLaw,
    Prior,
    Uniform,
)
from deepbench_torch.priors.converted import converted

INF = math.inf


class Case(NamedTuple):
    """A prior with a density, and the same distribution in scipy."""

    prior: Prior
    oracle: Any


def truncated(mean: float, std: float, low: float, high: float) -> Case:
    oracle = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
    return Case(Normal(mean, std, low, high), oracle)


DENSITIES = [
    Case(Uniform(-2.0, 7.5), stats.uniform(-2, 9.5)),
    Case(Uniform(1e6, 1e6 + 1), stats.uniform(1e6, 1)),
    Case(LogUniform(0.25, 5.0), stats.loguniform(0.25, 5)),
    Case(LogUniform(1e-200, 1e200), stats.loguniform(1e-200, 1e200)),
    Case(PowerLaw(0.25, 5.0, -2.5), stats.truncpareto(1.5, 20, scale=0.25)),
    Case(Normal(5.0, 0.5), stats.norm(5, 0.5)),
    truncated(1.0, 0.5, 0.0, INF),
    truncated(10.0, 2.0, 9.0, 10.5),
    truncated(0.0, 1.0, 6.0, INF),
    truncated(2.0, 0.5, -INF, -1.0),
]
# values of each prior and their probabilities, by hand
MASSES: list[tuple[Prior, dict[float, float]]] = [
    (Fixed(2.5), {2.5: 1}),
    (Fixed(INF), {INF: 1}),
    (Integer(-1, 2), {-1: 0.25, 0: 0.25, 1: 0.25, 2: 0.25}),
    (Integer(4, 4), {4: 1}),
    (Choice((2.0, 3.0, 4.0), (2.0, 1.0, 1.0)), {2: 0.5, 3: 0.25, 4: 0.25}),
    (Choice((3.0, 1.0, INF), (1.0, 2.5, 0.5)), {3: 0.25, 1: 0.625, INF: 0.125}),
    (Choice((9.0, 0.1, 2.0), (0.0, 1.0, 3.0)), {0.1: 0.25, 2: 0.75}),
]
each_density = pytest.mark.parametrize("case", DENSITIES, ids=lambda case: str(case.prior))
each_mass = pytest.mark.parametrize(("prior", "masses"), MASSES, ids=str)
ANY = [case.prior for case in DENSITIES] + [prior for prior, _ in MASSES]


def samples(prior: Prior, count: int) -> Tensor:
    return prior.icdf(rng.uniform(0, ("u",), torch.arange(1), count).flatten())


def f64(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_every_prior_is_tested() -> None:
    assert {type(prior) for prior in ANY} == set(PRIORS)


@each_density
def test_density_is_that_of_scipy(case: Case) -> None:
    """Oracle: `logpdf`. Truncation rounds its probabilities to 36 bits."""
    values = samples(case.prior, 1000)
    expected = case.oracle.logpdf(values.numpy())
    np.testing.assert_allclose(case.prior.log_prob(values).numpy(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("prior", "oracle"),
    [
        (Uniform(-2.0, 7.5), distributions.Uniform(f64(-2.0), f64(7.5))),
        (Normal(5.0, 0.5), distributions.Normal(f64(5.0), f64(0.5))),
    ],
    ids=["uniform", "normal"],
)
def test_density_is_that_of_torch(prior: Prior, oracle: distributions.Distribution) -> None:
    values = samples(prior, 100)
    expected = oracle.log_prob(values)
    torch.testing.assert_close(prior.log_prob(values), expected, rtol=0, atol=1e-14)


def density(prior: Prior, value: float, log_factor: float = 0.0) -> float:
    return math.exp(float(prior.log_prob(f64(value))) + log_factor)


@each_density
def test_density_integrates_to_1(case: Case) -> None:
    """Oracle: quadrature of scipy in the logarithm, or over twenty standard deviations."""
    prior = case.prior
    low, high = prior.support
    if isinstance(prior, LogUniform):
        ends = math.log(low), math.log(high)
        total = integrate.quad(lambda t: density(prior, math.exp(t), t), *ends)
    else:
        mean, std = case.oracle.mean(), case.oracle.std()
        ends = max(low, mean - 20 * std), min(high, mean + 20 * std)
        total = integrate.quad(lambda value: density(prior, value), *ends)
    assert total[0] == pytest.approx(1, abs=1e-8)


@each_density
def test_samples_have_this_density(case: Case) -> None:
    """Oracle: a histogram of 20,000 values in ten bins that the density makes equally likely."""
    prior, count = case.prior, 20_000
    edges = prior.icdf(torch.arange(1, 10, dtype=torch.float64) / 10)
    inner = torch.histogram(samples(prior, count), edges).hist / count
    steps = torch.linspace(0, 1, 400, dtype=torch.float64)
    for share, low, high in zip(inner, edges[:-1], edges[1:], strict=True):
        even = low + (high - low) * steps
        values = low * (high / low) ** steps if isinstance(prior, LogUniform) else even
        mass = torch.trapezoid(prior.log_prob(values).exp(), values)
        assert float(share) == pytest.approx(float(mass), abs=5 * math.sqrt(0.09 / count))


@each_mass
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masses_are_those_of_the_values(
    prior: Prior, masses: dict[float, float], dtype: torch.dtype
) -> None:
    """Oracle: shares by hand, also of values in single precision."""
    values = torch.tensor([*masses], dtype=dtype)
    found = prior.log_prob(values)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.exp(), f64(*masses.values()), rtol=1e-14, atol=0)
    assert float(found.exp().sum()) == pytest.approx(1)


@pytest.mark.parametrize("prior", ANY, ids=str)
def test_impossible_values_have_no_density(prior: Prior) -> None:
    low, high = prior.support
    outside = [low - abs(low) - 1, high + abs(high) + 1, 0.123456789, -INF, math.nan]
    values = f64(*outside)
    values = values[~prior.contains(values)].requires_grad_()
    found = prior.log_prob(values)
    assert bool((found == -INF).all())
    if found.requires_grad:
        (gradient,) = torch.autograd.grad(found.sum(), values)
        assert torch.equal(gradient, torch.zeros_like(values))


@pytest.mark.parametrize("prior", ANY, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
def test_log_prob_keeps_the_shape(prior: Prior, shape: tuple[int, ...]) -> None:
    values = prior.icdf(torch.full(shape, 0.25, dtype=torch.float64))
    assert prior.log_prob(values).shape == shape
    assert bool(prior.log_prob(values).isfinite().all())


def test_whole_tensors_are_values() -> None:
    values = torch.tensor([1, 5])
    assert Integer(1, 4).log_prob(values).tolist() == [-math.log(4), -INF]
    assert Normal(1, 1, 0, 2).log_prob(values).isfinite().tolist() == [True, False]


# differences of other priors drown in rounding
SMOOTH = [case.prior for case in DENSITIES if max(map(abs, case.oracle.interval(0.5))) < 1e5]


@pytest.mark.parametrize("prior", SMOOTH, ids=str)
def test_density_has_exact_gradients(prior: Prior) -> None:
    """Oracle: finite differences."""
    values = prior.icdf(f64(0.3, 0.6)).requires_grad_()
    assert torch.autograd.gradcheck(prior.log_prob, values, fast_mode=True)


@each_density
def test_density_changes_with_the_unit(case: Case) -> None:
    """Oracle: the rule of change of variables; lengths grow by 28, the density shrinks by it."""
    values = samples(case.prior, 50)
    other = converted(case.prior, lambda value: value * 28)
    found, expected = other.log_prob(values * 28), case.prior.log_prob(values) - math.log(28)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-8)
