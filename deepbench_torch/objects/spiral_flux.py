"""Total light of spirals: the angular mean in closed form, the radial integral by quadrature."""

import math
from functools import cache

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.exact_math import polynomial
from deepbench_torch.objects import sersic
from deepbench_torch.objects.nodes import nodes

# a power of 2; off by 1e-9 for usual spirals, by 1e-6 for arms as thin as 0.003 of the disc
NODES = 128
# exp(-k) I_0(k) sqrt(1 + 2 pi k) by powers of (k - 2) / (k + 2): a fit at Chebyshev points to
# `scipy.special.i0e`, off by 5e-7 at most
_BESSEL = (
    1.13631508934956, -0.32113653169697537, 0.24211924679619018, 0.20017447996724747,
    -0.4803690325228475, 0.0438828554711749, 0.22059595944316424, 0.16923447805136232,
    -0.02037529191647032, -0.1809045040326672, -0.4116178575805434, 0.02047925784441848,
    0.7469943729292379, 0.19559219336882488, -0.729975764682397, -0.19316348428616847,
    0.3906830182290831, 0.0658409949427257, -0.09436956885681293,
)  # fmt: skip


def disc_light(
    amplitude: Tensor,
    radius: Tensor,
    ellip: Tensor,
    *,
    arms: Tensor,
    scale: Tensor,
    bar: Tensor,
    winding: Tensor,
    width: Tensor,
) -> Tensor:
    """Return the integral of a disc with arms over the plane, shape (B,).

    At radius r the mean of exp(-k (1 - cos(arms (t - phase - phi(r))))) over the angle t is
    exp(-k) I_0(k) with the modified Bessel function I_0. The integral of
    2 pi r exp(-r / radius) exp(-k) I_0(k) over r = radius u**2 / (1 - u) is a Gauss-Legendre sum.

    Args:
        amplitude: Parameters as in `Spiral`, float64, shape (B,) each.
        radius: Scale length of the disc [pixel].
        ellip: Ellipticity of the disc.
        arms: Number of arms.
        scale: A of the formula [pixel].
        bar: B of the formula.
        winding: N of the formula.
        width: Standard deviation of the light across an arm [pixel].
    """
    steps, weights = (table.to(radius.device) for table in _nodes())
    r = radius[..., None] * steps
    tangent = exact_math.decay(scale[..., None] / r) / bar[..., None]
    across = 2.0 * (winding * scale)[..., None] * tangent / (tangent * tangent + 1.0)
    sharpness = r * r / (r * r + across * across) * (r / (arms * width)[..., None]) ** 2
    mean = _angular_mean(sharpness)
    area = 2.0 * math.pi * (1.0 - ellip) * radius * radius
    return area * amplitude * _sum(mean * weights)


def core_light(amplitude: Tensor, radius: Tensor, ellip: Tensor) -> Tensor:
    """Return the integral of an elliptic core of Sersic index 1, shape (B,)."""
    return sersic.total_light(radius, torch.ones_like(radius), ellip, amplitude)


def _sum(terms: Tensor) -> Tensor:
    """Return the sum over the last axis, in one order on every CPU; its length is NODES."""
    while terms.shape[-1] > 1:
        first, second = terms.chunk(2, dim=-1)
        terms = first + second
    return terms[..., 0]


def _angular_mean(k: Tensor) -> Tensor:
    """Return exp(-k) I_0(k)."""
    return polynomial(_BESSEL, (k - 2.0) / (k + 2.0)) / exact_math.sqrt(1.0 + 2.0 * math.pi * k)


@cache
def _nodes() -> tuple[Tensor, Tensor]:
    """Return radii over the scale length, and weights with r exp(-r) in them, shape (NODES,)."""
    places, weights = torch.tensor(nodes(NODES), dtype=torch.float64, device="cpu").unbind(1)
    u = places + 0.5
    steps = u * u / (1.0 - u)
    slope = u * (2.0 - u) / ((1.0 - u) * (1.0 - u))  # of the radius by u
    return steps, weights * slope * steps * exact_math.decay(steps)
