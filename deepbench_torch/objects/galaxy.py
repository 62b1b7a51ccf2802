"""Galaxy: an elliptical Sersic profile, the usual shape of a galaxy without arms."""

import math
from typing import NamedTuple

from torch import Tensor, cos, sin

from deepbench_torch.objects import sersic
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.sersic import half_light, half_maximum_width, profile, total_light
from deepbench_torch.priors import LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter


class Galaxy(NamedTuple):
    """A batch of galaxies; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        amplitude: Brightness at the effective radius.
        radius: Effective radius along the major axis, which holds half of the light [pixel].
        n: Sersic index; 1 is an exponential disc, 4 de Vaucouleurs' law.
        ellip: Ellipticity 1 - b / a.
        theta: Position angle of the major axis [radian].
    """

    x: Tensor
    y: Tensor
    amplitude: Tensor
    radius: Tensor
    n: Tensor
    ellip: Tensor
    theta: Tensor


def constants(
    x: Tensor,
    y: Tensor,
    amplitude: Tensor,
    radius: Tensor,
    n: Tensor,
    ellip: Tensor,
    theta: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Galaxy`."""
    squeeze = 1.0 / ((1.0 - ellip) * (1.0 - ellip))
    inverse2 = 1.0 / (radius * radius)
    return x, y, cos(theta), sin(theta), squeeze, inverse2, 0.5 / n, half_light(n), amplitude


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    squeeze: Tensor,
    inverse2: Tensor,
    exponent: Tensor,
    b: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of galaxies at pixel centres.

    `sersic.profile` of the elliptical radius, as `astropy.modeling.models.Sersic2D`.
    """
    dx, dy = column - x, row - y
    major = dx * cosine + dy * sine
    minor = dy * cosine - dx * sine
    ratio2 = (minor * minor * squeeze + major * major) * inverse2
    return profile(ratio2, exponent, b, amplitude)


def edge(galaxy: Galaxy) -> Tensor:
    """Return the brightness at the ellipse that holds half of the light, shape (B,)."""
    return galaxy.amplitude


def flux(
    x: Tensor, y: Tensor, amplitude: Tensor, radius: Tensor, n: Tensor, ellip: Tensor, theta: Tensor
) -> Tensor:
    """Return the integral of the profile over the plane, shape (B,)."""
    return total_light(radius, n, ellip, amplitude)


def fwhm(
    x: Tensor, y: Tensor, amplitude: Tensor, radius: Tensor, n: Tensor, ellip: Tensor, theta: Tensor
) -> Tensor:
    """Return the full width at half maximum along the major axis, shape (B,) [pixel]."""
    return half_maximum_width(radius, n)


GALAXY = ObjectKind(
    name="galaxy",
    fields={
        # half of the light inside the frame
        "x": Parameter("column", Uniform(0.2, 0.8)),
        "y": Parameter("row", Uniform(0.2, 0.8)),
        # 3 to 30 sigma at the effective radius; for n = 1 the centre is 5.4 times brighter
        "amplitude": Parameter("brightness", LogUniform(0.15, 1.5), ge=0.0),
        # 6 to 13 pixels of 64: the profile extends over several pixels
        "radius": Parameter("length", Uniform(0.1, 0.2), gt=0.0),
        # from dwarfs (0.8) over discs (1) to lenticulars (2.5)
        "n": Parameter(
            "number",
            Uniform(0.8, 2.5),
            ge=sersic.LEAST_N,
            lt=sersic.LARGEST_N,
        ),
        # round to 1 : 3.3; a flatter galaxy is an edge-on disc
        "ellip": Parameter("number", Uniform(0.0, 0.7), ge=0.0, lt=1.0),
        # half a turn: an ellipse rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
    },
    record=Galaxy,
    constants=constants,
    light=light,
    edge=edge,
    flux=flux,
    fwhm=fwhm,
)
