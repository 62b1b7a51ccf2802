"""Priors: inverse cumulative distributions against scipy.stats, and their support."""

import math
from typing import NamedTuple, Protocol

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

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
    values,
)

LEAST, LARGEST = 2.0**-53, 1 - 2.0**-53  # numbers that `rng.uniform` returns
INF = math.inf


class Distribution(Protocol):
    """Interface of a distribution of scipy.stats that the tests use."""

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]: ...


class Case(NamedTuple):
    """Prior, the same distribution in scipy, its form in a recipe, and tolerances."""

    prior: Prior
    oracle: Distribution
    plain: object
    rtol: float = 0.0
    atol: float = 0.0


class Discrete:
    """Values of a choice in the order of a recipe, with the probabilities in scipy's table."""

    def __init__(self, values: list[float], weights: list[float]) -> None:
        shares = np.array(weights) / sum(weights)
        self.values = np.array(values)
        self.indices = stats.rv_discrete(values=(np.arange(len(values)), shares))

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.values[self.indices.ppf(q).astype(int)])


class Constant:
    """Distribution of one value, which scipy does not have."""

    def __init__(self, value: float) -> None:
        self.value = value

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full_like(q, self.value)


class TruncatedNormal:
    """Truncated normal of scipy; in an open upper tail, where it loses digits, scipy's normal."""

    def __init__(self, mean: float, std: float, low: float, high: float) -> None:
        self.truncated = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
        self.normal = stats.norm(mean, std)
        self.share = float(self.normal.sf(low))
        self.tail = 1 - 1e-6 if math.isinf(high) else 1.0

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(q < self.tail, self.truncated.ppf(q), self.normal.isf((1 - q) * self.share))


class Rising:
    """A density in proportion to the value, whose integral is a square."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(self.low**2 + q * (self.high**2 - self.low**2))


# Rounding of start + u * span against scipy's loc + scale * u
ROUNDING = 1e-15
# The logarithm of the ends, up to 700, has a relative error of 1e-16; exp multiplies it by 700
LOGARITHM = 2e-13
# Probabilities at low and high are rounded to 36 bits; the error of a value divides by the density
TRUNCATION = (1e-10, 1e-10)

NORMAL_BELOW = {"normal": {"mean": 2, "std": 0.5, "high": -1}}
CASES = [
    Case(Fixed(2.5), Constant(2.5), 2.5),
    Case(Fixed(INF), Constant(INF), INF),
    Case(Fixed(-3.0), Constant(-3.0), {"fixed": -3}),
    Case(Uniform(0.0, 1.0), stats.uniform(0, 1), {"uniform": [0, 1]}, ROUNDING),
    Case(Uniform(-2.0, 7.5), stats.uniform(-2, 9.5), {"uniform": [-2, 7.5]}, ROUNDING, ROUNDING),
    Case(Uniform(1e6, 1e6 + 1), stats.uniform(1e6, 1), {"uniform": [1e6, 1e6 + 1]}, ROUNDING),
    Case(
        Uniform(0.0, math.pi),
        stats.uniform(0, math.pi),
        {"uniform": {"low": 0, "high": math.pi}},
        ROUNDING,
    ),
    Case(LogUniform(0.25, 5.0), stats.loguniform(0.25, 5), {"log_uniform": [0.25, 5]}, LOGARITHM),
    Case(
        LogUniform(1e-300, 1e300),
        stats.loguniform(1e-300, 1e300),
        {"log_uniform": {"low": 1e-300, "high": 1e300}},
        LOGARITHM,
    ),
    Case(
        LogUniform(1.0, 1.001), stats.loguniform(1, 1.001), {"log_uniform": [1, 1.001]}, LOGARITHM
    ),
    Case(
        PowerLaw(0.25, 5.0, -2.5),
        stats.truncpareto(1.5, 20, scale=0.25),
        {"power_law": [0.25, 5, -2.5]},
        LOGARITHM,
    ),
    Case(
        PowerLaw(0.5, 4.0, 1.0),
        Rising(0.5, 4.0),
        {"power_law": {"low": 0.5, "high": 4, "slope": 1}},
        LOGARITHM,
    ),
    Case(Normal(0.0, 1.0), stats.norm(0, 1), {"normal": [0, 1]}, 4e-15),
    Case(Normal(5.0, 0.5), stats.norm(5, 0.5), {"normal": {"mean": 5, "std": 0.5}}, 1e-14),
    Case(
        Normal(1.0, 0.5, 0.0),
        TruncatedNormal(1, 0.5, 0, INF),
        {"normal": {"mean": 1, "std": 0.5, "low": 0}},
        *TRUNCATION,
    ),
    Case(
        Normal(1.0, 0.5, high=2.0),
        TruncatedNormal(1, 0.5, -INF, 2),
        {"normal": {"mean": 1, "std": 0.5, "high": 2}},
        *TRUNCATION,
    ),
    Case(
        Normal(10.0, 2.0, 9.0, 10.5),
        TruncatedNormal(10, 2, 9, 10.5),
        {"normal": {"mean": 10, "std": 2, "low": 9, "high": 10.5}},
        *TRUNCATION,
    ),
    # six standard deviations from the mean: a small probability keeps its digits
    Case(
        Normal(0.0, 1.0, 6.0),
        TruncatedNormal(0, 1, 6, INF),
        {"normal": [0, 1, 6, INF]},
        *TRUNCATION,
    ),
    Case(
        Normal(2.0, 0.5, -INF, -1.0), TruncatedNormal(2, 0.5, -INF, -1), NORMAL_BELOW, *TRUNCATION
    ),
    Case(Integer(0, 1), stats.randint(0, 2), {"integer": [0, 1]}),
    Case(Integer(-3, 8), stats.randint(-3, 9), {"integer": [-3, 8]}),
    Case(Integer(4, 4), stats.randint(4, 5), {"integer": {"low": 4, "high": 4}}),
    Case(Choice((2.0, 3.0, 4.0)), Discrete([2, 3, 4], [1, 1, 1]), {"choice": [2, 3, 4]}),
    Case(Choice((5.0,)), Discrete([5], [1]), {"choice": [5]}),
    Case(
        Choice((3.0, 1.0, INF), (1.0, 2.5, 0.5)),
        Discrete([3, 1, INF], [1, 2.5, 0.5]),
        {"choice": {"values": [3, 1, INF], "weights": [1, 2.5, 0.5]}},
    ),
    Case(
        Choice((9.0, 1.0, 2.0, -9.0), (0.0, 1.0, 1.0, 0.0)),
        Discrete([1, 2], [1, 1]),
        {"choice": {"values": [9, 1, 2, -9], "weights": [0, 1, 1, 0]}},
    ),
]
each_prior = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.prior))
ORDERED = [case.prior for case in CASES if not isinstance(case.prior, Choice | Fixed)]


def units() -> Tensor:
    """Return sorted uniform numbers, including the least and the largest."""
    random = rng.uniform(0, ("u",), torch.arange(1), 2000).flatten()
    even = (torch.arange(1000) + 0.5).double() / 1000
    ends = torch.tensor([LEAST, 3 * LEAST, 1e-9, 1 - 3 * LEAST, LARGEST], dtype=torch.float64)
    return torch.cat((random, even, ends)).sort().values


def test_every_prior_is_tested() -> None:
    assert {type(case.prior) for case in CASES} == set(PRIORS)


# ---- values


@each_prior
def test_icdf_is_the_inverse_cumulative_distribution(case: Case) -> None:
    """Oracle: the `ppf` of scipy.stats."""
    sampled, expected = case.prior.icdf(units()).numpy(), case.oracle.ppf(units().numpy())
    np.testing.assert_allclose(sampled, expected, rtol=case.rtol, atol=case.atol)


@each_prior
def test_every_value_is_contained(case: Case) -> None:
    assert bool(case.prior.contains(case.prior.icdf(units())).all())


@each_prior
def test_values_are_in_the_support(case: Case) -> None:
    low, high = case.prior.support
    sampled = case.prior.icdf(units())
    assert low <= float(sampled.min())
    assert float(sampled.max()) <= high


@pytest.mark.parametrize("prior", ORDERED, ids=str)
def test_icdf_increases_with_probability(prior: Prior) -> None:
    assert bool((prior.icdf(units()).diff() >= 0).all())


@each_prior
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 3, 5)])
def test_icdf_keeps_the_shape_and_its_argument(case: Case, shape: tuple[int, ...]) -> None:
    u = torch.full(shape, 0.375, dtype=torch.float64)
    sampled = case.prior.icdf(u)
    assert (sampled.shape, sampled.dtype) == (u.shape, torch.float64)
    assert case.prior.contains(sampled).shape == u.shape
    assert bool((u == 0.375).all())


@each_prior
def test_icdf_of_a_batch_equals_singles(case: Case) -> None:
    u = units()[::31]
    singles = torch.stack([case.prior.icdf(one) for one in u])
    assert torch.equal(case.prior.icdf(u), singles)


def test_icdf_accepts_tensors_that_are_not_contiguous() -> None:
    u = rng.uniform(0, ("a", "b"), torch.arange(9), 4).transpose(0, 2)
    for case in CASES:
        assert torch.equal(case.prior.icdf(u), case.prior.icdf(u.contiguous()))


def test_uniform_never_reaches_its_upper_end() -> None:
    """Check also where 1 - 2**-53 of the span rounds up to the end."""
    u = torch.tensor([LARGEST], dtype=torch.float64)
    for prior in (
        Uniform(0.0, 1.0),
        Uniform(1.0, 2.0),
        Uniform(1e15, 1e15 + 1),
        Uniform(-1.0, 0.0),
    ):
        assert float(prior.icdf(u)) < prior.high
        assert not bool(prior.contains(torch.tensor(prior.high, dtype=torch.float64)))
        assert bool(prior.contains(torch.tensor(prior.low, dtype=torch.float64)))


def test_ends_of_closed_priors_are_contained() -> None:
    for prior in (LogUniform(0.3, 7.0), Normal(0.0, 1.0, -1.0, 2.0), Integer(2, 5)):
        assert bool(prior.contains(torch.tensor(prior.support, dtype=torch.float64)).all())


@pytest.mark.parametrize(
    ("prior", "outside"),
    [
        (Fixed(2.0), [1.9, math.nan]),
        (Uniform(0.0, 1.0), [-1e-9, 1.0, INF, math.nan]),
        (LogUniform(0.5, 2.0), [0.49, 2.01, -1.0, math.nan]),
        (Normal(0.0, 1.0), [INF, -INF, math.nan]),
        (Normal(0.0, 1.0, -1.0, 2.0), [-1.01, 2.01, math.nan]),
        (Integer(1, 4), [0.0, 2.5, 5.0, math.nan]),
        (Choice((1.0, 2.0), (1.0, 0.0)), [1.5, 2.0, math.nan]),
    ],
    ids=str,
)
def test_other_values_are_not_contained(prior: Prior, outside: list[float]) -> None:
    assert not bool(prior.contains(torch.tensor(outside, dtype=torch.float64)).any())


def test_a_value_of_weight_0_is_never_sampled() -> None:
    prior = Choice((9.0, 1.0, 2.0, -9.0), (0.0, 1.0, 1.0, 0.0))
    assert prior.support == (1.0, 2.0)
    assert set(prior.icdf(units()).tolist()) == {1.0, 2.0}


# ---- several priors in one batch


@pytest.mark.parametrize("trailing", [(), (3,), (2, 0), (2, 3)])
@pytest.mark.parametrize("batch", [0, 1, 50])
def test_values_equal_icdf_of_each_prior(batch: int, trailing: tuple[int, ...]) -> None:
    priors = [case.prior for case in CASES]
    count = math.prod(trailing)
    u = rng.uniform(4, [f"{column}" for column in range(len(priors))], torch.arange(batch), count)
    u = u.view(batch, len(priors), *trailing)
    columns = [prior.icdf(u[:, column]) for column, prior in enumerate(priors)]
    assert torch.equal(values(priors, u), torch.stack(columns, dim=1))


def test_values_of_no_prior_are_empty() -> None:
    assert values([], torch.zeros(5, 0, 2, dtype=torch.float64)).shape == (5, 0, 2)


def test_values_do_not_change_their_argument() -> None:
    u = units().view(1, -1).clone()
    values([Uniform(0.0, 2.0)] * u.shape[1], u)
    assert torch.equal(u[0], units())
