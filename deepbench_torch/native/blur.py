"""Kernel of the blur: the point spread of a telescope, first along columns, then along rows."""

from typing import Any

from deepbench_torch.native.compile import kernel


@kernel
def blur(scene: Any, taps: Any, room: Any, image: Any, size: Any) -> None:
    """Write a scene with the light of each pixel spread, as `degrade.Blur`.

    Args:
        scene: With a margin m, float32, shape ((H + 2 m) * (W + 2 m),).
        taps: The weights, from the middle outward, float32, shape (m + 1,).
        room: float32, shape (W + 2 m,).
        image: float32, shape (H * W,).
        size: H and W.
    """
    margin = taps.size - 1
    height, width = size
    wide = width + 2 * margin
    for r in range(height):
        middle = scene[(r + margin) * wide :]
        for c in range(wide):
            room[c] = middle[c] * taps[0]
        for step in range(1, margin + 1):
            tap = taps[step]
            above, below = scene[(r + margin - step) * wide :], scene[(r + margin + step) * wide :]
            for c in range(wide):
                room[c] += (above[c] + below[c]) * tap
        out = image[r * width : (r + 1) * width]
        for c in range(width):
            out[c] = room[c + margin] * taps[0]
        for step in range(1, margin + 1):
            tap, left, right = taps[step], room[margin - step :], room[margin + step :]
            for c in range(width):
                out[c] += (left[c] + right[c]) * tap
