"""Lensed galaxy: a Sersic source behind an isothermal ellipsoid in an external shear."""

import math
from typing import NamedTuple

from torch import Tensor, atan, cos, log, sin, sqrt, where

from deepbench_torch.objects import sersic
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.sersic import half_light, profile
from deepbench_torch.priors import LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter

_TINY = 1e-9  # [pixel^2]; squared radius of the lens centre, where directions have no meaning
_SMALL = 0.03125  # below it ten terms of a series are exact to float64


class Lensed(NamedTuple):
    """A batch of lensed galaxies; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre of the lens [pixel].
        y: Row of the centre of the lens [pixel].
        einstein_radius: Einstein radius on the axis between major and minor, so that the critical
            curve without shear has the area of a circle of this radius [pixel].
        ellip: Ellipticity 1 - b / a of the contours of the lens mass.
        theta: Position angle of the major axis of the lens mass [radian].
        shear: Strength of the external shear.
        shear_theta: Direction in which the external shear stretches images [radian].
        source_x: Column of the source minus that of the lens centre, were there no lens [pixel].
        source_y: Row of the source minus that of the lens centre, were there no lens [pixel].
        amplitude: Brightness of the source at its effective radius.
        radius: Effective radius of the source along its major axis [pixel].
        n: Sersic index of the source; 1 is an exponential disc, 4 de Vaucouleurs' law.
        source_ellip: Ellipticity 1 - b / a of the source.
        source_theta: Position angle of the major axis of the source [radian].
    """

    x: Tensor
    y: Tensor
    einstein_radius: Tensor
    ellip: Tensor
    theta: Tensor
    shear: Tensor
    shear_theta: Tensor
    source_x: Tensor
    source_y: Tensor
    amplitude: Tensor
    radius: Tensor
    n: Tensor
    source_ellip: Tensor
    source_theta: Tensor


def constants(
    x: Tensor,
    y: Tensor,
    einstein_radius: Tensor,
    ellip: Tensor,
    theta: Tensor,
    shear: Tensor,
    shear_theta: Tensor,
    source_x: Tensor,
    source_y: Tensor,
    amplitude: Tensor,
    radius: Tensor,
    n: Tensor,
    source_ellip: Tensor,
    source_theta: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Lensed`."""
    cosine, sine = cos(theta), sin(theta)
    q = 1.0 - ellip
    across = 2.0 * (shear_theta - theta)
    turn = source_theta - theta
    return (
        x,
        y,
        cosine,
        sine,
        q * q,
        ellip * (2.0 - ellip),  # 1 - q**2 without cancellation
        einstein_radius * sqrt(q),
        shear * cos(across),
        shear * sin(across),
        source_x * cosine + source_y * sine,
        source_y * cosine - source_x * sine,
        cos(turn),
        sin(turn),
        1.0 / ((1.0 - source_ellip) * (1.0 - source_ellip)),
        1.0 / (radius * radius),
        0.5 / n,
        half_light(n),
        amplitude,
    )


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    q2: Tensor,
    flat2: Tensor,
    strength: Tensor,
    shear_along: Tensor,
    shear_across: Tensor,
    source_u: Tensor,
    source_v: Tensor,
    source_cosine: Tensor,
    source_sine: Tensor,
    squeeze: Tensor,
    inverse2: Tensor,
    exponent: Tensor,
    b: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of lensed galaxies at pixel centres.

    A lens conserves surface brightness: a pixel at the offset t from the lens centre has the
    brightness of the source at t - a(t) - G t, for the deflection a of the mass and the matrix G of
    the external shear. `sersic.profile` gives the brightness of the source. The light of the lens
    galaxy is not part of it.
    """
    dx, dy = column - x, row - y
    u = dx * cosine + dy * sine  # along the axes of the mass
    v = dy * cosine - dx * sine
    bent_u, bent_v = deflection_along_axes(u, v, q2, flat2, strength)
    du = u - bent_u - (u * shear_along + v * shear_across) - source_u
    dv = v - bent_v - (u * shear_across - v * shear_along) - source_v
    major = du * source_cosine + dv * source_sine
    minor = dv * source_cosine - du * source_sine
    return profile((minor * minor * squeeze + major * major) * inverse2, exponent, b, amplitude)


def deflection_along_axes(
    u: Tensor, v: Tensor, q2: Tensor, flat2: Tensor, strength: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the deflection of a singular isothermal ellipsoid along its axes [pixel].

    Kormann, Schneider & Bartelmann (1994, A&A 284, 285), normalised as `SIE` of lenstronomy:
    with f = sqrt(1 - q**2) and p = sqrt(q**2 u**2 + v**2) the components are
    E sqrt(q) / f atan(f u / p) and E sqrt(q) / f atanh(f v / p). Both are written as u / p and
    v / p times an even function of f, so q = 1 needs no exception. At the centre, where the
    deflection has no limit, it is that along the major axis.

    Args:
        u: Offset from the centre along the major axis [pixel].
        v: Offset from the centre along the minor axis [pixel].
        q2: q**2 of the axis ratio q.
        flat2: 1 - q**2.
        strength: Einstein radius E times sqrt(q) [pixel].
    """
    beside = u * u + v * v > _TINY
    u, v = where(beside, u, 1.0), where(beside, v, 0.0)
    u2, v2 = u * u, v * v
    inverse2 = 1.0 / (u2 * q2 + v2)
    scale = sqrt(inverse2) * strength
    rest = (u2 + v2) * q2 * inverse2  # 1 - flat2 v2 / p2 without cancellation
    bent_u = u * scale * _arc(u2 * inverse2 * flat2)
    bent_v = v * scale * _area(v2 * inverse2 * flat2, rest)
    return bent_u, bent_v


def _arc(square: Tensor) -> Tensor:
    """Return atan(r) / r by the square of r."""
    large = square > _SMALL
    root = sqrt(where(large, square, 1.0))
    return where(large, atan(root) / root, _series(-square))


def _area(square: Tensor, rest: Tensor) -> Tensor:
    """Return atanh(r) / r by the square of r and 1 minus that."""
    large = square > _SMALL
    root = sqrt(where(large, square, 1.0))
    double = log((root + 1.0) * (root + 1.0) / rest)  # 2 atanh(r)
    return where(large, double * 0.5 / root, _series(square))


def _series(z: Tensor) -> Tensor:
    """Return 1 + z / 3 + z**2 / 5 + ..., ten terms, for -_SMALL <= z <= _SMALL."""
    z = where(z < _SMALL, z, _SMALL)  # a larger one is not used, but must not overflow
    z = where(z > -_SMALL, z, -_SMALL)
    high = (((z / 19.0 + 1.0 / 17.0) * z + 1.0 / 15.0) * z + 1.0 / 13.0) * z + 1.0 / 11.0
    low = (((high * z + 1.0 / 9.0) * z + 1.0 / 7.0) * z + 1.0 / 5.0) * z + 1.0 / 3.0
    return low * z + 1.0


def edge(lensed: Lensed) -> Tensor:
    """Return the brightness at the images of the ellipse with half of the source's light, (B,)."""
    return lensed.amplitude


LENSED = ObjectKind(
    name="lensed",
    fields={
        # near the middle: all images are in the frame
        "x": Parameter("column", Uniform(0.45, 0.55)),
        "y": Parameter("row", Uniform(0.45, 0.55)),
        # 13 to 19 pixels of 64: images lie halfway between centre and edge
        "einstein_radius": Parameter(
            "length",
            Uniform(0.2, 0.3),
            gt=0.0,
            remedy="without a lens use the kind galaxy instead",
        ),
        # axis ratios 0.5 to 1 of the SLACS lenses (Bolton et al. 2008, ApJ 682, 964)
        "ellip": Parameter("number", Uniform(0.0, 0.5), ge=0.0, lt=1.0),
        # half a turn: an ellipse rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
        # neighbours of lens galaxies cause up to 0.1 (Keeton, Kochanek & Seljak 1997, ApJ 482, 604)
        "shear": Parameter("number", Uniform(0.0, 0.1), ge=0.0, lt=1.0),
        # half a turn: shear rotated by pi is unchanged
        "shear_theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
        # within 0.4 Einstein radii along each axis: always several images, often four or a ring
        "source_x": Parameter("length", Uniform(-0.08, 0.08)),
        "source_y": Parameter("length", Uniform(-0.08, 0.08)),
        # 6 to 100 sigma at the centre for n = 1, which is 5.4 times brighter
        "amplitude": Parameter("brightness", LogUniform(0.06, 1.0), ge=0.0),
        # 1.3 to 3.8 pixels of 64, about a tenth to a fifth of the Einstein radius, as the sources
        # of SLACS (Newton et al. 2011, ApJ 734, 104)
        "radius": Parameter("length", Uniform(0.02, 0.06), gt=0.0),
        # from dwarfs (0.8) over discs (1) to 2: most sources are blue discs
        "n": Parameter(
            "number",
            Uniform(0.8, 2.0),
            ge=sersic.LEAST_N,
            lt=sersic.LARGEST_N,
        ),
        # round to 1 : 2
        "source_ellip": Parameter("number", Uniform(0.0, 0.5), ge=0.0, lt=1.0),
        # half a turn: an ellipse rotated by pi is unchanged
        "source_theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
    },
    record=Lensed,
    constants=constants,
    light=light,
    edge=edge,
)
