"""Kernels that spread the light of a scene by the pixels of a point spread."""

from typing import Any

from deepbench_torch.native.compile import kernel
from deepbench_torch.native.light import copy

ROWS = 16  # lines spread together: as many as stay in the cache


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

    Arguments as `spread_by_axes`, but `taps` as `psf.moffat_taps` writes them, and `room` of
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
