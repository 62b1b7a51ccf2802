"""Kernels of the point spread: its pixels, and the light that it spreads."""

from typing import Any

from numba import float32, float64, int64

from deepbench_torch.degrade import psf
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import exact_exp, exact_log
from deepbench_torch.native.intrinsics import floor64, root64
from deepbench_torch.native.light import copy
from deepbench_torch.objects.point import GAUSSIAN_WIDTH

_REACH, _FARTHEST, _SHRINK = psf.REACH, psf.FARTHEST, psf.SHRINK
_LOG_LOST = psf.LOG_LOST
_LOG_2 = psf.LOG_2
ROWS = 16  # lines spread together: as many as stay in the cache


@inline
def _pixels(distance: Any, margin: Any) -> Any:
    """Return a distance as a whole number of pixels, rounded up, from 1 to the margin."""
    whole = int64(-floor64(-min(distance * _SHRINK, float64(margin))))
    return max(whole, 1)


@inline
def gaussian_sigma(fwhm: Any) -> Any:
    """Return the standard deviation of a Gaussian, float64."""
    return float64(fwhm) / GAUSSIAN_WIDTH


@kernel
def gaussian_taps(fwhm: Any, margin: Any, taps: Any) -> Any:
    """Write the weights of a Gaussian from the middle outward; return how many follow the middle.

    Args:
        fwhm: Full width at half maximum [pixel].
        margin: Pixels round the frame.
        taps: Output, float32, at least margin + 1.
    """
    sigma = gaussian_sigma(fwhm)
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
def _add_both_sides(line: Any, taps: Any, out: Any) -> None:
    """Add the pixels to the left and to the right of each pixel of a line, by their weights.

    Four distances in one loop, so that `out` is read and written a quarter as often.

    Args:
        line: float32, shape (W + 2 reach,).
        taps: Weights from the middle outward, float32, shape (reach + 1,).
        out: float32, shape (W,).
    """
    reach = taps.size - 1
    step = 1
    while step + 3 <= reach:
        one, two, three, four = taps[step], taps[step + 1], taps[step + 2], taps[step + 3]
        # a slice each: an index that is no loop variable may be negative, which no vector loop has
        left1, right1 = line[reach - step :], line[reach + step :]
        left2, right2 = line[reach - step - 1 :], line[reach + step + 1 :]
        left3, right3 = line[reach - step - 2 :], line[reach + step + 2 :]
        left4, right4 = line[reach - step - 3 :], line[reach + step + 3 :]
        for c in range(out.size):
            near = (left1[c] + right1[c]) * one + (left2[c] + right2[c]) * two
            far = (left3[c] + right3[c]) * three + (left4[c] + right4[c]) * four
            out[c] += near + far
        step += 4
    for last in range(step, reach + 1):
        tap, left, right = taps[last], line[reach - last :], line[reach + last :]
        for c in range(out.size):
            out[c] += (left[c] + right[c]) * tap


@kernel
def spread_by_axes(
    scene: Any, taps: Any, reach: Any, room: Any, image: Any, size: Any, margin: Any
) -> None:
    """Write a scene with its light spread, first along columns, then along rows.

    Args:
        scene: With a margin m, float32, shape ((H + 2 m) * (W + 2 m),).
        taps: The weights along an axis, from the middle outward, float32.
        reach: How many follow the middle.
        room: float32, shape (W + 2 m,).
        image: Output, float32, shape (H * W,).
        size: H and W.
        margin: m.
    """
    height, width = size
    wide, first = width + 2 * margin, margin - reach
    for r in range(height):
        middle = scene[(r + margin) * wide + first :]
        for c in range(width + 2 * reach):
            room[c] = middle[c] * taps[0]
        for step in range(1, reach + 1):
            above = scene[(r + margin - step) * wide + first :]
            below = scene[(r + margin + step) * wide + first :]
            tap = taps[step]
            for c in range(width + 2 * reach):
                room[c] += (above[c] + below[c]) * tap
        out = image[r * width : (r + 1) * width]
        for c in range(width):
            out[c] = room[c + reach] * taps[0]
        _add_both_sides(room, taps[: reach + 1], out)


@kernel
def spread_by_quarter(
    scene: Any, taps: Any, reach: Any, room: Any, image: Any, size: Any, margin: Any
) -> None:
    """Write a scene with its light spread by weights that are alike in four quarters.

    Arguments as `spread_by_axes`, but `taps` as `moffat_taps` writes them, and `room` of
    3 * ROWS lines. ROWS lines are worked on as one: long loops, whose last pixels of a line are of
    no image.
    """
    height, width = size
    wide, first, side = width + 2 * margin, margin - reach, reach + 1
    full = width + 2 * reach
    both, part, total = room[: ROWS * wide], room[ROWS * wide :], room[2 * ROWS * wide :]
    for top in range(0, height, ROWS):
        rows = min(ROWS, height - top)
        many = rows * full - 2 * reach
        for k in range(many):
            total[k] = 0.0
        for down in range(side):
            for r in range(rows):
                line = both[r * full : (r + 1) * full]
                above = scene[(top + r + margin - down) * wide + first :]
                below = scene[(top + r + margin + down) * wide + first :]
                for c in range(full):
                    line[c] = above[c] + below[c] if down > 0 else above[c]
            tap, middle = taps[down * side], both[reach:]
            for k in range(many):
                part[k] = middle[k] * tap
            _add_both_sides(both, taps[down * side : (down + 1) * side], part[:many])
            # a sum a line: short sums round less than long ones
            for k in range(many):
                total[k] += part[k]
        for r in range(rows):
            copy(total[r * full :], image[(top + r) * width : (top + r + 1) * width])


@kernel
def spread_by_pixels(scene: Any, pixels: Any, image: Any, size: Any, margin: Any) -> None:
    """Write a scene with its light spread by an array of odd height and width."""
    height, width = size
    wide = width + 2 * margin
    tall, broad = pixels.shape
    for r in range(height):
        out = image[r * width : (r + 1) * width]
        for c in range(width):
            out[c] = 0.0
        for i in range(tall):
            line = scene[(r + margin + tall // 2 - i) * wide :]
            for j in range(broad):
                tap, source = pixels[i, j], line[margin + broad // 2 - j :]
                for c in range(width):
                    out[c] += source[c] * tap


@kernel
def add_array_point(parameters: Any, pixels: Any, image: Any, size: Any, unite: Any) -> None:
    """Add a point to an image as its point spread, an array, as `ArraySpread.points`.

    Args:
        parameters: x, y and flux, float32.
        pixels: The array, float32, shape (h, w).
        image: float32, shape (H * W,).
        size: H and W.
        unite: Whether the brighter of both counts, instead of their sum.
    """
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
            place = r * width + c
            image[place] = max(image[place], light) if unite else image[place] + light


@inline
def _between(distance: Any) -> Any:
    """Return the weight of a pixel at a distance in cubic convolution (Keys 1981)."""
    d = abs(distance)
    if d < 1.0:
        return (1.5 * d - 2.5) * d * d + 1.0
    if d < 2.0:
        return ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    return 0.0
