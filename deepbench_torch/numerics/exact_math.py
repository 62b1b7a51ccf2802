"""Functions of mathematics with the same bits on every machine: powers, angles, quantiles.

Mathematics libraries differ in the last bit between processors. Truth must not: these use
additions, multiplications, divisions and roots alone, which IEEE 754 rounds in one way only.
Accurate to a few units in the last place of float64; for parameters and motion, not for pixels.

All but `exp`, `log` and `normal_quantile` are differentiable. Inside of `vmap` and on other devices
they are torch's, equal to rounding.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from deepbench_torch.numerics.differentiation import is_differentiated, is_wrapped

# ln 2 in two parts: the first ends in enough zeros for its product with an exponent to be exact
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")

# pi / 2 in three parts: the product of each of the first two with a number of quarter turns below
# 2**20 is exact
_QUARTER = tuple(
    map(float.fromhex, ("0x1.921fb54400000p+0", "0x1.0b4611a600000p-34", "0x1.3198a2e037073p-69"))
)
_COSINE = tuple((-1.0) ** term / math.factorial(2 * term) for term in range(9))
_SINE = tuple((-1.0) ** term / math.factorial(2 * term + 1) for term in range(9))
_ATAN = tuple((-1.0) ** term / (2 * term + 1) for term in range(13))

# of 1 / x, 1 / x**3, ... in ln Gamma(x): the Bernoulli numbers B_2k / (2 k (2 k - 1))
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
HALF_LOG_TURN = 0.9189385332046727  # ln(2 pi) / 2

# Wichura (1988), Algorithm AS 241, PPND16: numerators and denominators, lowest power first
_CENTRE = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
     3.64784832476320460504, 1.27045825245236838258, 0.241780725177450611770,
     0.0227238449892691845833, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
_TAIL = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
     0.296560571828504891230, 0.0265321895265761230930, 0.00124266094738807843860,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip


def exp(x: Tensor) -> Tensor:
    """Return e**x for float64 `x` from -700 to 700, any shape."""
    exponent = torch.floor(x * (1 / math.log(2)) + 0.5)
    rest = (x - exponent * _LN2_HIGH) - exponent * _LN2_LOW  # |rest| <= 0.35
    taylor = [1 / math.factorial(power) for power in range(15)]
    two_to_the = ((exponent.long() + 1023) << 52).view(torch.float64)
    return polynomial(taylor, rest) * two_to_the


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of positive normal float64 `x`, any shape."""
    mantissa, exponent = torch.frexp(x)  # exact; mantissa from 1/2 to 1
    low = mantissa < math.sqrt(0.5)
    mantissa = torch.where(low, mantissa * 2, mantissa)
    power = exponent.double() - low.double()
    ratio = (mantissa - 1) / (mantissa + 1)  # |ratio| <= 0.172, ln m = 2 atanh(ratio)
    series = polynomial([2 / (2 * term + 1) for term in range(12)], ratio * ratio)
    return power * _LN2_HIGH + (ratio * series + power * _LN2_LOW)


def sqrt(x: Tensor) -> Tensor:
    """Return the correctly rounded square root, any shape.

    `torch.sqrt` is off by one unit in the last place for about 1 % of all numbers on some CPUs.
    NumPy takes the processor's own instruction, which IEEE 754 rounds in one way only.

    Args:
        x: float32 or float64, at least 0; NaN where it is less.
    """
    return _exactly(_root, torch.sqrt, x)


def sin(x: Tensor) -> Tensor:
    """Return the sine of float64 angles, any shape; accurate up to a million radians."""
    return _exactly(lambda angle: _turned(angle, 0), torch.sin, x)


def cos(x: Tensor) -> Tensor:
    """Return the cosine of float64 angles, any shape; accurate up to a million radians."""
    return _exactly(lambda angle: _turned(angle, 1), torch.cos, x)


def atan(x: Tensor) -> Tensor:
    """Return the angle from -pi / 2 to pi / 2 with a float64 tangent, any shape."""
    return _exactly(_angle, torch.atan, x)


def expm1(x: Tensor) -> Tensor:
    """Return e**x - 1 for float64 `x` up to 700, any shape."""
    return _exactly(_excess, torch.expm1, x)


def decay(x: Tensor) -> Tensor:
    """Return e**-x for float64 `x` of at least 0, any shape; 1e-304 from 700 on."""
    return _exactly(lambda steps: exp(-steps.clamp_max(700)), lambda steps: torch.exp(-steps), x)


def natural_log(x: Tensor) -> Tensor:
    """Return what `log` does, differentiable."""
    return _exactly(log, torch.log, x)


def exponential(x: Tensor) -> Tensor:
    """Return what `exp` does, differentiable."""
    return _exactly(exp, torch.exp, x)


def log_gamma(x: Tensor) -> Tensor:
    """Return the logarithm of the gamma function of float64 `x` from 1e-3 to 1e6, any shape.

    Stirling's series at x + 8; accurate to 1e-14, relative where the result is larger than 1.
    """
    return _exactly(_log_gamma, torch.lgamma, x)


def _exactly(
    exact: Callable[..., Tensor], near: Callable[..., Tensor], *arguments: Tensor
) -> Tensor:
    """Return the exact function where there is one, with the derivatives of torch's own."""
    if any(is_wrapped(x) or x.device.type != "cpu" for x in arguments):
        return near(*arguments)
    value = exact(*(x.detach() for x in arguments))
    if not any(map(is_differentiated, arguments)):
        return value
    close = near(*arguments)  # the difference of both is exact
    return close + (value - close.detach()).nan_to_num(0, 0, 0)


def _root(x: Tensor) -> Tensor:
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(np.sqrt(x.numpy())))


def _turned(angle: Tensor, quarters: int) -> Tensor:
    """Return the sine of angles and some quarter turns."""
    whole = torch.floor(angle * (2 / math.pi) + 0.5)
    rest = angle
    for part in _QUARTER:
        rest = rest - whole * part  # in the end |rest| <= 0.79
    square = rest * rest
    quarter = whole + quarters
    quarter = quarter - 4 * torch.floor(quarter / 4)  # 0, 1, 2 or 3
    even = quarter == 2 * torch.floor(quarter / 2)
    size = torch.where(even, rest * polynomial(_SINE, square), polynomial(_COSINE, square))
    return torch.where(quarter < 2, size, -size)


def _angle(tangent: Tensor) -> Tensor:
    size = tangent.abs()
    steep = size > 1
    part = torch.where(steep, 1 / size, size)
    for _ in range(2):  # halves the angle: tan(a / 2) = tan a / (1 + sqrt(1 + tan(a)**2))
        part = part / (1 + _root(1 + part * part))  # in the end <= 0.2
    angle = 4 * part * polynomial(_ATAN, part * part)
    return torch.where(steep, math.pi / 2 - angle, angle).copysign(tangent)


def _excess(x: Tensor) -> Tensor:
    near = x.clamp(-0.4, 0.4)
    series = near * polynomial([1 / math.factorial(power + 1) for power in range(15)], near)
    return torch.where(near == x, series, exp(x.clamp(-700, 700)) - 1)


def _log_gamma(x: Tensor) -> Tensor:
    product = x
    for step in range(1, 8):
        product = product * (x + step)
    shifted = x + 8.0
    inverse = 1.0 / shifted
    series = inverse * polynomial(STIRLING, inverse * inverse)
    return (shifted - 0.5) * log(shifted) - shifted + HALF_LOG_TURN + series - log(product)


def normal_quantile(p: Tensor) -> Tensor:
    """Return the standard normal number below which a share `p` lies, for 0 < p < 1, any shape.

    Wichura (1988, Applied Statistics 37, 477), PPND16: relative error about 1e-15.
    """
    offset = p - 0.5
    centre = offset * _rational(_CENTRE, 0.180625 - offset * offset)
    tail = torch.minimum(p, 1 - p)
    depth = sqrt(-log(tail))
    far = torch.where(depth <= 5, _rational(_MIDDLE, depth - 1.6), _rational(_TAIL, depth - 5))
    return torch.where(offset.abs() <= 0.425, centre, torch.where(offset < 0, -far, far))


def polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """Return the sum of coefficients[k] x**k, by Horner's rule."""
    total = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total.mul_(x).add_(coefficient)
    return total


def _rational(coefficients: tuple[Sequence[float], Sequence[float]], x: Tensor) -> Tensor:
    numerator, denominator = coefficients
    return polynomial(numerator, x) / polynomial(denominator, x)
