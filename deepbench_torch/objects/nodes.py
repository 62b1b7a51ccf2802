"""Points of a pixel at which its light is sampled: those of Gauss and Legendre."""

import math
from functools import cache

MOST_SAMPLES = 16  # along each axis


@cache
def nodes(samples: int) -> list[tuple[float, float]]:
    """Return the offset from the pixel's centre [pixel] and the weight of points along an axis.

    Their mean is exact for polynomials up to the order 2 `samples` - 1 (Abramowitz & Stegun 1964,
    25.4.30). The roots of the Legendre polynomial are found by Newton's method.

    Args:
        samples: Number of points, from 1 to MOST_SAMPLES.

    Example:
        >>> nodes(1)
        [(0.0, 1.0)]
        >>> [(round(offset, 6), round(weight, 6)) for offset, weight in nodes(2)]
        [(-0.288675, 0.5), (0.288675, 0.5)]
    """
    found = []
    for number in range(samples):
        x = -math.cos(math.pi * (number + 0.75) / (samples + 0.5))
        for _ in range(20):
            value, slope = _legendre(samples, x)
            x -= value / slope
        weight = 1 / ((1 - x * x) * _legendre(samples, x)[1] ** 2)
        # the last digits depend on the library's cosine; they are far below single precision
        found.append((round(x / 2, 13), round(weight, 13)))
    return [(0.0 if offset == 0 else offset, weight) for offset, weight in found]


def _legendre(order: int, x: float) -> tuple[float, float]:
    """Return the Legendre polynomial of an order, and its slope, by the recurrence."""
    before, value = 1.0, x
    for k in range(2, order + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, order * (before - x * value) / (1 - x * x)
