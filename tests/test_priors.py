"""Priors: inverse cumulative distributions against scipy.stats, ranges, recipes and refusals."""

import math
from typing import NamedTuple, Protocol

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from deepbench_torch import rng
from deepbench_torch.priors import (
    PRIORS,
    Choice,
    Fixed,
    Integer,
    LogUniform,
    Normal,
    Prior,
    Uniform,
    values,
)

LEAST, LARGEST = 2.0**-53, 1 - 2.0**-53  # of the numbers that `rng.uniform` gives
INF = math.inf


class Distribution(Protocol):
    """What the tests use of a distribution of scipy.stats."""

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]: ...


class Case(NamedTuple):
    """A prior, the same distribution in scipy, its form in a recipe and how far they may differ."""

    prior: Prior
    oracle: Distribution
    plain: object
    rtol: float = 0.0
    atol: float = 0.0


class Listed:
    """The values of a choice in the order of a recipe, drawn by scipy's table of probabilities."""

    def __init__(self, values: list[float], weights: list[float]) -> None:
        shares = np.array(weights) / sum(weights)
        self.values = np.array(values)
        self.places = stats.rv_discrete(values=(np.arange(len(values)), shares))

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.values[self.places.ppf(q).astype(int)])


class Always:
    """One value: a distribution that scipy does not have."""

    def __init__(self, value: float) -> None:
        self.value = value

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full_like(q, self.value)


class CutNormal:
    """The cut normal of scipy; in an open upper tail, where it loses digits, scipy's normal."""

    def __init__(self, mean: float, std: float, low: float, high: float) -> None:
        self.cut = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
        self.normal = stats.norm(mean, std)
        self.share = float(self.normal.sf(low))
        self.tail = 1 - 1e-6 if math.isinf(high) else 1.0

    def ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(q < self.tail, self.cut.ppf(q), self.normal.isf((1 - q) * self.share))


# Rounding of start + u * span against scipy's loc + scale * u
ROUNDING = 1e-15
# The logarithm of the ends, up to 700, is rounded to 1e-16 of itself, and exp makes that relative
LOGARITHM = 2e-13
# Probabilities at the cuts are rounded to 36 bits; divided by the density that shifts a value
CUT = (1e-10, 1e-10)

NORMAL_BELOW = {"normal": {"mean": 2, "std": 0.5, "high": -1}}
CASES = [
    Case(Fixed(2.5), Always(2.5), 2.5),
    Case(Fixed(INF), Always(INF), INF),
    Case(Fixed(-3.0), Always(-3.0), {"fixed": -3}),
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
    Case(Normal(0.0, 1.0), stats.norm(0, 1), {"normal": [0, 1]}, 4e-15),
    Case(Normal(5.0, 0.5), stats.norm(5, 0.5), {"normal": {"mean": 5, "std": 0.5}}, 1e-14),
    Case(
        Normal(1.0, 0.5, 0.0),
        CutNormal(1, 0.5, 0, INF),
        {"normal": {"mean": 1, "std": 0.5, "low": 0}},
        *CUT,
    ),
    Case(
        Normal(1.0, 0.5, high=2.0),
        CutNormal(1, 0.5, -INF, 2),
        {"normal": {"mean": 1, "std": 0.5, "high": 2}},
        *CUT,
    ),
    Case(
        Normal(10.0, 2.0, 9.0, 10.5),
        CutNormal(10, 2, 9, 10.5),
        {"normal": {"mean": 10, "std": 2, "low": 9, "high": 10.5}},
        *CUT,
    ),
    # six deviations out: a small probability keeps its digits
    Case(Normal(0.0, 1.0, 6.0), CutNormal(0, 1, 6, INF), {"normal": [0, 1, 6, INF]}, *CUT),
    Case(Normal(2.0, 0.5, -INF, -1.0), CutNormal(2, 0.5, -INF, -1), NORMAL_BELOW, *CUT),
    Case(Integer(0, 1), stats.randint(0, 2), {"integer": [0, 1]}),
    Case(Integer(-3, 8), stats.randint(-3, 9), {"integer": [-3, 8]}),
    Case(Integer(4, 4), stats.randint(4, 5), {"integer": {"low": 4, "high": 4}}),
    Case(Choice((2.0, 3.0, 4.0)), Listed([2, 3, 4], [1, 1, 1]), {"choice": [2, 3, 4]}),
    Case(Choice((5.0,)), Listed([5], [1]), {"choice": [5]}),
    Case(
        Choice((3.0, 1.0, INF), (1.0, 2.5, 0.5)),
        Listed([3, 1, INF], [1, 2.5, 0.5]),
        {"choice": {"values": [3, 1, INF], "weights": [1, 2.5, 0.5]}},
    ),
    Case(
        Choice((9.0, 1.0, 2.0, -9.0), (0.0, 1.0, 1.0, 0.0)),
        Listed([1, 2], [1, 1]),
        {"choice": {"values": [9, 1, 2, -9], "weights": [0, 1, 1, 0]}},
    ),
]
each_prior = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.prior))
ORDERED = [case.prior for case in CASES if not isinstance(case.prior, Choice | Fixed)]


def units() -> Tensor:
    """Sorted uniform numbers, their extremes among them."""
    drawn = rng.uniform(0, ("u",), torch.arange(1), 2000).flatten()
    even = (torch.arange(1000) + 0.5).double() / 1000
    ends = torch.tensor([LEAST, 3 * LEAST, 1e-9, 1 - 3 * LEAST, LARGEST], dtype=torch.float64)
    return torch.cat((drawn, even, ends)).sort().values


def test_no_prior_is_left_out() -> None:
    assert {type(case.prior) for case in CASES} == set(PRIORS)


# ---- values


@each_prior
def test_value_is_the_inverse_cumulative_distribution(case: Case) -> None:
    """Oracle: the `ppf` of scipy.stats."""
    drawn, expected = case.prior.icdf(units()).numpy(), case.oracle.ppf(units().numpy())
    np.testing.assert_allclose(drawn, expected, rtol=case.rtol, atol=case.atol)


@each_prior
def test_every_value_is_contained(case: Case) -> None:
    assert bool(case.prior.contains(case.prior.icdf(units())).all())


@each_prior
def test_values_lie_between_the_bounds(case: Case) -> None:
    low, high = case.prior.support
    drawn = case.prior.icdf(units())
    assert low <= float(drawn.min())
    assert float(drawn.max()) <= high


@pytest.mark.parametrize("prior", ORDERED, ids=str)
def test_value_rises_with_probability(prior: Prior) -> None:
    assert bool((prior.icdf(units()).diff() >= 0).all())


@each_prior
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 3, 5)])
def test_value_keeps_the_shape_and_its_argument(case: Case, shape: tuple[int, ...]) -> None:
    u = torch.full(shape, 0.375, dtype=torch.float64)
    drawn = case.prior.icdf(u)
    assert (drawn.shape, drawn.dtype) == (u.shape, torch.float64)
    assert case.prior.contains(drawn).shape == u.shape
    assert bool((u == 0.375).all())


@each_prior
def test_value_of_a_batch_equals_singles(case: Case) -> None:
    u = units()[::31]
    singles = torch.stack([case.prior.icdf(one) for one in u])
    assert torch.equal(case.prior.icdf(u), singles)


def test_value_takes_numbers_that_lie_apart_in_memory() -> None:
    u = rng.uniform(0, ("a", "b"), torch.arange(9), 4).transpose(0, 2)
    for case in CASES:
        assert torch.equal(case.prior.icdf(u), case.prior.icdf(u.contiguous()))


def test_uniform_never_reaches_its_upper_end() -> None:
    """Also where 1 - 2**-53 of the span rounds up to the end."""
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


def test_a_choice_of_no_weight_does_not_count() -> None:
    prior = Choice((9.0, 1.0, 2.0, -9.0), (0.0, 1.0, 1.0, 0.0))
    assert prior.support == (1.0, 2.0)
    assert set(prior.icdf(units()).tolist()) == {1.0, 2.0}


# ---- several at once


@pytest.mark.parametrize("trailing", [(), (3,), (2, 0), (2, 3)])
@pytest.mark.parametrize("batch", [0, 1, 50])
def test_values_equal_value_one_by_one(batch: int, trailing: tuple[int, ...]) -> None:
    priors = [case.prior for case in CASES]
    count = math.prod(trailing)
    u = rng.uniform(4, [f"{place}" for place in range(len(priors))], torch.arange(batch), count)
    u = u.view(batch, len(priors), *trailing)
    one_by_one = [prior.icdf(u[:, place]) for place, prior in enumerate(priors)]
    assert torch.equal(values(priors, u), torch.stack(one_by_one, dim=1))


def test_values_of_no_prior_are_none() -> None:
    assert values([], torch.zeros(5, 0, 2, dtype=torch.float64)).shape == (5, 0, 2)


def test_values_leave_their_argument_alone() -> None:
    u = units().view(1, -1).clone()
    values([Uniform(0.0, 2.0)] * u.shape[1], u)
    assert torch.equal(u[0], units())
