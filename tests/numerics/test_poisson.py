"""Poisson counts: scipy's quantile of the same uniform numbers, to the last count."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special, stats
from torch import Tensor

from deepbench_torch.numerics import poisson, rng

Numbers = NDArray[np.float64]
RATES = [0.01, 0.3, 1.0, 5.0, 20.0, 31.99, 32.0, 33.0, 100.0, 400.0, 2500.0, 3e4, 1e5, 1.1e5, 1e6]
each_rate = pytest.mark.parametrize("rate", RATES)
LEAST, LARGEST = -(2**31), 2**31 - 1
EXTREMES = torch.tensor([LEAST, LEAST + 1, -1, 0, 1, LARGEST - 1, LARGEST], dtype=torch.int32)


def bits(count: int = 4000, index: int = 0) -> Tensor:
    """Random integers of one row, the extremes among them."""
    sampled = rng.pixel_bits(0, "noise.poisson", torch.tensor([index]), count)[0]
    return torch.cat((sampled, EXTREMES))


def counts(bits: Tensor, rate: float | Tensor) -> Tensor:
    return poisson.poisson_from_bits(bits, torch.as_tensor(rate, dtype=torch.float32) + 0 * bits)


def is_quantile(count: Numbers, u: Numbers, rate: Numbers) -> NDArray[np.bool_]:
    """Whether P(X < count) < u <= P(X <= count), by scipy's cumulative distribution.

    That is good to 1e-13 or so, which decides nothing for the u of 32 bits drawn here.
    """
    enough = np.asarray(stats.poisson.cdf(count, rate)) >= u
    fewer = (count == 0) | (np.asarray(stats.poisson.cdf(count - 1, rate)) < u)
    return np.asarray(enough & fewer)


# ---- against scipy


@each_rate
def test_counts_are_the_quantile_of_scipy(rate: float) -> None:
    """For the rate as single precision holds it."""
    u = rng.bits_to_uniform(bits()).numpy()
    expected = stats.poisson.ppf(u, float(np.float32(rate)))
    np.testing.assert_array_equal(counts(bits(), rate).numpy(), expected)


def test_counts_of_mixed_rates_are_the_quantile_by_definition() -> None:
    """Rates from nothing to a million in one tensor, every pixel its own."""
    many = bits(40_000, index=1)
    rate = torch.tensor(np.geomspace(1e-3, 1e6, len(many)), dtype=torch.float32)
    rate[::50] = 0
    u = rng.bits_to_uniform(many).numpy()
    assert bool(is_quantile(counts(many, rate).numpy(), u, rate.double().numpy()).all())


def test_counts_are_the_same_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: all pixels at once; pieces that divide the pixels and pieces that do not."""
    many = bits(4000, index=2).view(-1, 1)
    rate = torch.tensor(np.geomspace(1, 1e6, len(many)), dtype=torch.float32).view(-1, 1)
    whole = counts(many, rate)
    for piece in (1, 16, 1000, len(many)):
        monkeypatch.setattr(poisson, "PIECE", piece)
        assert torch.equal(counts(many, rate), whole)


def test_no_light_gives_no_photons() -> None:
    assert bool((counts(bits(), 0.0) == 0).all())


@pytest.mark.parametrize("u", [2.0**-53, 1e-12, 2.0**-33, 0.5, 1 - 2.0**-33, 1 - 1e-12])
def test_quantile_of_extreme_probabilities(u: float) -> None:
    """Far beyond what 32 bits can ask for; the tail probabilities of scipy decide.

    In the upper tail 1 - u is compared with P(X > k), which keeps its digits there.
    """
    rate = np.array([1e-6, 0.01, 1.0, 10.0, 31.99, 32.0, 100.0, 1e3, 1e5, 1e6])
    probability = torch.full((len(rate),), u, dtype=torch.float64)
    found = poisson.poisson_quantile(probability, torch.tensor(rate)).numpy()
    if u <= 0.5:
        assert bool(is_quantile(found, probability.numpy(), rate).all())
        return
    # the sums near 1 that are compared with u carry an error of 1e-16 for a rate of 1, and of
    # about 1e-13 for a million; the last count may be off by that much probability
    error = 2e-16 * (1 + rate**0.5)
    above, from_there = stats.poisson.sf(found, rate), stats.poisson.sf(found - 1, rate)
    assert bool((above <= 1 - u + error).all())
    assert bool(((found == 0) | (from_there > 1 - u - error)).all())


def test_quantile_agrees_with_scipy_on_random_probabilities() -> None:
    u = rng.uniform(0, ("u",), torch.arange(1), 3000).flatten()
    rate = torch.tensor(np.geomspace(1e-2, 1e6, 3000))
    expected = stats.poisson.ppf(u.numpy(), rate.numpy())
    np.testing.assert_array_equal(poisson.poisson_quantile(u, rate).numpy(), expected)


# ---- the shortcut in single precision


@pytest.mark.parametrize("rate", np.geomspace(poisson.SMALL, poisson.LARGE, 8).tolist())
def test_bounds_on_the_error_of_the_expansion_hold(rate: float) -> None:
    """Oracle: the continuous quantile, Q(x, rate) = u, from scipy's inverse of the distribution.

    `poisson_from_bits` trusts the expansion where it lies further than this from a whole number.
    Deviations are taken evenly, for the error is largest where they are large and rare.
    """
    even = special.ndtr(np.linspace(-1, 1, 20_001) * poisson.TAIL) * 2.0**32 - 2.0**31
    many = torch.tensor(even.astype(np.int32))
    normal = ((many.float() + 0.5) * ((1 - 2.0**-24) * 2.0**-31)).erfinv() * 2**0.5
    assert float(normal.abs().max()) == pytest.approx(poisson.TAIL, rel=1e-3)
    rates = torch.full_like(normal, rate)
    found = poisson._expansion(normal, rates.sqrt(), rates.sqrt().reciprocal()) + rates
    true = special.pdtrik(rng.bits_to_uniform(many).numpy(), rates.double().numpy()) + 1
    bound = poisson.TRUNCATION / rate + poisson.ROUNDING * rate**0.5
    assert np.abs(found.double().numpy() - true).max() < bound


@pytest.mark.parametrize("rate", np.geomspace(poisson.SMALL, poisson.LARGE, 8).tolist())
def test_the_expansion_selects_the_two_possible_counts(rate: float) -> None:
    """In double precision it is near enough to the continuous quantile for one look to decide."""
    normal = torch.linspace(-1, 1, 2001, dtype=torch.float64) * poisson.FAR
    rates = torch.full_like(normal, rate)
    found = poisson._expansion(normal, rates.sqrt(), rates.rsqrt()) + rates
    true = special.pdtrik(special.ndtr(normal.numpy()), rate) + 1
    assert np.abs(found.numpy() - true).max() < poisson.NEAR


# ---- laws


@pytest.mark.parametrize(("low", "high"), [(0.0, 3.0), (25.0, 40.0), (3e4, 3.1e4), (9e4, 1.1e5)])
def test_more_light_never_gives_fewer_photons(low: float, high: float) -> None:
    """At fixed bits, also across the rates at which the method changes."""
    rate = torch.linspace(low, high, 3001)[:, None]
    fixed = bits(60).expand(len(rate), -1)
    sampled = poisson.poisson_from_bits(fixed.contiguous(), rate.expand(fixed.shape).contiguous())
    assert bool((sampled.diff(dim=0) >= 0).all())


def test_counts_of_a_batch_equal_singles() -> None:
    many = bits(493)
    rate = torch.tensor(np.geomspace(1e-2, 3e5, len(many)), dtype=torch.float32)
    singles = torch.cat([poisson.poisson_from_bits(many[k : k + 1], rate[k : k + 1])
                         for k in range(len(many))])  # fmt: skip
    assert torch.equal(poisson.poisson_from_bits(many, rate), singles)
    assert torch.equal(poisson.poisson_from_bits(many.flip(0), rate.flip(0)), singles.flip(0))


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 0, 3), (2, 3, 5)])
def test_counts_keep_the_shape_and_their_arguments(shape: tuple[int, ...]) -> None:
    zeros, rate = torch.zeros(shape, dtype=torch.int32), torch.full(shape, 50.0)
    sampled = poisson.poisson_from_bits(zeros, rate)
    assert (sampled.shape, sampled.dtype) == (rate.shape, torch.float32)
    assert bool((zeros == 0).all())
    assert bool((rate == 50).all())
    assert poisson.poisson_quantile(torch.zeros(0).double(), torch.zeros(0).double()).shape == (0,)


def test_counts_have_mean_and_variance_of_their_rate() -> None:
    """The standard errors of n Poisson counts: (rate / n)^1/2 and about rate (2 / n)^1/2."""
    for rate in (0.5, 40.0, 400.0):
        sampled = counts(rng.pixel_bits(1, "n", torch.arange(1), 100_000)[0], rate).double()
        assert abs(float(sampled.mean()) - rate) < 4 * (rate / 1e5) ** 0.5
        error = ((2 * rate**2 + rate) / 1e5) ** 0.5
        assert abs(float(sampled.var()) - rate) < 4 * error


@pytest.mark.parametrize("others", [3.0, 100.0, 2e5])
def test_an_undefined_rate_touches_no_other_pixel(others: float) -> None:
    rate = torch.full((2007,), others)
    rate[::2] = 50.0
    expected = counts(bits(2000), rate)
    rate[4] = torch.nan
    sampled = counts(bits(2000), rate)
    assert bool(sampled[4].isnan())
    sampled[4] = expected[4]
    assert torch.equal(sampled, expected)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 160, 16_000, 16_001])
def test_every_doubtful_pixel_is_worked_out(count: int) -> None:
    """Oracle: scipy, at a rate where the expansion is never trusted, for any number of pixels."""
    sampled = rng.pixel_bits(5, "x", torch.arange(1), count)[0]
    found = counts(sampled, 3.0)
    expected = stats.poisson.ppf(rng.bits_to_uniform(sampled).numpy(), 3.0)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("rate", [1e8, 1e10, 1e15, 1e30])
def test_counts_of_huge_rates_are_normal(rate: float) -> None:
    """Oracle: the normal distribution, which a Poisson of so many photons is."""
    bits = torch.arange(-(2**31) + 2**20, 2**31 - 1, 2**22).to(torch.int32)
    found = poisson.poisson_from_bits(bits, torch.full((len(bits),), rate)).double()
    expected = rate + rate**0.5 * torch.special.ndtri(rng.bits_to_uniform(bits))
    # the skewness moves a count by less than 2; float32 keeps 7 digits
    torch.testing.assert_close(found, expected, rtol=2e-7, atol=2)
