"""Kernel of the exact Poisson quantile, in double precision, for one pixel at a time.

It serves the few pixels whose count the fast estimate of `noise` leaves uncertain.
"""

import math
from typing import Any

from numba import float64

from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import exact_exp, exact_log, normal_quantile
from deepbench_torch.native.intrinsics import floor64, root64
from deepbench_torch.numerics import poisson


@kernel
def poisson_quantile(bits: Any, rate: Any) -> Any:
    """Return the smallest k with P(X <= k) >= u for X Poisson, as `poisson.poisson_quantile`.

    Args:
        bits: A 32-bit integer; u is `rng.bits_to_uniform` of it.
        rate: The expected count, float64.
    """
    u = (float64(bits) + (2.0**31 + 0.5)) * 2.0**-32
    if rate < poisson.SMALL:
        return _by_sum(u, rate)
    w = normal_quantile(u)
    value = _expansion(w, root64(rate)) + rate
    count = floor64(value)
    count = count if count > 0.0 else 0.0
    if rate > poisson.HUGE:
        return count
    integer = floor64(value + 0.5)
    if abs(value - integer) < _expansion_error(w, rate):
        count = integer - 1.0 if _cumulative(integer - 1.0, rate) >= u else integer
    return count if count > 0.0 else 0.0


@inline
def _expansion(w: Any, size: Any) -> Any:
    inverse = 1.0 / size
    w2 = w * w
    rest = ((w2 * (1 / 270) + 7 / 810) * w2 - 8 / 405) * inverse
    rest = (rest - (w2 * (1 / 72) + 1 / 36) * w) * inverse
    return rest + w2 * (1 / 6) + 1 / 3 + w * size


@inline
def _expansion_error(w: Any, rate: Any) -> Any:
    """Return a bound on the error of the expansion, rounding included.

    The first term left out is of the order rate**-1.5 and of degree 5 in w. Measured against the
    continuous quantile, for all w that 32 bits give, the error is at most 0.01 (1 + |w|**5)
    rate**-1.5 at a rate of SMALL and falls from there on; the bound is half as much again.
    """
    w2 = w * w
    return 0.015 * (1.0 + w2 * w2 * abs(w)) / (rate * root64(rate)) + 1e-15 * (
        rate + 10.0 * root64(rate)
    )


@kernel
def _by_sum(u: Any, rate: Any) -> Any:
    count = 0.0
    term = exact_exp(-rate)
    total = term
    while total < u and count < 200.0:
        count += 1.0
        term = term * rate / count
        total += term
    return count


@kernel
def _cumulative(count: Any, rate: Any) -> Any:
    """Return P(X <= count) for a rate of SMALL or more.

    The probability of one count, by Loader (2000, Fast and accurate computation of binomial
    probabilities), times the sum of the ratios of the others to it, on the shorter side.
    """
    if count < 0.0:
        return 0.0
    if count <= rate:
        term = total = 1.0
        k = count
        while k > 0.0 and term > 1e-18:
            term *= k / rate
            total += term
            k -= 1.0
        return _probability(count, rate) * total
    term = total = rate / (count + 1.0)
    k = count + 2.0
    while term > 1e-18 * total:
        term *= rate / k
        total += term
        k += 1.0
    return 1.0 - _probability(count, rate) * total


@kernel
def _probability(count: Any, rate: Any) -> Any:
    """Return the probability of a count."""
    if count < 16.0:
        term = exact_exp(-rate)
        k = 1.0
        while k <= count:
            term *= rate / k
            k += 1.0
        return term
    return exact_exp(-_stirling(count) - _deviance(count, rate)) / root64(2 * math.pi * count)


@kernel
def _stirling(n: Any) -> Any:
    """Return log n! - ((n + 1/2) log n - n + log(2 pi) / 2), for n of 16 or more."""
    i = 1.0 / n
    s = i * i
    return i * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188)))))


@kernel
def _deviance(x: Any, mean: Any) -> Any:
    """Return x log(x / mean) + mean - x, by a series where both are alike."""
    difference = x - mean
    if abs(difference) >= 0.1 * (x + mean):
        return x * exact_log(x / mean) - difference
    v = difference / (x + mean)
    total = difference * v
    power = 2.0 * x * v
    before = total - 1.0
    j = 1.0
    while total != before:
        power *= v * v
        before = total
        total += power / (2.0 * j + 1.0)
        j += 1.0
    return total
