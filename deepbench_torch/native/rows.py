"""The kernels that Python calls: whole rows, their scenes, and the light of each object alone."""

from typing import Any

import numba
import numpy as np
from numba import types

from deepbench_torch.native.blur import blur
from deepbench_torch.native.compile import compile_entry, entry, kernel
from deepbench_torch.native.light import BLOCK, MOST, SCRATCH, add_object, copy, fill
from deepbench_torch.native.noise import add_read_out, count_photons
from deepbench_torch.native.records import KIND, PARAMETER, PRIOR, SETTINGS, Plan
from deepbench_torch.native.scene import sample_scene, sequence

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
        clean: Images without noise, float32, shape (B, H * W), or empty.
        image: Images, float32, shape (B, H * W), or empty.
    """
    values = np.empty(plan.chosen.shape, np.float64)
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), _blur_rooms(plan)
    for b in range(start, end):
        table, there = tables[:, b], present[:, b]
        sample_scene(plan, index[b], values, table, there, label[b])
        if image.size:
            _observe(plan, index[b], table, there, clean[b], image[b], rooms)


@entry
def observe_rows(
    plan: Any, index: Any, start: Any, end: Any, tables: Any, present: Any, clean: Any, image: Any
) -> None:
    """Write the images of given scenes, as `make_rows` those of sampled ones.

    Args:
        plan: The plan of a recipe and a seed.
        index: Row numbers, which select the noise, int64, shape (B,).
        start: The first place of `index` to work on.
        end: The place after the last.
        tables: Parameters in pixels, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        clean: Images without noise, float32, shape (B, H * W).
        image: Images, float32, shape (B, H * W).
    """
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), _blur_rooms(plan)
    for b in range(start, end):
        _observe(plan, index[b], tables[:, b], present[:, b], clean[b], image[b], rooms)


@entry
def make_lights(
    plan: Any, row: Any, kind: Any, slot: Any, tables: Any, sharp: Any, light: Any
) -> None:
    """Write the light of objects, each alone on its own image, without and with the blur.

    Args:
        plan: The plan of a recipe and any seed.
        row: The image of each, int64, shape (N,).
        kind: The place of its kind in the recipe, int64, shape (N,).
        slot: Its slot, int64, shape (N,).
        tables: Parameters in pixels, float32, shape (S, B, slots).
        sharp: Its light before any blur, float32, shape (N, H * W).
        light: Its light as the image has it, float32, shape (N, H * W).
    """
    scratch, parameters = np.empty(SCRATCH, np.float32), np.empty(MOST, np.float32)
    scene, room = _blur_rooms(plan)
    settings = plan.settings[0]
    margin, height, width = settings.margin, settings.height, settings.width
    wide = width + 2 * margin
    for n in range(row.size):
        of = plan.kinds[kind[n]]
        for s in range(of.first, of.last):
            parameters[s - of.first] = tables[s, row[n], slot[n]]
        target = scene if margin > 0 else sharp[n]
        fill(target, _ZERO)
        size = (height + 2 * margin, wide)
        add_object(of.address, parameters, target, size, margin, False, scratch)
        if margin > 0:
            blur(scene, plan.taps, room, light[n], (height, width))
            for r in range(height):
                own = sharp[n][r * width : (r + 1) * width]
                copy(scene[(r + margin) * wide + margin :], own)
        else:
            copy(sharp[n], light[n])


@kernel
def _blur_rooms(plan: Any) -> Any:
    """Return room for a scene with its margin, and for one line of it; empty without a blur."""
    settings = plan.settings[0]
    margin = 2 * settings.margin
    wide = settings.width + margin if margin > 0 else 0
    return np.empty((settings.height + margin) * wide, np.float32), np.empty(wide, np.float32)


@kernel
def _observe(
    plan: Any, row: Any, table: Any, present: Any, clean: Any, image: Any, rooms: Any
) -> None:
    """Write the images of a scene, without and with noise."""
    scratch, blocks, (scene, room) = rooms
    settings = plan.settings[0]
    if settings.margin > 0:
        _render(plan, table, present, scene, scratch)
        blur(scene, plan.taps, room, clean, (settings.height, settings.width))
    else:
        _render(plan, table, present, clean, scratch)
    _degrade(plan, row, clean, image, blocks)


@kernel
def _render(plan: Any, table: Any, present: Any, scene: Any, scratch: Any) -> None:
    """Write the light of a scene: kind after kind and slot after slot, one order for every sum."""
    settings = plan.settings[0]
    parameters = np.empty(MOST, np.float32)
    margin, unite = settings.margin, settings.union != 0
    size = (settings.height + 2 * margin, settings.width + 2 * margin)
    fill(scene, _ZERO)
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        for slot in range(present.shape[1]):
            if present[k, slot]:
                for s in range(kind.first, kind.last):
                    parameters[s - kind.first] = table[s, slot]
                add_object(kind.address, parameters, scene, size, margin, unite, scratch)


@kernel
def _degrade(plan: Any, row: Any, clean: Any, image: Any, blocks: Any) -> None:
    """Write an image with the noise of the recipe."""
    settings = plan.settings[0]
    if settings.photons:
        key = sequence(settings.poisson, row)
        count_photons(key, clean, settings.exposure, settings.background, image, blocks)
    else:
        copy(clean, image)
    if settings.read_out:
        add_read_out(sequence(settings.gaussian, row), settings.sigma, image, blocks)


def load() -> None:
    """Compile the kernels, or load what was compiled before."""
    plan, whole = _plan_type(), types.int64
    index, present, pixels = types.int64[::1], types.boolean[:, :, ::1], types.float32[:, ::1]
    tables = types.float32[:, :, ::1]
    compile_entry(make_rows, (plan, index, whole, whole, tables, present, pixels, pixels, pixels))
    compile_entry(make_lights, (plan, index, index, index, tables, pixels, pixels))


def load_observe() -> None:
    """Compile the kernel of given scenes, which few processes need, or load it."""
    whole, pixels = types.int64, types.float32[:, ::1]
    tables, present = types.float32[:, :, ::1], types.boolean[:, :, ::1]
    index = types.int64[::1]
    signature = (_plan_type(), index, whole, whole, tables, present, pixels, pixels)
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
            np.zeros(1, np.float32),
        )
    )
