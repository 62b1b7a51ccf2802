"""The Sersic profile, which galaxies and the cores of spirals share."""

import math

from torch import Tensor, exp, log, where

from deepbench_torch.numerics.exact_math import exponential, log_gamma, natural_log, polynomial

_TURN, _LN2 = 2.0 * math.pi, math.log(2.0)
EXPONENTIAL_HALF_LIGHT = 1.6783469900166605  # b_1: (1 + b) exp(-b) = 1/2
LEAST_N = 0.4  # below it b_n is not known here
LARGEST_N = 20.0
LOG_OF_ZERO = -1e5  # its exponential is 0 in every precision, also after a division by 2 LARGEST_N
_MIDDLE = (1 / LEAST_N + 1 / LARGEST_N) / 2
_REACH = (1 / LEAST_N - 1 / LARGEST_N) / 2
# b_n - 2 n by powers of the distance of 1 / n from the middle of its range, as a share of its reach
_REST = (
    -0.31784869635501628, 0.017447098817559775, 0.0021458527419564873,
    -0.00038349882297317639, -3.1693273715290027e-05, 2.9360372002971623e-05,
    -8.2391575971873756e-06, 7.0122839761478694e-07, 6.9206175783132862e-07,
    -5.2122807479580489e-07, 2.2021300664641439e-07, -5.0024887505948926e-08,
    -5.5903717896652751e-09, 6.9191069992776827e-09, -8.8248887381712028e-09,
    1.3633376655740047e-08, -5.1161874825827786e-09, -3.0575202339339217e-09,
    1.8271421936159109e-09,
)  # fmt: skip


def profile(ratio2: Tensor, exponent: Tensor, b: Tensor, amplitude: Tensor) -> Tensor:
    """Return the brightness at squared elliptical radii, in units of the effective radius.

    Sersic (1963), as in Graham & Driver (2005, PASA 22, 118):
    I(r) = amplitude * exp(-b_n * ((r / radius)**(1 / n) - 1)), with half of the light within
    `radius`, that is P(2 n, b_n) = 1/2 for the regularised incomplete gamma function P.

    Args:
        ratio2: (r / radius)**2, shape (B, H, W).
        exponent: 1 / (2 n) for the Sersic index n.
        b: b_n, as `half_light` returns it.
        amplitude: Brightness at the effective radius.
    """
    ratio2 = where(ratio2 < 1e30, ratio2, 1e30)  # there is no light, and no number overflows
    beside = ratio2 > 0.0  # at the centre the logarithm is a number whose exponential is 0
    power = exp(where(beside, log(where(beside, ratio2, 1.0)), LOG_OF_ZERO) * exponent)
    return exp(b - power * b) * amplitude


def half_light(n: Tensor) -> Tensor:
    """Return b_n, the solution of P(2 n, b) = 1/2; its usual series is off by up to 5e-4.

    2 n and a polynomial in 1 / n, fitted to `scipy.special.gammaincinv` from 0.4 to 20, where it
    differs by 1e-14 of b_n at most. torch's own incomplete gamma function is not used: it rounds by
    the place in the batch.

    Args:
        n: Sersic indices from 0.4 to 20, any shape.

    Returns:
        The shape, dtype and device of `n`; differentiable.
    """
    double = n.double()
    step = (1 / double - _MIDDLE) / _REACH  # -1 to 1
    return (2 * double + polynomial(_REST, step)).to(n.dtype)


def total_light(radius: Tensor, n: Tensor, ellip: Tensor, amplitude: Tensor) -> Tensor:
    """Return the integral of a profile over the plane, shape (B,).

    Graham & Driver (2005, PASA 22, 118), equation 4:
    2 pi n radius**2 (1 - ellip) amplitude e**b b**(-2 n) Gamma(2 n).

    Args:
        radius: Effective radius along the major axis [pixel], float64, shape (B,).
        n: Sersic index from 0.4 to 20.
        ellip: Ellipticity 1 - b / a.
        amplitude: Brightness at the effective radius.
    """
    b = half_light(n)
    scale = exponential(b + log_gamma(2.0 * n) - 2.0 * n * natural_log(b))
    return _TURN * n * radius * radius * (1.0 - ellip) * amplitude * scale


def half_maximum_width(radius: Tensor, n: Tensor) -> Tensor:
    """Return the full width at half maximum along the major axis, shape (B,) [pixel].

    Args:
        radius: Effective radius along the major axis [pixel], float64, shape (B,).
        n: Sersic index from 0.4 to 20.
    """
    return 2.0 * radius * exponential(natural_log(_LN2 / half_light(n)) * n)
