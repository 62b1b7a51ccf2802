"""Kernels of the point spreads, three for each class of `degrade.FAMILIES`."""

from typing import Any, NamedTuple

from numba import float32, float64, int64

from deepbench_torch.degrade import FAMILIES, ArraySpread, Gaussian, Moffat, PointSpread, places_of
from deepbench_torch.degrade import gaussian as of_gaussian
from deepbench_torch.degrade import moffat as of_moffat
from deepbench_torch.degrade.psf import SHRINK
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.dispatch import one_of
from deepbench_torch.native.double import exact_exp, exact_log
from deepbench_torch.native.intrinsics import floor64, root64
from deepbench_torch.native.light import add_object
from deepbench_torch.native.spread import (
    ROWS,
    spread_by_axes,
    spread_by_pixels,
    spread_by_quarter,
)
from deepbench_torch.objects.point import GAUSSIAN_WIDTH

_REACH, _SHRINK = of_gaussian.REACH, SHRINK
_FARTHEST, _LOG_LOST, _LOG_2 = of_moffat.FARTHEST, of_moffat.LOG_LOST, of_moffat.LOG_2


class Kernels(NamedTuple):
    """Kernels of one family of point spreads.

    Attributes:
        room: Of a margin: the number of weights, and of lines of working memory.
        spread: Write an image of a scene, its light spread; see `_spread_gaussian`.
        point: Add a point to an image; see `_add_gaussian_point`.
    """

    room: Any
    spread: Any
    point: Any


@inline
def _pixels(distance: Any, margin: Any) -> Any:
    """Return a distance in pixels, rounded up, from 1 to the margin."""
    rounded = int64(-floor64(-min(distance * _SHRINK, float64(margin))))
    return max(rounded, 1)


# ---- Gaussian

(FWHM,) = places_of(Gaussian)


@kernel
def _gaussian_room(margin: Any) -> Any:
    """Return the number of weights and of lines for a margin."""
    return margin + 1, 1


@kernel
def gaussian_taps(fwhm: Any, margin: Any, taps: Any) -> Any:
    """Write the weights of a Gaussian from the middle outward; return how many follow the middle.

    Args:
        fwhm: Full width at half maximum [pixel].
        margin: Pixels round the frame.
        taps: Output, float32, at least margin + 1.
    """
    sigma = float64(fwhm) / GAUSSIAN_WIDTH
    reach = _pixels(_REACH * sigma, margin)
    total = 1.0
    for step in range(1, reach + 1):
        total += 2.0 * _gaussian(float64(step) / sigma)
    for step in range(reach + 1):
        taps[step] = float32(_gaussian(float64(step) / sigma) / total)
    return reach


@inline
def _gaussian(steps: Any) -> Any:
    return exact_exp(max(-0.5 * steps * steps, -700.0))


@kernel
def _spread_gaussian(
    pixels: Any, conditions: Any, rooms: Any, image: Any, size: Any, margin: Any
) -> None:
    """Write an image of a scene, its light spread.

    Args:
        pixels: The pixels of a point spread that is an array, float32, shape (h, w).
        conditions: The conditions of the image, float32, shape (C,).
        rooms: The scene, room for lines, and for weights, float32.
        image: Output, float32, shape (H * W,).
        size: H and W.
        margin: Pixels round the frame.
    """
    scene, line, taps = rooms
    reach = gaussian_taps(conditions[FWHM], margin, taps)
    spread_by_axes(scene, taps, reach, line, image, size, margin)


@kernel
def _add_gaussian_point(pixels: Any, conditions: Any, parameters: Any, target: Any) -> None:
    """Add a point to an image as its point spread.

    Args:
        pixels: The pixels of a point spread that is an array, float32, shape (h, w).
        conditions: The conditions of the image, float32, shape (C,).
        parameters: x, y and flux, with room for those of `PointSpread.point`, float32.
        target: The address of the kernel of `PointSpread.point`, the image, H and W, whether the
            brighter of both counts instead of their sum, and working memory.
    """
    parameters[3] = float32(float64(conditions[FWHM]) / GAUSSIAN_WIDTH)
    _add_by_address(parameters, target)


@inline
def _add_by_address(parameters: Any, target: Any) -> None:
    address, image, size, unite, scratch = target
    add_object(address, parameters, image, size, 0, unite, scratch)


# ---- Moffat

MOFFAT_FWHM, ALPHA = places_of(Moffat)


@kernel
def _moffat_room(margin: Any) -> Any:
    """Return the number of weights and of lines for a margin."""
    return (margin + 1) * (margin + 1), 3 * ROWS


@kernel
def moffat_gamma(fwhm: Any, alpha: Any) -> Any:
    """Return gamma of a Moffat profile, float64."""
    return float64(fwhm) / (2.0 * root64(_exp_less_1(_LOG_2 / float64(alpha))))


@inline
def _exp_less_1(x: Any) -> Any:
    """Return e**x - 1, x > 0: of a small x by its series, whose terms do not cancel."""
    if x > 0.1:
        return exact_exp(x) - 1.0
    term = total = x
    for k in range(2, 12):
        term *= x / k
        total += term
    return total


@kernel
def moffat_taps(fwhm: Any, alpha: Any, margin: Any, taps: Any) -> Any:
    """Write a quarter of a Moffat profile from the middle outward; return its reach.

    Args:
        fwhm: Full width at half maximum [pixel].
        alpha: Steepness of the wings.
        margin: Pixels round the frame.
        taps: Output, float32, at least (margin + 1)**2: weight of row r and column c of the quarter
            at r * (reach + 1) + c.
    """
    gamma = moffat_gamma(fwhm, alpha)
    share = min(_LOG_LOST / (float64(alpha) - 1.0), 600.0)
    distance = gamma * root64(_exp_less_1(share))
    reach = _pixels(min(distance, _FARTHEST * float64(fwhm)), margin)
    side, total = reach + 1, 0.0
    for r in range(side):
        for c in range(r, side):
            weight = exact_exp(
                -float64(alpha) * exact_log(1.0 + float64(r * r + c * c) / (gamma * gamma))
            )
            total += weight * (4.0 if c > 0 else 1.0) * (2.0 if c > r > 0 else 1.0)
            taps[r * side + c] = float32(weight)
    inverse = 1.0 / total
    for r in range(side):
        for c in range(r, side):
            weight = float32(float64(taps[r * side + c]) * inverse)
            taps[r * side + c] = taps[c * side + r] = weight
    return reach


@kernel
def _spread_moffat(
    pixels: Any, conditions: Any, rooms: Any, image: Any, size: Any, margin: Any
) -> None:
    """Write an image of a scene, its light spread; arguments as `_spread_gaussian`."""
    scene, line, taps = rooms
    reach = moffat_taps(conditions[MOFFAT_FWHM], conditions[ALPHA], margin, taps)
    spread_by_quarter(scene, taps, reach, line, image, size, margin)


@kernel
def _add_moffat_point(pixels: Any, conditions: Any, parameters: Any, target: Any) -> None:
    """Add a point to an image as its point spread; arguments as `_add_gaussian_point`."""
    parameters[3] = float32(moffat_gamma(conditions[MOFFAT_FWHM], conditions[ALPHA]))
    parameters[4] = conditions[ALPHA]
    _add_by_address(parameters, target)


# ---- Array


@kernel
def _array_room(margin: Any) -> Any:
    """Return the number of weights and of lines for a margin."""
    return 1, 1


@kernel
def _spread_array(
    pixels: Any, conditions: Any, rooms: Any, image: Any, size: Any, margin: Any
) -> None:
    """Write an image of a scene, its light spread; arguments as `_spread_gaussian`."""
    spread_by_pixels(rooms[0], pixels, image, size, margin)


@inline
def _between(distance: Any) -> Any:
    """Return the weight of a pixel at a distance in cubic convolution (Keys 1981)."""
    d = abs(distance)
    if d < 1.0:
        return (1.5 * d - 2.5) * d * d + 1.0
    if d < 2.0:
        return ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    return 0.0


@kernel
def _add_array_point(pixels: Any, conditions: Any, parameters: Any, target: Any) -> None:
    """Add a point to an image as its point spread, an array, as `ArraySpread.points`.

    Arguments as `_add_gaussian_point`.
    """
    _, image, size, unite, _ = target
    height, width = size
    tall, broad = pixels.shape
    down, across = float64(parameters[1]), float64(parameters[0])
    top, left = floor64(float64(tall // 2) - down), floor64(float64(broad // 2) - across)
    rise, shift = float64(tall // 2) - down - top, float64(broad // 2) - across - left
    for r in range(height):
        row = int64(max(min(float64(r) + top, 1e6), -1e6))
        if row < -2 or row > tall:
            continue
        for c in range(width):
            column = int64(max(min(float64(c) + left, 1e6), -1e6))
            if column < -2 or column > broad:
                continue
            total = 0.0
            for i in range(max(row - 1, 0), min(row + 3, tall)):
                weight = _between(float64(row - i) + rise)
                for j in range(max(column - 1, 0), min(column + 3, broad)):
                    share = weight * _between(float64(column - j) + shift)
                    total += share * float64(pixels[i, j])
            light = float32(max(total, 0.0) * float64(parameters[2]))
            at = r * width + c
            image[at] = max(image[at], light) if unite else image[at] + light


# By class of point spread, its kernels
KERNELS: dict[type[PointSpread], Kernels] = {
    Gaussian: Kernels(_gaussian_room, _spread_gaussian, _add_gaussian_point),
    Moffat: Kernels(_moffat_room, _spread_moffat, _add_moffat_point),
    ArraySpread: Kernels(_array_room, _spread_array, _add_array_point),
}
_ROWS = [KERNELS[family] for family in FAMILIES]
room_of = one_of([row.room for row in _ROWS])
spread_scene = one_of([row.spread for row in _ROWS])
add_point_spread = one_of([row.point for row in _ROWS])
