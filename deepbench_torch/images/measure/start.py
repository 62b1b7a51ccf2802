"""Starting values of a fit, from the moments of an image."""

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

Values = dict[str, float | Tensor]
SIGNIFICANT = 3.0  # pixels brighter than this number of standard deviations belong to the object
_MOFFAT = {alpha: math.sqrt(2 ** (1 / alpha) - 1) for alpha in (1.5, 2.5, 5.0)}


class Moments(NamedTuple):
    """Size and position of the light in B images, shape (B,) each [pixel, radian].

    Attributes:
        x: Column of the centre of light.
        y: Row of the centre of light.
        half: Radius of a circle with the area of the pixels above half the peak.
        effective: Radius of a circle with the area of the brightest pixels that hold half the
            light.
        distance: Mean distance of the light from its centre.
        ellip: Ellipticity.
        theta: Position angle of the longer axis.
    """

    x: Tensor
    y: Tensor
    half: Tensor
    effective: Tensor
    distance: Tensor
    ellip: Tensor
    theta: Tensor


def moments_of(image: Tensor, deviation: Tensor) -> Moments:
    """Return the moments of the significant pixels of images.

    Args:
        image: Brightness, float64, shape (B, H, W).
        deviation: Standard deviation of the noise in the dark, of a shape that broadcasts.
    """
    light = _significant(image, deviation)
    total = light.sum((1, 2))
    row = torch.arange(image.shape[1], dtype=image.dtype, device=image.device)[:, None]
    column = torch.arange(image.shape[2], dtype=image.dtype, device=image.device)

    def mean(values: Tensor) -> Tensor:
        return (light * values).sum((1, 2)) / total

    x, y = mean(column), mean(row)
    dx, dy = column - x[:, None, None], row - y[:, None, None]
    xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    middle, spread = (xx + yy) / 2, torch.hypot((xx - yy) / 2, xy)
    ratio = ((middle - spread).clamp_min(1e-9) / (middle + spread).clamp_min(1e-9)).sqrt()
    bright = light.flatten(1).sort(dim=1, descending=True).values
    half_light = (bright.cumsum(1) < total[:, None] / 2).sum(1) + 1
    above_half = (bright >= bright[:, :1] / 2).sum(1)
    return Moments(
        x=x,
        y=y,
        half=(above_half / math.pi).sqrt(),
        effective=(half_light / math.pi).sqrt(),
        distance=mean(torch.hypot(dx, dy)).clamp_min(0.5),
        ellip=(1 - ratio).clamp(0.05, 0.8),
        theta=0.5 * torch.atan2(2 * xy, xx - yy),
    )


def _significant(image: Tensor, deviation: Tensor) -> Tensor:
    """Return the light of significant pixels; of the brightest alone if none is."""
    usable = torch.where(deviation.isfinite(), image, 0.0)
    bright = torch.where(usable > SIGNIFICANT * deviation, usable, 0.0)
    peak = usable.amax((1, 2), keepdim=True)
    brightest = torch.where(usable >= peak, peak.abs().clamp_min(1e-12), 0.0)
    return torch.where((bright > 0).any(2).any(1)[:, None, None], bright, brightest)


def _star(found: Moments) -> Iterator[Values]:
    for alpha, width in _MOFFAT.items():
        yield {"gamma": found.half.clamp_min(0.5) / width, "alpha": alpha}


def _galaxy(found: Moments) -> Iterator[Values]:
    radius = found.effective / (1 - found.ellip).sqrt()
    for n, size in product((0.7, 1.5, 3.0), (0.8, 1.3)):
        yield {"radius": radius * size, "n": n, "ellip": found.ellip, "theta": found.theta}


def _spiral(found: Moments) -> Iterator[Values]:
    radius = found.effective / (1 - found.ellip).sqrt() / 1.5
    values: Values = {"radius": radius, "scale": 0.5 * radius, "width": 0.2 * radius}
    values |= {"core_radius": 0.3 * radius, "core_ellip": 0.2, "core_amplitude": 0.2}
    for arms, bar, winding, phase in product((2.0, 3.0, 4.0), (0.5, 1.2), (3.5, 6.5), range(4)):
        turn = phase * math.pi / 2 / arms
        yield values | {
            "arms": arms,
            "bar": bar,
            "winding": winding,
            "phase": turn,
            "ellip": found.ellip,
            "theta": found.theta,
        }


def _lensed(found: Moments) -> Iterator[Values]:
    ring = found.distance
    values: Values = {"einstein_radius": ring, "radius": 0.2 * ring, "n": 1.0, "source_ellip": 0.2}
    values |= {"shear": 0.03, "shear_theta": 0.8, "source_theta": 0.8}
    shares = (-0.25, 0.0, 0.25)
    for right, down, theta, ellip in product(shares, shares, (0.4, 2.0), (0.1, 0.3)):
        source = {"source_x": right * ring, "source_y": down * ring}
        yield values | source | {"theta": theta, "ellip": ellip}


def _point(found: Moments) -> Iterator[Values]:
    yield {}


# the kinds whose light is smooth: candidates for all parameters but the centre and the brightness
STARTS: dict[str, Callable[[Moments], Iterator[Values]]] = {
    "star": _star,
    "galaxy": _galaxy,
    "spiral": _spiral,
    "lensed": _lensed,
    "point": _point,
}
# angles of these parameters have a period of half a turn
HALF_TURN = {"galaxy": ("theta",), "lensed": ("theta", "shear_theta", "source_theta")}
