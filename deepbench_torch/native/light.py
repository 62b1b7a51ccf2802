"""Light: the formula of each kind over the pixels of a box, a block of them at a time.

Each kind is compiled on its own, when a recipe first has it, and called by its address: together
they would take ten times as long to compile.
"""

import types as python_types
from functools import cache
from typing import Any

import numpy as np
from numba import carray, float32, float64, int64, types
from numba.np.unsafe.ndarray import to_fixed_tuple

from deepbench_torch.native.compile import compile_function, inline, kernel
from deepbench_torch.native.intrinsics import call_void, floor64, pointer, select
from deepbench_torch.native.single import of_objects, of_pixels
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.kind import ObjectKind

BLOCK = 512  # pixels worked on together, which stay in the cache
MOST = 32  # constants and parameters of one object at most
SCRATCH = 3 * BLOCK + MOST  # numbers that an object is worked out in
_SLACK = 1e-6  # of coordinates, more than single precision rounds them by


@inline
def _first(centre: Any, half: Any, margin: Any, size: Any) -> Any:
    """Return the first place of a box along an axis; 0 where that is not known."""
    low = float64(centre) - float64(half)
    low = floor64(low - _SLACK * (abs(float64(centre)) + float64(half))) - 1.0 + margin
    return int64(min(low, float64(size))) if low > 0.0 else 0


@inline
def _end(centre: Any, half: Any, margin: Any, size: Any) -> Any:
    """Return the place after the last of a box along an axis; `size` where that is not known."""
    high = float64(centre) + float64(half)
    high = floor64(high + _SLACK * (abs(float64(centre)) + float64(half))) + 2.0 + margin
    return int64(max(high, 0.0)) if high < float64(size) else size


@inline
def _place(column: Any, row: Any, size: Any, corner: Any) -> None:
    """Write the coordinates of the pixels of a block, row after row.

    Args:
        column: float32.
        row: float32.
        size: Pixels of a row, and rows.
        corner: Column and row of the first pixel.
    """
    many, rows = size
    for r in range(rows):
        for k in range(many):
            column[r * many + k] = float32(corner[0] + k)
            row[r * many + k] = float32(corner[1] + r)


@inline
def _put(image: Any, light: Any, many: Any, unite: Any) -> None:
    """Add light to the pixels of an image, or unite it with them."""
    if unite:
        for k in range(many):
            image[k] = select(light[k] > image[k], light[k], image[k])
    else:
        for k in range(many):
            image[k] += light[k]


@inline
def everywhere(*parameters: Any) -> Any:
    """Return a box without an end, for kinds that shine everywhere."""
    return float32(0.0), float32(0.0), float32(np.inf), float32(np.inf)


def _centres(light: Any, column: Any, row: Any, many: Any, constants: Any) -> None:
    """Write the light at the centres of some pixels."""
    for k in range(many):
        light[k] = light_of(column[k], row[k], *constants)


def _averages(light: Any, column: Any, row: Any, many: Any, constants: Any) -> None:
    """Write the mean light over the points of some pixels, in the order of `Grid.points`."""
    for k in range(many):
        light[k] = light_of(column[k] + POINTS[0, 0], row[k] + POINTS[0, 1], *constants)
        light[k] *= POINTS[0, 2]
    for point in range(1, POINTS.shape[0]):
        across, down, weight = POINTS[point, 0], POINTS[point, 1], POINTS[point, 2]
        for k in range(many):
            light[k] += light_of(column[k] + across, row[k] + down, *constants) * weight


# The names that `_add` has for a kind; `address` puts the kind's own in their place
PARAMETERS = CONSTANTS = 1
POINTS = np.zeros((1, 3), np.float32)
constants_of = light_of = frame_of = sample = everywhere


def _add(
    parameter: Any, pixel: Any, height: Any, width: Any, margin: Any, unite: Any, room: Any
) -> None:
    """Add the light of one object to an image, or unite it with the image.

    Args:
        parameter: Its parameters in the kind's order, in pixels and radians, float32.
        pixel: The image, float32, height by width, the margin included.
        height: Rows of the image.
        width: Columns of the image.
        margin: Pixels round the frame; the first pixel of the frame has the coordinates 0, 0.
        unite: Whether the brighter of both counts, instead of their sum.
        room: Memory to work in, float32, SCRATCH numbers.
    """
    image, scratch = carray(pixel, height * width), carray(room, SCRATCH)
    parameters = to_fixed_tuple(carray(parameter, PARAMETERS), PARAMETERS)
    x, y, across, down = frame_of(*parameters)
    left, right = _first(x, across, margin, width), _end(x, across, margin, width)
    top, bottom = _first(y, down, margin, height), _end(y, down, margin, height)
    if left >= right or top >= bottom:
        return
    constants = constants_of(*parameters)
    columns = min(right - left, BLOCK)
    rows = BLOCK // columns
    light, column, row = scratch[:BLOCK], scratch[BLOCK:], scratch[2 * BLOCK :]
    for start in range(left, right, columns):
        many = min(columns, right - start)
        _place(column, row, (many, rows), (start - margin, top - margin))
        for first in range(top, bottom, rows):
            lines = min(rows, bottom - first)
            sample(light, column, row, lines * many, constants)
            if many == width:  # whole rows: one piece of the image
                _put(image[first * width :], light, lines * many, unite)
            else:
                for r in range(lines):
                    _put(image[(first + r) * width + start :], light[r * many :], many, unite)
            for k in range(rows * many):
                row[k] += float32(rows)


_NUMBERS, _WHOLE = types.CPointer(types.float32), types.int64
_SIGNATURE = types.void(_NUMBERS, _NUMBERS, _WHOLE, _WHOLE, _WHOLE, _WHOLE, _NUMBERS)


@cache
def address(kind: ObjectKind[Any], samples: int = 1) -> int:
    """Return the address of the compiled `_add` of a kind of object.

    Args:
        kind: The kind.
        samples: Points along each axis of a pixel.
    """
    points = np.array(list(Grid(1, 1, samples=samples).points()), np.float32)
    of_pixel = {"light_of": of_pixels(kind.light), "POINTS": points}
    code = (_centres if samples == 1 else _averages).__code__
    own = {
        "PARAMETERS": len(kind.fields),
        "constants_of": of_objects(kind.constants),
        "frame_of": everywhere if kind.frame is None else of_objects(kind.frame),
        "sample": inline(python_types.FunctionType(code, globals() | of_pixel, "sample")),
    }
    unique = f"add_{kind.name}" if samples == 1 else f"add_{kind.name}_{samples}"
    function = python_types.FunctionType(_add.__code__, globals() | own, unique)
    function.__qualname__ = unique  # by which numba keeps the code
    return compile_function(function, _SIGNATURE)


@kernel
def add_object(
    address: Any, parameters: Any, image: Any, size: Any, margin: Any, unite: Any, scratch: Any
) -> None:
    """Call `_add` of a kind of object; `size` is height and width, the margin included."""
    places = (pointer(parameters), pointer(image))
    height, width = size
    sizes = (int64(height), int64(width), int64(margin), int64(unite))
    call_void(address, places + sizes + (pointer(scratch),))


@kernel
def fill(array: Any, value: Any) -> None:
    """Write one value all over a flat array: numba's own assignment takes long to compile."""
    for k in range(array.size):
        array[k] = value


@kernel
def copy(source: Any, target: Any) -> None:
    """Write a flat array to another."""
    for k in range(target.size):
        target[k] = source[k]
