"""Kernels of an image: the light of its scene, spread, with background and noise."""

from typing import Any

import numpy as np
from numba import float32

from deepbench_torch.degrade import Gradient, places_of
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import cosine, sine
from deepbench_torch.native.light import MOST, add_object, copy, fill
from deepbench_torch.native.noise import add_noise
from deepbench_torch.native.psf import add_point_spread, room_of, spread_scene
from deepbench_torch.native.records import NO_SPREAD

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)
SLOPE, ANGLE = places_of(Gradient)


@inline
def room_of_parameters() -> Any:
    """Return room for the parameters of an object."""
    return np.empty(MOST, np.float32)


@kernel
def rooms_of(plan: Any) -> Any:
    """Return room for a scene with its margin, for lines of it, and for a point spread."""
    settings = plan.settings[0]
    if settings.spread == NO_SPREAD:
        return np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.float32)
    margin = settings.margin
    wide = settings.width + 2 * margin
    weights, lines = room_of(settings.spread, margin)
    return (
        np.empty((settings.height + 2 * margin) * wide, np.float32),
        np.empty(lines * wide, np.float32),
        np.empty(weights, np.float32),
    )


@kernel
def observe(plan: Any, row: Any, given: Any, clean: Any, image: Any, rooms: Any) -> None:
    """Write the images of a scene, without and with noise."""
    scratch, blocks, spread_rooms = rooms
    table, present, conditions = given
    settings = plan.settings[0]
    if settings.spread == NO_SPREAD:
        _render(plan, table, present, clean, scratch)
    else:
        _render(plan, table, present, spread_rooms[0], scratch)
        spread_light(plan, conditions, clean, spread_rooms)
        _add_points(plan, given, clean, scratch)
    if settings.gradient:
        _add_gradient(settings, conditions, clean)
    copy(clean, image)
    add_noise(plan.noises, row, conditions, clean, image, blocks)


@kernel
def _render(plan: Any, table: Any, present: Any, scene: Any, scratch: Any) -> None:
    """Write the light of a scene: kind after kind and slot after slot, one order for every sum."""
    settings = plan.settings[0]
    parameters = room_of_parameters()
    margin, unite = settings.margin, settings.union != 0
    size = (settings.height + 2 * margin, settings.width + 2 * margin)
    fill(scene, _ZERO)
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        for slot in range(present.shape[1]):
            if present[k, slot] and not kind.is_point:
                for s in range(kind.first, kind.last):
                    parameters[s - kind.first] = table[s, slot]
                add_object(kind.address, parameters, scene, size, margin, unite, scratch)


@kernel
def spread_light(plan: Any, conditions: Any, image: Any, rooms: Any) -> None:
    """Spread the scene in the first of the rooms, and write its image."""
    settings = plan.settings[0]
    size = (settings.height, settings.width)
    spread_scene(settings.spread, plan.spread, conditions, rooms, image, size, settings.margin)


@kernel
def _add_points(plan: Any, given: Any, image: Any, scratch: Any) -> None:
    """Add the points of a scene to an image, each as the point spread itself."""
    table, present, conditions = given
    unite = plan.settings[0].union != 0
    parameters = room_of_parameters()
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        for slot in range(present.shape[1]):
            if present[k, slot] and kind.is_point:
                for s in range(kind.first, kind.last):
                    parameters[s - kind.first] = table[s, slot]
                add_point(plan, kind.address, parameters, conditions, image, unite, scratch)


@kernel
def add_point(
    plan: Any, address: Any, parameters: Any, conditions: Any, image: Any, unite: Any, scratch: Any
) -> None:
    """Add one point as its point spread."""
    settings = plan.settings[0]
    target = (address, image, (settings.height, settings.width), unite, scratch)
    add_point_spread(settings.spread, plan.spread, conditions, parameters, target)


@kernel
def _add_gradient(settings: Any, conditions: Any, image: Any) -> None:
    """Add the background of an image, as `degrade.Gradient.light`."""
    height, width = settings.height, settings.width
    slope = conditions[SLOPE] / float32(min(height, width))
    across, down = slope * cosine(conditions[ANGLE]), slope * sine(conditions[ANGLE])
    middle, centre = float32(width - 1) * _HALF, float32(height - 1) * _HALF
    for r in range(height):
        level = (float32(r) - centre) * down
        line = image[r * width : (r + 1) * width]
        for c in range(width):
            line[c] += (float32(c) - middle) * across + level
