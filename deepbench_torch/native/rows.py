"""The kernels that Python calls: whole rows, their scenes, and the light of each object alone."""

from typing import Any

import numba
import numpy as np
from numba import types

from deepbench_torch.native.compile import compile_entry, entry
from deepbench_torch.native.light import BLOCK, SCRATCH, add_object, copy, fill
from deepbench_torch.native.observe import (
    add_point,
    observe,
    room_of_parameters,
    rooms_of,
    spread_light,
)
from deepbench_torch.native.records import CONDITION, KIND, NOISE, PARAMETER, PRIOR, SETTINGS, Plan
from deepbench_torch.native.scene import sample_conditions, sample_scene

_ZERO = np.float32(0.0)


@entry
def make_rows(
    plan: Any,
    index: Any,
    start: Any,
    end: Any,
    tables: Any,
    present: Any,
    label: Any,
    conditions: Any,
    clean: Any,
    image: Any,
) -> None:
    """Write the scenes of some rows, and their images if there is room for any.

    Args:
        plan: The plan of a recipe and a seed.
        index: Row numbers, int64, shape (B,).
        start: The first place of `index` to work on.
        end: The place after the last.
        tables: Parameters in pixels, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        label: Which classes are present, float32, shape (B, classes).
        conditions: Conditions in pixels and radians, float32, shape (C, B).
        clean: Images without noise, float32, shape (B, H * W), or empty.
        image: Images, float32, shape (B, H * W), or empty.
    """
    values = np.empty(plan.chosen.shape, np.float64)
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), rooms_of(plan)
    for b in range(start, end):
        table, there, own = tables[:, b], present[:, b], conditions[:, b]
        sample_scene(plan, index[b], values, table, there, label[b])
        sample_conditions(plan, index[b], own)
        if image.size:
            observe(plan, index[b], (table, there, own), clean[b], image[b], rooms)


@entry
def observe_rows(
    plan: Any,
    index: Any,
    start: Any,
    end: Any,
    tables: Any,
    present: Any,
    conditions: Any,
    clean: Any,
    image: Any,
) -> None:
    """Write the images of given scenes, as `make_rows` those of sampled ones.

    Args:
        plan: The plan of a recipe and a seed.
        index: Row numbers, which select the noise, int64, shape (B,).
        start: The first place of `index` to work on.
        end: The place after the last.
        tables: Parameters in pixels, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        conditions: Conditions in pixels and radians, float32, shape (C, B).
        clean: Images without noise, float32, shape (B, H * W).
        image: Images, float32, shape (B, H * W).
    """
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), rooms_of(plan)
    for b in range(start, end):
        scene = tables[:, b], present[:, b], conditions[:, b]
        observe(plan, index[b], scene, clean[b], image[b], rooms)


@entry
def make_lights(
    plan: Any,
    row: Any,
    kind: Any,
    slot: Any,
    tables: Any,
    conditions: Any,
    sharp: Any,
    light: Any,
) -> None:
    """Write the light of objects, each alone on its own image, before and after the point spread.

    Args:
        plan: The plan of a recipe and any seed.
        row: The image of each, int64, shape (N,).
        kind: The place of its kind in the recipe, int64, shape (N,).
        slot: Its slot, int64, shape (N,).
        tables: Parameters in pixels, float32, shape (S, B, slots).
        conditions: Conditions in pixels and radians, float32, shape (C, B).
        sharp: Its light before it is spread, float32, shape (N, H * W); of a point, after.
        light: Its light as the image has it, float32, shape (N, H * W).
    """
    scratch, parameters, rooms = np.empty(SCRATCH, np.float32), room_of_parameters(), rooms_of(plan)
    settings = plan.settings[0]
    margin, height, width = settings.margin, settings.height, settings.width
    wide = width + 2 * margin
    scene = rooms[0]
    for n in range(row.size):
        of, own = plan.kinds[kind[n]], conditions[:, row[n]]
        for s in range(of.first, of.last):
            parameters[s - of.first] = tables[s, row[n], slot[n]]
        if of.is_point:
            fill(light[n], _ZERO)
            add_point(plan, of.address, parameters, own, light[n], False, scratch)
            copy(light[n], sharp[n])
            continue
        target = scene if margin > 0 else sharp[n]
        fill(target, _ZERO)
        size = (height + 2 * margin, wide)
        add_object(of.address, parameters, target, size, margin, False, scratch)
        if margin > 0:
            spread_light(plan, own, light[n], rooms)
            for r in range(height):
                line = sharp[n][r * width : (r + 1) * width]
                copy(scene[(r + margin) * wide + margin :], line)
        else:
            copy(sharp[n], light[n])


def load() -> None:
    """Compile the kernels, or load what was compiled before."""
    plan, whole = _plan_type(), types.int64
    index, present, pixels = types.int64[::1], types.boolean[:, :, ::1], types.float32[:, ::1]
    tables = types.float32[:, :, ::1]
    images = (pixels, pixels, pixels, pixels)
    compile_entry(make_rows, (plan, index, whole, whole, tables, present, *images))
    compile_entry(make_lights, (plan, index, index, index, tables, pixels, pixels, pixels))


def load_observe() -> None:
    """Compile the kernel of given scenes, which few processes need, or load it."""
    whole, pixels = types.int64, types.float32[:, ::1]
    tables, present = types.float32[:, :, ::1], types.boolean[:, :, ::1]
    index = types.int64[::1]
    images = (pixels, pixels, pixels)
    signature = (_plan_type(), index, whole, whole, tables, present, *images)
    compile_entry(observe_rows, signature)


def _plan_type() -> Any:
    """Return the numba type of a `Plan`."""
    return numba.typeof(
        Plan(
            np.zeros(1, SETTINGS),
            np.zeros(1, KIND),
            np.zeros(1, PARAMETER),
            np.zeros(1, PRIOR),
            np.zeros((1, 1), np.int64),
            np.zeros((1, 2), np.float64),
            np.zeros((1, 1), np.bool_),
            np.zeros(1, CONDITION),
            np.zeros(1, NOISE),
            np.zeros((1, 1), np.int64),
            np.zeros(1, np.float64),
            np.zeros((1, 1), np.float32),
        )
    )
