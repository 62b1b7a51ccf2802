"""Spiral galaxy: an inclined disc whose arms follow one formula, round an elliptic core."""

import math
from typing import NamedTuple

from torch import Tensor, atan, cos, exp, sign, sin, sqrt

from deepbench_torch.objects import spiral_flux
from deepbench_torch.objects.kind import Constants, ObjectKind
from deepbench_torch.objects.sersic import EXPONENTIAL_HALF_LIGHT
from deepbench_torch.priors import Choice, LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter

_TINY = 1e-12  # [pixel^2]; added to squared radii: keeps 1 / r and the gradients finite
_EIGHTH = math.pi / 4
CORE_PEAK = 5.356693980033321  # exp(b_1), of the centre to the effective radius


class Spiral(NamedTuple):
    """A batch of spiral galaxies; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        amplitude: Brightness of the disc at its centre.
        radius: Scale length of the disc: its light falls by e over it [pixel].
        arms: Number of arms.
        scale: A of the formula, which sizes the spiral [pixel].
        bar: B of the formula, the size of the bar against the sweep of the arms.
        winding: N of the formula, how tightly the arms wind.
        width: Standard deviation of the light across an arm, in the disc's plane [pixel].
        theta: Position angle of the disc's major axis [radian].
        ellip: Ellipticity 1 - b / a of the disc as seen, from its inclination.
        phase: Angle in the disc's plane from the major axis at which the first arm starts [radian].
        core_amplitude: Brightness of the core at its effective radius.
        core_radius: Effective radius of the core along its major axis [pixel].
        core_ellip: Ellipticity 1 - b / a of the core as seen; it shares the disc's theta.
    """

    x: Tensor
    y: Tensor
    amplitude: Tensor
    radius: Tensor
    arms: Tensor
    scale: Tensor
    bar: Tensor
    winding: Tensor
    width: Tensor
    theta: Tensor
    ellip: Tensor
    phase: Tensor
    core_amplitude: Tensor
    core_radius: Tensor
    core_ellip: Tensor


def constants(
    x: Tensor,
    y: Tensor,
    amplitude: Tensor,
    radius: Tensor,
    arms: Tensor,
    scale: Tensor,
    bar: Tensor,
    winding: Tensor,
    width: Tensor,
    theta: Tensor,
    ellip: Tensor,
    phase: Tensor,
    core_amplitude: Tensor,
    core_radius: Tensor,
    core_ellip: Tensor,
) -> Constants:
    """Return the constants of `light`, shape (B,) each, from the parameters of `Spiral`."""
    cosine, sine = cos(theta), sin(theta)
    stretch = 1.0 / (1.0 - ellip)
    squeeze = (1.0 - ellip) / (1.0 - core_ellip)
    spread = 2.0 * winding * scale
    across = arms * width
    return (
        x,
        y,
        cosine,
        sine,
        cosine * stretch,
        sine * stretch,
        squeeze * squeeze,
        -EXPONENTIAL_HALF_LIGHT / core_radius,
        core_amplitude * CORE_PEAK,
        -scale,
        1.0 / bar,
        spread * spread,
        1.0 / (across * across),
        2.0 * arms,
        arms * phase,
        2.0 * winding * arms,
        -1.0 / radius,
        amplitude,
    )


def light(
    column: Tensor,
    row: Tensor,
    x: Tensor,
    y: Tensor,
    cosine: Tensor,
    sine: Tensor,
    cosine_stretched: Tensor,
    sine_stretched: Tensor,
    squeeze2: Tensor,
    core_slope: Tensor,
    core_peak: Tensor,
    minus_scale: Tensor,
    inverse_bar: Tensor,
    spread2: Tensor,
    inverse_across2: Tensor,
    twice_arms: Tensor,
    arms_phase: Tensor,
    sweep: Tensor,
    disc_slope: Tensor,
    amplitude: Tensor,
) -> Tensor:
    """Return the light of spiral galaxies at pixel centres.

    Ringermacher & Mead (2009, doi 10.1111/j.1365-2966.2009.14950.x) give an arm as
    r(phi) = A / ln(B tan(phi / 2N)); the radius is its absolute value. Its inverse is closed:
    phi(r) = 2N atan(exp(-A / r) / B), so every pixel knows how far it lies from the nearest arm:
    I = amplitude exp(-r / radius) exp(-k (1 - cos(arms (t - phase - phi(r))))) + core, at the
    angle t and radius r in the disc's plane. k = (r sin(psi) / (arms width))**2 with the pitch
    angle psi, tan(psi) = 1 / (N (A / r) sin(phi / N)), makes an arm a Gaussian of deviation
    `width` across. The core is a Sersic profile of index 1.
    """
    dx, dy = column - x, row - y
    u = dx * cosine + dy * sine  # in the disc's plane
    v = dy * cosine_stretched - dx * sine_stretched
    u2, v2 = u * u + _TINY, v * v
    core = exp(sqrt(u2 + v2 * squeeze2) * core_slope) * core_peak
    r2 = u2 + v2
    r = sqrt(r2)
    tangent = exp(minus_scale / r) * inverse_bar  # tan(phi / 2N)
    turn = half_angle(u, v, r) * twice_arms - arms_phase - atan(tangent) * sweep
    k = _sharpness(tangent, r2, spread2, inverse_across2)
    return exp((cos(turn) - 1.0) * k + r * disc_slope) * amplitude + core


def _sharpness(tangent: Tensor, r2: Tensor, spread2: Tensor, inverse_across2: Tensor) -> Tensor:
    """Return k = (r sin(psi) / (arms width))**2.

    sin(phi / N) = 2 tan(phi / 2N) / (1 + tan(phi / 2N)**2) and sin(psi)**2 = 1 / (1 + cot(psi)**2)
    give k (arms width)**2 = r**4 / (r**2 + (A N sin(phi / N))**2).
    """
    half_sine = tangent / (tangent * tangent + 1.0)
    return r2 * r2 * inverse_across2 / (half_sine * half_sine * spread2 + r2)


def half_angle(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    """Return half the polar angle of points at distance r > 0, up to half turns [radian].

    tan(t / 2) = y / (r + x) is steady for x >= 0; the left half is mirrored. `atan2` is not used:
    torch rounds it by the place in the batch.
    """
    side = sign(x + _TINY)
    # x * side and not abs(x), whose gradient on the axis is 0
    return (atan(y / (r + x * side)) - _EIGHTH) * side + _EIGHTH


def _edge(spiral: Spiral) -> Tensor:
    """Return a tenth of the brightness at the centre of disc and core."""
    return (spiral.amplitude + spiral.core_amplitude * CORE_PEAK) / 10


def flux(
    x: Tensor,
    y: Tensor,
    amplitude: Tensor,
    radius: Tensor,
    arms: Tensor,
    scale: Tensor,
    bar: Tensor,
    winding: Tensor,
    width: Tensor,
    theta: Tensor,
    ellip: Tensor,
    phase: Tensor,
    core_amplitude: Tensor,
    core_radius: Tensor,
    core_ellip: Tensor,
) -> Tensor:
    """Return the light of disc and core, shape (B,); without closed form, exact to 1e-6."""
    disc = spiral_flux.disc_light(
        amplitude,
        radius,
        ellip,
        arms=arms,
        scale=scale,
        bar=bar,
        winding=winding,
        width=width,
    )
    core = spiral_flux.core_light(core_amplitude, core_radius, core_ellip)
    return disc + core


SPIRAL = ObjectKind(
    name="spiral",
    fields={
        # closer to the middle than a star, because the disc is large
        "x": Parameter("column", Uniform(0.3, 0.7)),
        "y": Parameter("row", Uniform(0.3, 0.7)),
        # brightness of the disc centre; the arms, 1 to 2 scale lengths out, are 3 to 7 times
        # fainter
        "amplitude": Parameter("brightness", LogUniform(1.0, 10.0), ge=0.0),
        # scale length of the disc, 9 to 13 pixels of 64
        "radius": Parameter("length", Uniform(0.14, 0.2), gt=0.0),
        # most grand-design spirals have two arms, some three or four
        "arms": Parameter("number", Choice((2.0, 3.0, 4.0)), ge=1.0, whole=True),
        # 0.3 to 0.86 of the disc's scale length, so that the arms open inside the disc
        "scale": Parameter("length", Uniform(0.06, 0.12), gt=0.0),
        # from a small bar (2) to a large one (0.25)
        "bar": Parameter("number", Uniform(0.25, 2.0), gt=0.0),
        # from open to tightly wound arms, the range of fits by the authors of the formula
        "winding": Parameter("number", Uniform(2.5, 9.0), gt=0.0),
        # standard deviation across an arm, 1.6 to 2.9 pixels of 64: sampled, thinner than the gaps
        "width": Parameter("length", Uniform(0.025, 0.045), gt=0.0),
        # half a turn: an inclined disc rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi), period=math.pi),
        # face-on to 1 : 2; closer to edge-on no arm is visible
        "ellip": Parameter("number", Uniform(0.0, 0.5), ge=0.0, lt=1.0),
        # a quarter turn, the symmetry of four arms; theta covers other directions
        "phase": Parameter("angle", Uniform(0.0, math.pi / 2), period=2 * math.pi, fold="arms"),
        # brightness at the effective radius; the centre is 5.4 times brighter
        "core_amplitude": Parameter("brightness", LogUniform(0.2, 2.0), ge=0.0),
        # a small bulge: 2.6 to 4.5 pixels of 64
        "core_radius": Parameter("length", Uniform(0.04, 0.07), gt=0.0),
        # round to 5 : 3
        "core_ellip": Parameter("number", Uniform(0.0, 0.4), ge=0.0, lt=1.0),
    },
    record=Spiral,
    constants=constants,
    light=light,
    edge=_edge,
    flux=flux,
)
