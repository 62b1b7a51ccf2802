"""Single precision: exp, log, atan, cos and sin of IEEE operations alone, and formulas of them.

Polynomials are summed by Estrin's scheme: short chains of operations, which a CPU overlaps.
"""

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import float32, int32

from deepbench_torch.native import double, intrinsics
from deepbench_torch.native.compile import inline
from deepbench_torch.native.intrinsics import absolute, bits, from_bits, select
from deepbench_torch.numerics import exact_math
from deepbench_torch.objects import sersic, shape

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_ROUNDER = _F(12582912.0)  # 1.5 * 2**23: added and taken off again, it rounds to a whole number
_LOG2_E = _F(1.4426950408889634)
# ln 2 and 2 pi in two parts: the first has few digits, so its product with a small whole number is
# exact
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_TURN, _TURN_HIGH, _TURN_LOW = _F(0.5 / math.pi), _F(6.28125), _F(2 * math.pi - 6.28125)
_LEAST = _F(-80.0)
_QUARTER = _F(math.pi / 2)
_MOST = _F(9.869604)  # pi squared, from below

# expf and logf of the Cephes library (Moshier 1992)
_E5, _E4, _E3, _E2, _E1, _E0 = map(_F, (
    1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
    5.0000001201e-1,
))  # fmt: skip
_L8, _L7, _L6, _L5, _L4, _L3, _L2, _L1, _L0 = map(_F, (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
))  # fmt: skip
# least-squares fits at Chebyshev points: (atan(x) / x - 1) / x**2 by x**2 on [0, 1], cos(x) and
# (sin(x) / x - 1) / x**2 by x**2 on [-pi, pi]
_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8 = map(_F, (
    -0.3333330282550953, 0.19998663548728157, -0.1426548404951265, 0.10958727599186092,
    -0.08422611284176545, 0.058285697742621566, -0.03150442062038352, 0.011089609273097809,
    -0.0018326552149925193,
))  # fmt: skip
_C0, _C1, _C2, _C3, _C4, _C5, _C6 = map(_F, (
    0.9999999891836914, -0.49999989184733745, 0.0416664901963006, -0.0013887807820937318,
    2.47699660495225e-05, -2.7079773979449273e-07, 1.7247602790426697e-09,
))  # fmt: skip
_S0, _S1, _S2, _S3, _S4, _S5 = map(_F, (
    -0.16666666636266778, 0.00833333110201535, -0.00019841004348601502, 2.7545744481293584e-06,
    -2.482301841302218e-08, 1.3945367950685128e-10,
))  # fmt: skip


@inline
def exp(x: Any) -> Any:
    """Return e**x for x up to 88; below -80 that of -80, which is 1.8e-35."""
    x = select(x < _LEAST, _LEAST, x)
    k = (x * _LOG2_E + _ROUNDER) - _ROUNDER
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW  # |r| <= 0.35
    r2 = r * r
    p = ((r * _E5 + _E4) * r2 + (r * _E3 + _E2)) * r2 + (r * _E1 + _E0)
    return (p * r2 + r + _ONE) * from_bits((int32(k) + int32(127)) << int32(23))


@inline
def log(x: Any) -> Any:
    """Return the natural logarithm of a positive normal number."""
    # int32 again: numba widens integers, and CPUs convert 64-bit ones to float slowly
    shifted = int32(bits(x) - int32(0x3F3504F3))  # of the square root of 1/2
    exponent = float32(int32(shifted >> int32(23)))
    m = from_bits((shifted & int32(0x7FFFFF)) + int32(0x3F3504F3)) - _ONE
    m2 = m * m
    m4 = m2 * m2
    low = (m * _L3 + _L2) * m2 + (m * _L1 + _L0)
    high = (m * _L7 + _L6) * m2 + (m * _L5 + _L4)
    p = (m4 * m4) * _L8 + (high * m4 + low)
    rest = p * (m * m2) + (exponent * _LN2_LOW - m2 * _HALF)
    return exponent * _LN2_HIGH + (m + rest)


@inline
def atan(x: Any) -> Any:
    """Return the arc tangent."""
    size = absolute(x)
    steep = size > _ONE
    slope = select(steep, _ONE, size) / select(steep, size, _ONE)
    angle = _atan_of_slope(slope)
    return select(steep, _QUARTER - angle, angle) * intrinsics.sign(x)


@inline
def _atan_of_slope(z: Any) -> Any:
    """Return the arc tangent of -1 <= z <= 1."""
    s = z * z
    s2 = s * s
    s4 = s2 * s2
    low = (_A3 * s + _A2) * s2 + (_A1 * s + _A0)
    high = (_A7 * s + _A6) * s2 + (_A5 * s + _A4)
    return ((_A8 * s4 + high) * s4 + low) * s * z + z


@inline
def cos(x: Any) -> Any:
    """Return the cosine; beyond a million turns a number from -1 to 1."""
    k = (x * _TURN + _ROUNDER) - _ROUNDER
    r = (x - k * _TURN_HIGH) - k * _TURN_LOW
    s = r * r
    s = select(s < _MOST, s, _MOST)
    s2 = s * s
    return (_C6 * s2 + (_C5 * s + _C4)) * (s2 * s2) + ((_C3 * s + _C2) * s2 + (_C1 * s + _C0))


@inline
def sin(x: Any) -> Any:
    """Return the sine, for up to some thousands of turns."""
    k = (x * _TURN + _ROUNDER) - _ROUNDER
    r = (x - k * _TURN_HIGH) - k * _TURN_LOW
    s = r * r
    s2 = s * s
    p = (_S5 * s + _S4) * (s2 * s2) + ((_S3 * s + _S2) * s2 + (_S1 * s + _S0))
    return p * s * r + r


@inline
def minimum(first: Any, second: Any) -> Any:
    """Return the smaller number."""
    return select(first < second, first, second)


@inline
def maximum(first: Any, second: Any) -> Any:
    """Return the larger number."""
    return select(first > second, first, second)


@inline
def _half_light(n: Any) -> Any:
    return float32(double.half_light(n))


@inline
def _paint(depth: Any, amplitude: Any) -> Any:
    return select(depth >= _ZERO, amplitude, _ZERO)


# What a formula calls for tensors, and what it becomes in a kernel. Of an angle that is one number
# for an object, sine and cosine are taken in double precision.
_PIXEL: dict[Any, Any] = {
    torch.exp: exp, torch.log: log, torch.atan: atan, torch.cos: cos, torch.sin: sin,
    torch.sqrt: intrinsics.root, torch.where: select, torch.sign: intrinsics.sign,
    torch.minimum: minimum, torch.maximum: maximum, torch.floor: intrinsics.floor,
    shape.paint: _paint,
}  # fmt: skip
_OBJECT = _PIXEL | {
    torch.cos: double.cosine,
    torch.sin: double.sine,
    sersic.half_light: _half_light,
}


_FLUX: dict[Any, Any] = {
    torch.where: select, exact_math.exponential: double.exact_exp,
    exact_math.natural_log: double.exact_log, exact_math.log_gamma: double.log_gamma,
    exact_math.sqrt: intrinsics.root64, exact_math.cos: double.exact_cos,
    exact_math.sin: double.exact_sin, sersic.half_light: double.half_light,
}  # fmt: skip


def of_pixels(formula: Callable[..., Any]) -> Any:
    """Return a formula of tensors as a kernel function of the float32 numbers of one pixel."""
    return _compiled(formula, _PIXEL, _F)


def of_objects(formula: Callable[..., Any]) -> Any:
    """Return a formula of tensors as a kernel function of the float32 numbers of one object."""
    return _compiled(formula, _OBJECT, _F)


def of_fluxes(formula: Callable[..., Any]) -> Any:
    """Return a formula of tensors as a kernel function of the float64 numbers of one object."""
    return _compiled(formula, _FLUX, np.float64)


def _compiled(
    formula: Callable[..., Any], functions: dict[Any, Any], constant: Callable[[float], Any]
) -> Any:
    """Return the formula, with constants of one precision and the functions of kernels."""
    code = formula.__code__
    names: dict[str, Any] = {"__name__": formula.__module__}
    for name in code.co_names:
        value = formula.__globals__.get(name)
        if isinstance(value, float):
            names[name] = constant(value)
        elif value in functions:
            names[name] = functions[value]
        elif isinstance(value, types.FunctionType):
            names[name] = _compiled(value, functions, constant)
    constants = tuple(constant(c) if isinstance(c, float) else c for c in code.co_consts)
    function = types.FunctionType(code.replace(co_consts=constants), names, formula.__name__)
    return inline(function)
