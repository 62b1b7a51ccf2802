"""Spiral galaxy: an inclined disc whose arms follow one formula, round an elliptic core."""

import math
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel, scaled
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.objects.sersic import EXPONENTIAL_HALF_LIGHT, LEAST_EXPONENT
from deepbench_torch.priors import Choice, LogUniform, Uniform

_TINY = 1e-12  # [pixel^2]; added to squared radii: keeps 1 / r and the gradients finite


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


def render(spiral: Spiral, grid: Grid, *, reuse: bool = False) -> Tensor:
    """Draw each spiral galaxy alone on its own image.

    Ringermacher & Mead (2009, doi 10.1111/j.1365-2966.2009.14950.x) give an arm as
    r(phi) = A / ln(B tan(phi / 2N)), of which |r| is meant. Its inverse is closed:
    phi(r) = 2N atan(exp(-A / r) / B), so every pixel knows how far it lies from the nearest arm:
    I = amplitude exp(-r / radius) exp(-k (1 - cos(arms (t - phase - phi(r))))) + core, at the
    angle t and radius r in the disc's plane. k = (r sin(psi) / (arms width))**2 with the pitch
    angle psi, tan(psi) = 1 / (N (A / r) sin(phi / N)), makes an arm a Gaussian of deviation
    `width` across. The core is a Sersic profile of index 1.

    Args:
        spiral: The spiral galaxies, B of them.
        grid: Pixel centres of an H by W image.
        reuse: Write results over what is read no more; then there are no gradients.

    Returns:
        Images, shape (B, H, W), dtype of `spiral.x`.
    """
    stretch = 1 / (1 - spiral.ellip)
    dx, dy = grid.offsets(spiral.x, spiral.y)
    cos, sin = spiral.theta.cos(), spiral.theta.sin()
    x = dx * per_pixel(cos) + dy * per_pixel(sin)  # (B, H, W), in the disc's plane
    y = dy * per_pixel(cos * stretch) - dx * per_pixel(sin * stretch)
    x2, y2 = (x * x).add_(_TINY), y * y
    core2 = y2 * per_pixel(((1 - spiral.ellip) / (1 - spiral.core_ellip)) ** 2)
    core = _core(spiral, core2.add_(x2), reuse=reuse)
    return _disc(spiral, x, y, x2.add_(y2), reuse=reuse).add_(core)


def _core(spiral: Spiral, r2: Tensor, *, reuse: bool) -> Tensor:
    peak = spiral.core_amplitude * math.exp(EXPONENTIAL_HALF_LIGHT)
    steepness = per_pixel(-EXPONENTIAL_HALF_LIGHT / spiral.core_radius)
    fall = scaled(torch.sqrt(r2, out=r2 if reuse else None), steepness, reuse=reuse)
    return scaled(fall.clamp_min_(LEAST_EXPONENT).exp_(), per_pixel(peak), reuse=reuse)


def _disc(spiral: Spiral, x: Tensor, y: Tensor, r2: Tensor, *, reuse: bool) -> Tensor:
    """The disc with its arms, at coordinates in its plane and their squared distance."""
    inverse = r2.rsqrt()
    r = r2 * inverse
    tangent = scaled(inverse, per_pixel(-spiral.scale), reuse=reuse).exp_()
    tangent = scaled(tangent, per_pixel(1 / spiral.bar), reuse=reuse)
    sharpness = _sharpness(spiral, tangent, r2, reuse=reuse)
    turn = _turn(spiral, half_angle(x, y, r, reuse=reuse), tangent, reuse=reuse)
    light = turn.cos_().sub_(1).mul_(sharpness)
    light.sub_(scaled(r, per_pixel(1 / spiral.radius), reuse=reuse)).clamp_min_(LEAST_EXPONENT)
    return scaled(light.exp_(), per_pixel(spiral.amplitude), reuse=reuse)


def _turn(spiral: Spiral, half: Tensor, tangent: Tensor, *, reuse: bool) -> Tensor:
    """The angle from the nearest ridge, times the number of arms [radian]; `half` is written to."""
    arms = spiral.arms
    swept = torch.atan(tangent, out=tangent if reuse else None)
    swept.mul_(per_pixel(2 * spiral.winding * arms))  # arms * phi(r)
    return half.mul_(per_pixel(2 * arms)).sub_(per_pixel(arms * spiral.phase)).sub_(swept)


def _sharpness(spiral: Spiral, tangent: Tensor, r2: Tensor, *, reuse: bool) -> Tensor:
    """K = (r sin(psi) / (arms width))**2.

    sin(phi / N) = 2 tan(phi / 2N) / (1 + tan(phi / 2N)**2) and sin(psi)**2 = 1 / (1 + cot(psi)**2)
    give k (arms width)**2 = r**4 / (r**2 + (A N sin(phi / N))**2).
    """
    square = (tangent * tangent).add_(1)
    half_sine = torch.div(tangent, square, out=square if reuse else None)
    spread = scaled(half_sine, half_sine, reuse=reuse)
    spread.mul_(per_pixel((2 * spiral.winding * spiral.scale) ** 2)).add_(r2)
    r4 = scaled(r2, r2, reuse=reuse)
    return r4.mul_(per_pixel(1 / (spiral.arms * spiral.width) ** 2)).div_(spread)


def half_angle(x: Tensor, y: Tensor, r: Tensor, *, reuse: bool = False) -> Tensor:
    """Half the polar angle of points at distance r > 0, up to half turns [radian].

    tan(t / 2) = y / (r + x) is steady for x >= 0; the left half is mirrored. `atan2` is not used:
    torch rounds it by the place in the batch. `x` and `y` are written over if `reuse`.
    """
    side = (x + _TINY).sign_()
    # x * side and not x.abs(), whose gradient on the axis is 0
    far = torch.addcmul(r, x, side, out=x if reuse else None)
    from_up = torch.div(y, far, out=y if reuse else None).atan_().sub_(math.pi / 4)
    return from_up.mul_(side).add_(math.pi / 4)


def _edge(spiral: Spiral) -> Tensor:
    """A tenth of the brightness at the centre of disc and core."""
    return (spiral.amplitude + spiral.core_amplitude * math.exp(EXPONENTIAL_HALF_LIGHT)) / 10


SPIRAL = ObjectKind(
    name="spiral",
    fields={
        # closer to the middle than a star, because the disc is large
        "x": Parameter("column", Uniform(0.3, 0.7)),
        "y": Parameter("row", Uniform(0.3, 0.7)),
        # brightness of the disc centre; the arms, 1 to 2 scale lengths out, are 3 to 7 times
        # fainter
        "amplitude": Parameter("brightness", LogUniform(1.0, 10.0), above=0.0, closed=True),
        # scale length of the disc, 9 to 13 pixels of 64
        "radius": Parameter("length", Uniform(0.14, 0.2), above=0.0),
        # most grand-design spirals have two arms, some three or four
        "arms": Parameter("number", Choice((2.0, 3.0, 4.0)), above=1.0, closed=True, whole=True),
        # 0.3 to 0.86 of the disc's scale length, so that the arms open inside the disc
        "scale": Parameter("length", Uniform(0.06, 0.12), above=0.0),
        # from a small bar (2) to a large one (0.25)
        "bar": Parameter("number", Uniform(0.25, 2.0), above=0.0),
        # from open to tightly wound arms, the range of fits by the authors of the formula
        "winding": Parameter("number", Uniform(2.5, 9.0), above=0.0),
        # standard deviation across an arm, 1.6 to 2.9 pixels of 64: sampled, thinner than the gaps
        "width": Parameter("length", Uniform(0.025, 0.045), above=0.0),
        # half a turn: an inclined disc rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi)),
        # face-on to 1 : 2; closer to edge-on no arm is visible
        "ellip": Parameter("number", Uniform(0.0, 0.5), above=0.0, below=1.0, closed=True),
        # a quarter turn, the symmetry of four arms; theta covers other directions
        "phase": Parameter("angle", Uniform(0.0, math.pi / 2)),
        # brightness at the effective radius; the centre is 5.4 times brighter
        "core_amplitude": Parameter("brightness", LogUniform(0.2, 2.0), above=0.0, closed=True),
        # a small bulge: 2.6 to 4.5 pixels of 64
        "core_radius": Parameter("length", Uniform(0.04, 0.07), above=0.0),
        # round to 5 : 3
        "core_ellip": Parameter("number", Uniform(0.0, 0.4), above=0.0, below=1.0, closed=True),
    },
    record=Spiral,
    draw=render,
    edge=_edge,
    draw_over=partial(render, reuse=True),
)
