"""Kernels of noise, one for each class of `degrade.NOISES`.

A photon count is the Poisson quantile of a uniform number. Most pixels take a fast estimate in
single precision, many at a time. The others, about 1 in 200, take the exact quantile of `poisson`.
"""

import math
from typing import Any

import numpy as np
from numba import float32, float64, int32, uint64

from deepbench_torch.degrade import NOISES, Noise, Pedestal, Photons, ReadOut, places_of
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.dispatch import in_order
from deepbench_torch.native.double import POSITION, mix
from deepbench_torch.native.intrinsics import absolute, floor, root, select
from deepbench_torch.native.light import BLOCK
from deepbench_torch.native.poisson import poisson_quantile
from deepbench_torch.native.scene import sequence
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


@inline
def _brightest(light: Any) -> Any:
    """Return the brightest pixel, 0 at least."""
    peak = _ZERO
    for k in range(light.size):
        peak = max(peak, light[k])
    return peak


EXPOSURE, BACKGROUND = places_of(Photons)


@kernel
def count_photons(
    noise: Any, row: Any, conditions: Any, light: Any, image: Any, blocks: Any
) -> None:
    """Replace an image by its photon counts, as `degrade.Photons.add`.

    Args:
        noise: The noise, a record NOISE.
        row: The row number.
        conditions: The conditions of the image, float32, shape (C,).
        light: Brightness without noise, float32, shape (N,).
        image: Brightness with the noise before this one, replaced, float32, shape (N,).
        blocks: Working memory, float32, shape (4, BLOCK).
    """
    key = sequence(noise.stream, row)
    exposure, background = conditions[EXPOSURE], conditions[BACKGROUND]
    inverse = _ONE / exposure
    words = np.empty(BLOCK // 2, np.uint64)
    every_bit = words.view(np.int32)  # two from a word, the lower half first
    for start in range(0, image.size, BLOCK):
        end = min(start + BLOCK, image.size)
        size = end - start
        bits = every_bit[:size]
        rate, count, doubt, room = blocks[0, :size], blocks[1, :size], blocks[2, :size], blocks[3]
        _words(key, start // 2, words)
        recorded = image[start:end]
        for k in range(size):
            rate[k] = (recorded[k] + background) * exposure
        estimate_counts(bits, rate, count, doubt, room[:size])
        for k in range(size):
            if not doubt[k] <= _HALF:
                count[k] = float32(poisson_quantile(bits[k], float64(rate[k])))
        for k in range(size):
            recorded[k] = count[k] * inverse - background


(PEDESTAL_SNR,) = places_of(Pedestal)


@kernel
def add_pedestal(
    noise: Any, row: Any, conditions: Any, light: Any, image: Any, blocks: Any
) -> None:
    """Add Poisson counts of one mean to an image, as `degrade.Pedestal.add`.

    Arguments as `count_photons`.
    """
    key = sequence(noise.stream, row)
    deviation = _brightest(light) / conditions[PEDESTAL_SNR]
    mean = deviation * deviation
    for start in range(0, image.size, BLOCK):
        size = min(BLOCK, image.size - start)
        words = np.empty(BLOCK // 2, np.uint64)
        bits = words.view(np.int32)[:size]
        rate, count, doubt, room = blocks[0, :size], blocks[1, :size], blocks[2, :size], blocks[3]
        _words(key, start // 2, words)
        for k in range(size):
            rate[k] = mean
        estimate_counts(bits, rate, count, doubt, room[:size])
        for k in range(size):
            if not doubt[k] <= _HALF:
                count[k] = float32(poisson_quantile(bits[k], float64(mean)))
        for k in range(size):
            image[start + k] += count[k]


@kernel
def estimate_counts(bits: Any, rate: Any, count: Any, doubt: Any, normal: Any) -> None:
    """Write the estimated counts, and in `doubt` above 1/2, or NaN, where they are uncertain.

    The estimate is the expansion of `numerics.poisson`, which explains the bounds on its error. It
    is uncertain if a whole number lies within that bound. Three short loops: the operations of one
    depend little on each other, so the CPU overlaps them.
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


SIGMA, SNR = places_of(ReadOut)


@kernel
def add_read_out(
    noise: Any, row: Any, conditions: Any, light: Any, image: Any, blocks: Any
) -> None:
    """Add normal numbers to an image, as `degrade.ReadOut.add`.

    Arguments as `count_photons`.
    """
    key, sigma = sequence(noise.stream, row), conditions[SIGMA]
    if sigma != sigma:  # not set
        sigma = _brightest(light) / conditions[SNR]
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


# By class of noise, the kernel that adds it to an image
KERNELS: dict[type[Noise], Any] = {
    Photons: count_photons,
    Pedestal: add_pedestal,
    ReadOut: add_read_out,
}
add_noise = in_order([KERNELS[noise] for noise in NOISES])
