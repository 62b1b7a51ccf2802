"""Double-precision functions and random words, with the same bits as those of tensors.

`exact_exp`, `exact_log` and `normal_quantile` repeat `exact_math`, `mix` and `unit` repeat `rng`.
"""

import math
from typing import Any

import numpy as np
from numba import float32, float64, int64, uint64

from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.intrinsics import bits64, floor64, from_bits64, root64, select
from deepbench_torch.numerics import exact_math, rng
from deepbench_torch.objects import sersic

GOLDEN = uint64(rng.GOLDEN)
POSITION = uint64(rng._POSITION)
_FACTOR_1, _FACTOR_2 = (uint64(factor) for factor in rng._FACTORS)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (uint64(shift) for shift in rng._SHIFTS)
_TAYLOR = np.array([1 / math.factorial(power) for power in range(15)])
_SERIES = np.array([2 / (2 * term + 1) for term in range(12)])
_CENTRE, _MIDDLE, _TAIL = (
    np.array(parts) for parts in (exact_math._CENTRE, exact_math._MIDDLE, exact_math._TAIL)
)
_REST = np.array(sersic._REST)
_SERSIC_MIDDLE, _SERSIC_REACH = sersic._MIDDLE, sersic._REACH
_LN2_HIGH, _LN2_LOW = exact_math._LN2_HIGH, exact_math._LN2_LOW
_HALF_ROOT = math.sqrt(0.5)
_LOG2_E = 1.4426950408889634


@inline
def mix(word: Any) -> Any:
    """Scramble a 64-bit word one to one, as `rng.mix`."""
    word = (word ^ (word >> _SHIFT_1)) * _FACTOR_1
    word = (word ^ (word >> _SHIFT_2)) * _FACTOR_2
    return word ^ (word >> _SHIFT_3)


@inline
def unit(word: Any) -> Any:
    """Return a uniform number strictly between 0 and 1, of the 52 upper bits."""
    return (float64(int64(word >> uint64(12))) + 0.5) * 2.0**-52


@inline
def uniform(key: Any, position: Any) -> Any:
    """Return the uniform number at a position of the sequence of a key."""
    return unit(mix(key ^ (uint64(position) * POSITION)))


@inline
def horner(coefficients: Any, x: Any) -> Any:
    """Return the sum of coefficients[k] x**k."""
    total = coefficients[-1]
    for k in range(coefficients.size - 2, -1, -1):
        total = total * x + coefficients[k]
    return total


@kernel
def exact_exp(x: Any) -> Any:
    """Return e**x, from -700 to 700."""
    exponent = floor64(x * _LOG2_E + 0.5)
    rest = (x - exponent * _LN2_HIGH) - exponent * _LN2_LOW
    return horner(_TAYLOR, rest) * from_bits64((int64(exponent) + 1023) << 52)


@kernel
def exact_log(x: Any) -> Any:
    """Return the natural logarithm of a positive normal number."""
    pattern = bits64(x)
    power = (pattern >> 52) - 1022
    mantissa = from_bits64((pattern & 0xFFFFFFFFFFFFF) | (1022 << 52))  # 1/2 to 1
    if mantissa < _HALF_ROOT:
        mantissa *= 2.0
        power -= 1
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    series = horner(_SERIES, ratio * ratio)
    return float64(power) * _LN2_HIGH + (ratio * series + float64(power) * _LN2_LOW)


@inline
def _rational(coefficients: Any, x: Any) -> Any:
    return horner(coefficients[0], x) / horner(coefficients[1], x)


@kernel
def normal_quantile(p: Any) -> Any:
    """Return the standard normal number below which a share `p` lies, for 0 < p < 1."""
    offset = p - 0.5
    if abs(offset) <= 0.425:
        return offset * _rational(_CENTRE, 0.180625 - offset * offset)
    depth = root64(-exact_log(min(p, 1.0 - p)))
    far = _rational(_MIDDLE, depth - 1.6) if depth <= 5.0 else _rational(_TAIL, depth - 5.0)
    return -far if offset < 0.0 else far


@kernel
def half_light(n: Any) -> Any:
    """Return b_n of the Sersic profile, as `sersic.half_light`."""
    step = (1.0 / float64(n) - _SERSIC_MIDDLE) / _SERSIC_REACH
    return 2.0 * float64(n) + horner(_REST, step)


_STIRLING = np.array(exact_math.STIRLING)
_HALF_LOG_TURN = exact_math.HALF_LOG_TURN


@kernel
def log_gamma(x: Any) -> Any:
    """Return the logarithm of the gamma function, as `exact_math.log_gamma`."""
    product = x
    for step in range(1, 8):
        product *= x + float64(step)
    shifted = x + 8.0
    inverse = 1.0 / shifted
    series = inverse * horner(_STIRLING, inverse * inverse)
    rest = (shifted - 0.5) * exact_log(shifted) - shifted + _HALF_LOG_TURN
    return rest + series - exact_log(product)


_QUARTERS = np.array(exact_math._QUARTER)
_EXACT_COSINE, _EXACT_SINE = np.array(exact_math._COSINE), np.array(exact_math._SINE)


@kernel
def exact_sin(angle: Any) -> Any:
    """Return the sine, as `exact_math.sin`."""
    return _exactly_turned(angle, 0.0)


@kernel
def exact_cos(angle: Any) -> Any:
    """Return the cosine, as `exact_math.cos`."""
    return _exactly_turned(angle, 1.0)


@inline
def _exactly_turned(angle: Any, quarters: Any) -> Any:
    """Return the sine of an angle and some quarter turns, as `exact_math._turned`."""
    whole = floor64(angle * (2 / math.pi) + 0.5)
    rest = angle
    for part in range(_QUARTERS.size):
        rest -= whole * _QUARTERS[part]
    square = rest * rest
    quarter = whole + quarters
    quarter -= 4.0 * floor64(quarter / 4.0)
    even = quarter == 2.0 * floor64(quarter / 2.0)
    size = rest * horner(_EXACT_SINE, square) if even else horner(_EXACT_COSINE, square)
    return size if quarter < 2.0 else -size


_QUARTER_HIGH, _QUARTER_LOW = 1.5707963267341256, 6.077100506506192e-11
_COSINE = np.array([(-1.0) ** k / math.factorial(2 * k) for k in range(8)])
_SINE = np.array([(-1.0) ** k / math.factorial(2 * k + 1) for k in range(8)])


@kernel
def cosine(angle: Any) -> Any:
    """Return the cosine of a float32 angle, rounded from double precision."""
    return _turned(angle, 1)


@kernel
def sine(angle: Any) -> Any:
    """Return the sine of a float32 angle, rounded from double precision."""
    return _turned(angle, 0)


@inline
def _turned(angle: Any, quarters: Any) -> Any:
    """Return the sine of an angle and some quarter turns."""
    x = float64(angle)
    k = floor64(x * (2 / math.pi) + 0.5)
    r = (x - k * _QUARTER_HIGH) - k * _QUARTER_LOW
    s = r * r
    quarter = (int64(k) + quarters) & 3
    value = select((quarter & 1) == 1, horner(_COSINE, s), r * horner(_SINE, s))
    return float32(select(quarter >= 2, -value, value))
