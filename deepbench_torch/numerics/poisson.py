"""The Poisson quantile: whole numbers of photons from uniform numbers and rates.

Inverting the cumulative distribution of one uniform a pixel keeps the noise addressed: a pixel's
count grows steadily with its rate, and no count depends on another.
"""

import math

import torch
from torch import Tensor

from deepbench_torch.numerics.rng import bits_to_uniform

SMALL = 32.0  # below this rate the distribution is summed, above it the expansion is used
LARGE = 1e5  # above this rate the expansion is worked out in double precision
HUGE = 1e8  # above this rate the expansion is all: float32 keeps only its leading digits
TAIL = 3.2  # beyond these standard deviations single precision loses the tail of a uniform number
# The error of the expansion in single precision is at most TRUNCATION / rate + ROUNDING * rate**0.5
# between SMALL and LARGE within TAIL: measured against the continuous quantile, 85 % of that.
TRUNCATION = 0.13
ROUNDING = 4e-5
# In double precision the expansion is off by less than NEAR within FAR standard deviations at rates
# of SMALL and more: measured, 0.2.
NEAR = 0.25
FAR = 6.5
PIECE = 1 << 18  # pixels estimated at once: 1 MiB an intermediate


def poisson_from_bits(bits: Tensor, rate: Tensor) -> Tensor:
    """Return Poisson counts from one 32-bit integer a pixel.

    The uniform number u of a pixel is `rng.bits_to_uniform(bits)` and its count the smallest k with
    P(X <= k) >= u, as `scipy.stats.poisson.ppf(u, rate)`. Most pixels take an asymptotic expansion
    in single precision; those whose value lies too near a whole number to be sure of, in the far
    tails or at small rates are worked out in double precision from the distribution itself.

    Args:
        bits: int32, any shape.
        rate: Expected counts, not negative, float32, the shape of `bits`.

    Returns:
        Counts, float32, the shape of `bits`; exact up to 2**24.
    """
    if not rate.numel():
        return rate.clone()
    flat_bits, flat_rate = bits.flatten(), rate.flatten()
    pieces = zip(torch.split(flat_bits, PIECE), torch.split(flat_rate, PIECE), strict=True)
    counts, places = zip(*(_estimate(*piece) for piece in pieces), strict=True)
    count = torch.cat(counts)
    chosen = torch.cat([place + number * PIECE for number, place in enumerate(places)])
    exact = poisson_quantile(bits_to_uniform(flat_bits[chosen]), flat_rate[chosen].double())
    return count.index_put_((chosen,), exact.float()).view(rate.shape)


def _estimate(bits: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
    """Return the counts of the expansion, shape (N,), and the places of those that are not sure."""
    # a hair below 2**-31, for the largest integers become 2**31 in single precision
    normal = bits.float().add_(0.5).mul_((1 - 2.0**-24) * 2.0**-31).erfinv_().mul_(math.sqrt(2))
    root = rate.sqrt()
    inverse = root.reciprocal()
    estimate = _expansion(normal, root, inverse).add_(rate)
    count = estimate.floor()
    # how near to a whole number; above 1/2 with the bound on its error, the estimate is not sure
    doubt = estimate.sub_(count).sub_(0.5).abs_()
    doubt.add_(root, alpha=ROUNDING).addcmul_(inverse, inverse, value=TRUNCATION)
    doubt.add_(normal.mul_(normal).mul_(1 / TAIL**2).floor_())
    # asked in this way round so that one NaN does not answer for all
    if not bool(rate.amin() >= SMALL and rate.amax() <= LARGE):
        doubt[(rate < SMALL) | (rate > LARGE)] = 1
    return count, _above_half(doubt)


def _above_half(doubt: Tensor) -> Tensor:
    """Return the places of a flat tensor that are above 1/2, in any order.

    They are few: the largest of every 16 is looked at first, which takes half the time.
    """
    if len(doubt) % 16:
        return (doubt > 0.5).nonzero()[:, 0]
    table = doubt.view(16, -1)
    columns = (table.amax(0) > 0.5).nonzero()[:, 0]
    row, place = (table[:, columns] > 0.5).nonzero().unbind(1)
    return row * table.shape[1] + columns[place]


def poisson_quantile(u: Tensor, rate: Tensor) -> Tensor:
    """Return the smallest k with P(X <= k) >= u for X Poisson, worked out in double precision.

    Above HUGE it may be off by one.

    Args:
        u: float64 between 0 and 1, both excluded, shape (N,).
        rate: Expected counts, not negative, float64, shape (N,).

    Returns:
        Counts, float64, shape (N,).
    """
    small, huge = rate < SMALL, rate > HUGE
    count = torch.empty_like(rate)
    for here, method in ((small, _by_sum), (~(small | huge), _by_search), (huge, _by_expansion)):
        if bool(here.any()):
            count[here] = method(u[here], rate[here])
    return count


def _expansion(w: Tensor, root: Tensor, inverse: Tensor) -> Tensor:
    """Return the continuous Poisson quantile at the normal deviate w, less its rate.

    Giles (2016, ACM Trans. Math. Softw. 42, 7, doi 10.1145/2699466), equation for Q_N up to the
    term in 1 / rate, by the square root of the rate and its inverse; the whole part of it and the
    rate is the Poisson quantile.
    """
    w2 = w * w
    total = (w2 * (1 / 270)).add_(7 / 810).mul_(w2).sub_(8 / 405).mul_(inverse)
    total.sub_((w2 * (1 / 72)).add_(1 / 36).mul_(w)).mul_(inverse)
    return total.add_(w2, alpha=1 / 6).add_(1 / 3).addcmul_(w, root)


def _by_sum(u: Tensor, rate: Tensor) -> Tensor:
    """Add up the probabilities of 0, 1, 2, ... until their sum reaches u."""
    count = torch.zeros_like(rate)
    term = (-rate).exp()
    total = term.clone()
    for k in range(1, 200):  # beyond 200 at a rate below 32 the sum is 1 to the last bit
        below = total < u
        if not bool(below.any()):
            break
        count += below
        term = term * rate / k
        total += term
    return count


def _by_search(u: Tensor, rate: Tensor) -> Tensor:
    """Return the expansion's value, or near a whole number what the distribution says."""
    normal = torch.special.ndtri(u)
    root = rate.sqrt()
    estimate = _expansion(normal, root, 1 / root).add_(rate)
    count, whole = estimate.floor(), estimate.round()
    near = ((estimate - whole).abs() < NEAR).nonzero()[:, 0]
    whole = whole[near]
    count[near] = whole.sub_((_cumulative(whole - 1, rate[near]) >= u[near]).double())
    far = (normal.abs() > FAR).nonzero()[:, 0]
    if len(far):
        count[far] = _by_walk(count[far].clamp_min(0), u[far], rate=rate[far])
    return count


def _by_walk(count: Tensor, u: Tensor, *, rate: Tensor) -> Tensor:
    """Search from some counts to the first whose cumulative probability reaches u."""
    while bool((low := _cumulative(count, rate) < u).any()):
        count += low
    while bool((high := (count > 0) & (_cumulative(count - 1, rate) >= u)).any()):
        count -= high.to(count.dtype)
    return count


def _by_expansion(u: Tensor, rate: Tensor) -> Tensor:
    """Return the whole part of the continuous quantile's expansion."""
    root = rate.sqrt()
    return (_expansion(torch.special.ndtri(u), root, 1 / root) + rate).floor().clamp_min(0)


def _cumulative(count: Tensor, rate: Tensor) -> Tensor:
    """Return P(X <= count): the regularised upper incomplete gamma function; 0 for count = -1."""
    cumulative: Tensor = torch.special.gammaincc((count + 1).clamp_min(0), rate)
    return cumulative
