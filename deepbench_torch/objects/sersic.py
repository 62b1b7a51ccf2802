"""The Sersic profile, which galaxies and the cores of spirals share."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from deepbench_torch.grid import per_pixel

EXPONENTIAL_HALF_LIGHT = 1.6783469900166605  # b_1: (1 + b) exp(-b) = 1/2
LEAST_N = 0.4  # below it the series that starts the solution is too far off
_NEWTON_STEPS = 2  # relative error 2e-3 at the start, 1e-5 after one step, 5e-10 after two


def profile(radius2: Tensor, amplitude: Tensor, radius: Tensor, n: Tensor) -> Tensor:
    """Brightness at squared elliptical radii.

    Sersic (1963), as in Graham & Driver (2005, PASA 22, 118):
    I(r) = amplitude * exp(-b_n * ((r / radius)**(1 / n) - 1)), with half of the light within
    `radius`, that is P(2 n, b_n) = 1/2 for the regularised incomplete gamma function P.

    Args:
        radius2: Squared radii [pixel^2], shape (B, H, W).
        amplitude: Brightness at the effective radius, shape (B,).
        radius: Effective radius [pixel], shape (B,).
        n: Sersic index, shape (B,).

    Returns:
        Shape (B, H, W).
    """
    b = half_light(n)
    ratio2 = radius2 * per_pixel(1 / radius**2)
    logarithm = _finite_log(ratio2) if ratio2.requires_grad or n.requires_grad else ratio2.log()
    power = logarithm.mul_(per_pixel(0.5 / n)).exp_()  # (r / radius)**(1 / n)
    return (power * per_pixel(-b)).add_(per_pixel(b)).exp_() * per_pixel(amplitude)


def _finite_log(x: Tensor) -> Tensor:
    """The logarithm, at 0 a number so low that its exponential is 0 and its gradients too."""
    zero = x == 0
    return x.masked_fill(zero, 1).log().masked_fill(zero, -1e30)


def half_light(n: Tensor) -> Tensor:
    """b_n: the solution of P(2 n, b) = 1/2, exactly and not by its usual series.

    Args:
        n: Sersic indices from 0.4 to 20, any shape.

    Returns:
        The shape, dtype and device of `n`; differentiable once.
    """
    result: Tensor = _HalfLight.apply(n)
    return result


class _HalfLight(torch.autograd.Function):
    """b_n with its derivative, which torch's incomplete gamma function lacks."""

    @staticmethod
    def forward(ctx: Any, n: Tensor) -> Tensor:
        ctx.save_for_backward(n)
        return _solve(n.double()).to(n.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (n,) = ctx.saved_tensors
        step = 1e-4  # the error of the central difference, step**2, is below float32
        slope = (_solve(n.double() + step) - _solve(n.double() - step)) / (2 * step)
        return gradient * slope.to(gradient.dtype)


def _solve(n: Tensor) -> Tensor:
    """Newton's method on P(2 n, b) = 1/2 in float64, from the series of Ciotti & Bertin (1999)."""
    a = 2 * n
    log_gamma = a.lgamma()
    b = a - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n * n) + 131 / (1148175 * n * n * n)
    for _ in range(_NEWTON_STEPS):
        density = ((a - 1) * b.log() - b - log_gamma).exp()
        b = b - (torch.special.gammainc(a, b) - 0.5) / density
    return b
