"""Noise and blur: photon counts by the Poisson quantile, read-out noise, and the point spread."""

import math
from typing import Any

import numpy as np
from numba import float32, float64, int32, uint64

from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import POSITION, exact_exp, exact_log, mix, normal_quantile
from deepbench_torch.native.intrinsics import absolute, floor, floor64, root, root64, select
from deepbench_torch.native.light import BLOCK
from deepbench_torch.native.single import cos, log, sin
from deepbench_torch.numerics import poisson

_F = np.float32
_ZERO, _HALF, _ONE, _SIZE = _F(0.0), _F(0.5), _F(1.0), _F(2.5)
_UNIT = _F((1 - 2.0**-24) * 2.0**-31)  # a hair below 2**-31: the largest integers stay below 1
_ROOT2 = _F(math.sqrt(2))
# Giles (2012, GPU Computing Gems 10): the inverse error function by -log(1 - x**2) < 5
_G8, _G7, _G6, _G5, _G4, _G3, _G2, _G1, _G0 = map(_F, (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
    -0.00417768164, 0.246640727, 1.50140941,
))  # fmt: skip
_CENTRE = _F(5.0)
_SMALL, _LARGE = _F(poisson.SMALL), _F(poisson.LARGE)
_ROUNDING, _TRUNCATION = _F(poisson.ROUNDING), _F(poisson.TRUNCATION)
_1_270, _7_810, _8_405, _1_72 = _F(1 / 270), _F(7 / 810), _F(8 / 405), _F(1 / 72)
_1_36, _1_6, _1_3 = _F(1 / 36), _F(1 / 6), _F(1 / 3)
_PI_UNIT, _TWO_UNIT, _MINUS_TWO = _F(math.pi * 2.0**-31), _F(2.0**-31), _F(-2.0)


@inline
def _half_word(key: Any, position: Any) -> Any:
    """Return the 32-bit integer at a position of a sequence, as `rng.pixel_bits`."""
    word = mix(key ^ (uint64(position >> 1) * POSITION))
    return int32(word >> uint64(32 * (position & 1)))


@kernel
def _words(key: Any, first: Any, words: Any) -> None:
    """Write the words of a sequence from the position `first` on."""
    for k in range(words.size):
        words[k] = mix(key ^ (uint64(first + k) * POSITION))


@kernel
def count_photons(
    key: Any, clean: Any, exposure: Any, background: Any, image: Any, blocks: Any
) -> None:
    """Write an image with photon noise, as `degrade.PhotonNoise`.

    Args:
        key: The key of the row's sequence of "noise.poisson".
        clean: Brightness, float32, shape (N,).
        exposure: Photons per unit of brightness, float32.
        background: Brightness of the sky, float32.
        image: Where to write, float32, shape (N,).
        blocks: Room, float32, shape (4, BLOCK).
    """
    inverse = _ONE / exposure
    words = np.empty(BLOCK // 2, np.uint64)
    every_bit = words.view(np.int32)  # two from a word, the lower half first
    for start in range(0, clean.size, BLOCK):
        end = min(start + BLOCK, clean.size)
        size = end - start
        bits = every_bit[:size]
        rate, count, doubt, room = blocks[0, :size], blocks[1, :size], blocks[2, :size], blocks[3]
        _words(key, start // 2, words)
        seen, recorded = clean[start:end], image[start:end]
        for k in range(size):
            rate[k] = (seen[k] + background) * exposure
        estimate_counts(bits, rate, count, doubt, room[:size])
        for k in range(size):
            if not doubt[k] <= _HALF:
                count[k] = float32(poisson_quantile(bits[k], float64(rate[k])))
        for k in range(size):
            recorded[k] = count[k] * inverse - background


@kernel
def estimate_counts(bits: Any, rate: Any, count: Any, doubt: Any, normal: Any) -> None:
    """Write the counts of the expansion, and where above 1/2 that they are not sure.

    As `poisson.poisson_from_bits`; `poisson` explains the bounds. Short loops: their operations
    depend on each other little, so that a CPU works on many together.
    """
    for k in range(bits.size):
        x = (float32(bits[k]) + _HALF) * _UNIT
        normal[k] = x
        doubt[k] = -log((_ONE - x) * (_ONE + x))
    for k in range(bits.size):
        w = doubt[k]
        e = w - _SIZE
        e2 = e * e
        high = (_G8 * (e2 * e2) + (_G7 * e + _G6) * e2) + (_G5 * e + _G4)
        p = high * (e2 * e2) + (_G3 * e + _G2) * e2 + (_G1 * e + _G0)
        normal[k] = p * normal[k] * _ROOT2
        doubt[k] = select(w > _CENTRE, _ONE, _ZERO)
    for k in range(bits.size):
        w, mean = normal[k], rate[k]
        size = root(mean)
        inverse = _ONE / size
        w2 = w * w
        rest = ((w2 * _1_270 + _7_810) * w2 - _8_405) * inverse
        rest = (rest - (w2 * _1_72 + _1_36) * w) * inverse
        value = rest + w2 * _1_6 + _1_3 + w * size + mean
        whole = floor(value)
        near = absolute(value - whole - _HALF) + size * _ROUNDING + inverse * inverse * _TRUNCATION
        count[k] = whole
        unsure = select(mean < _SMALL, _ONE, select(mean > _LARGE, _ONE, near))
        doubt[k] = doubt[k] + unsure


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
    whole = floor64(value + 0.5)
    if abs(value - whole) < _expansion_error(w, rate):
        count = whole - 1.0 if _cumulative(whole - 1.0, rate) >= u else whole
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


@kernel
def add_read_out(key: Any, sigma: Any, image: Any, blocks: Any) -> None:
    """Add normal numbers to an image, as `rng.pixel_normal` of "noise.gaussian" makes them.

    Args:
        key: The key of the row's sequence.
        sigma: Standard deviation, float32.
        image: float32, shape (N,).
        blocks: Room, float32, shape (4, BLOCK).
    """
    pairs = (image.size + 1) // 2
    for start in range(0, pairs, BLOCK):
        size = min(BLOCK, pairs - start)
        first, second = blocks[0, :size], blocks[1, :size]
        for k in range(size):
            first[k] = float32(_half_word(key, start + k))
            second[k] = float32(_half_word(key, pairs + start + k))
        _pair_normals(first, second)
        for k in range(size):
            image[start + k] += first[k] * sigma
        for k in range(min(size, image.size - pairs - start)):
            image[pairs + start + k] += second[k] * sigma


@kernel
def _pair_normals(first: Any, second: Any) -> None:
    """Turn pairs of integers into pairs of normal numbers: Box & Muller (1958)."""
    for k in range(first.size):
        # |bits + 1/2|: a uniform number whose small values keep all their digits
        first[k] = root(log(absolute(first[k] + _HALF) * _TWO_UNIT) * _MINUS_TWO)
    for k in range(first.size):
        angle = second[k] * _PI_UNIT
        radius = first[k]
        first[k] = radius * cos(angle)
        second[k] = radius * sin(angle)


@kernel
def blur(scene: Any, taps: Any, room: Any, image: Any, size: Any) -> None:
    """Write a scene with the light of each pixel spread, as `degrade.Blur`.

    Args:
        scene: With a margin m, float32, shape ((H + 2 m) * (W + 2 m),).
        taps: The weights, from the middle outward, float32, shape (m + 1,).
        room: float32, shape (W + 2 m,).
        image: float32, shape (H * W,).
        size: H and W.
    """
    margin = taps.size - 1
    height, width = size
    wide = width + 2 * margin
    for r in range(height):
        middle = scene[(r + margin) * wide :]
        for c in range(wide):
            room[c] = middle[c] * taps[0]
        for step in range(1, margin + 1):
            tap = taps[step]
            above, below = scene[(r + margin - step) * wide :], scene[(r + margin + step) * wide :]
            for c in range(wide):
                room[c] += (above[c] + below[c]) * tap
        out = image[r * width : (r + 1) * width]
        for c in range(width):
            out[c] = room[c + margin] * taps[0]
        for step in range(1, margin + 1):
            tap, left, right = taps[step], room[margin - step :], room[margin + step :]
            for c in range(width):
                out[c] += (left[c] + right[c]) * tap
