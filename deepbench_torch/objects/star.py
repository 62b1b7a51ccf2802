"""Star: a Moffat profile, the usual shape of a point source seen through air."""

import math
from typing import NamedTuple

from torch import Tensor, exp, log

from deepbench_torch.numerics.exact_math import exponential
from deepbench_torch.numerics.exact_math import sqrt as exact_sqrt
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.priors import LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter

_PI, _LN2 = math.pi, math.log(2.0)


class Star(NamedTuple):
    """A batch of stars; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        amplitude: Brightness at the centre.
        gamma: Width of the core [pixel].
        alpha: Steepness of the wings; the light is finite only for alpha > 1.
    """

    x: Tensor
    y: Tensor
    amplitude: Tensor
    gamma: Tensor
    alpha: Tensor


def constants(x: Tensor, y: Tensor, amplitude: Tensor, gamma: Tensor, alpha: Tensor) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Star`."""
    return x, y, amplitude, 1.0 / (gamma * gamma), -alpha


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    amplitude: Tensor,
    inverse2: Tensor,
    slope: Tensor,
) -> Tensor:
    """Return the light of stars at pixel centres.

    Moffat (1969, A&A 3, 455): I(r) = amplitude * (1 + (r / gamma)**2) ** -alpha, at pixel
    centres, not averaged over pixels, as `astropy.modeling.models.Moffat2D` does. The full width
    at half maximum is 2 gamma sqrt(2**(1 / alpha) - 1).
    """
    dx, dy = column - x, row - y
    # exp and log, not a power: torch rounds a power by its place in the batch
    return exp(log((dx * dx + dy * dy) * inverse2 + 1.0) * slope) * amplitude


def edge(star: Star) -> Tensor:
    """Return the brightness at which stars end, a tenth of their centre's, shape (B,)."""
    return star.amplitude / 10


def flux(x: Tensor, y: Tensor, amplitude: Tensor, gamma: Tensor, alpha: Tensor) -> Tensor:
    """Return the integral of the profile over the plane, shape (B,)."""
    return _PI * gamma * gamma * amplitude / (alpha - 1.0)


def fwhm(x: Tensor, y: Tensor, amplitude: Tensor, gamma: Tensor, alpha: Tensor) -> Tensor:
    """Return the full width at half maximum, 2 gamma sqrt(2**(1 / alpha) - 1), shape (B,)."""
    return 2.0 * gamma * exact_sqrt(exponential(_LN2 / alpha) - 1.0)


STAR = ObjectKind(
    name="star",
    fields={
        # the core inside the frame
        "x": Parameter("column", Uniform(0.2, 0.8)),
        "y": Parameter("row", Uniform(0.2, 0.8)),
        # 10 to 200 sigma at the peak, many faint and few bright stars
        "amplitude": Parameter("brightness", LogUniform(0.5, 10.0), ge=0.0),
        # full width at half maximum 2 to 6 pixels of 64
        "gamma": Parameter(
            "length",
            Uniform(0.04, 0.08),
            gt=0.0,
            remedy="a star of no width has no light, so leave its slot empty instead",
        ),
        # 2.5 fits many observed images, 4.765 follows from turbulence theory (Trujillo et al. 2001)
        "alpha": Parameter(
            "number",
            Uniform(2.5, 4.8),
            gt=1.0,
            remedy="at 1 or below its light is infinite; seeing through air gives 2.5 to 4.8",
        ),
    },
    record=Star,
    constants=constants,
    light=light,
    edge=edge,
    flux=flux,
    fwhm=fwhm,
)
