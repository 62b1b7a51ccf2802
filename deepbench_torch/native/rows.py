"""The kernels that Python calls: whole rows, their scenes, and the light of each object alone."""

from typing import Any

import numba
import numpy as np
from numba import float32, types

from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.native.compile import compile_entry, entry, inline, kernel
from deepbench_torch.native.double import cosine, sine
from deepbench_torch.native.light import BLOCK, MOST, SCRATCH, add_object, copy, fill
from deepbench_torch.native.noise import add_counts, add_read_out, count_photons
from deepbench_torch.native.records import (
    CONDITION,
    GAUSSIAN,
    KIND,
    MOFFAT,
    NO_SPREAD,
    PARAMETER,
    PRIOR,
    SETTINGS,
    Plan,
)
from deepbench_torch.native.scene import sample_conditions, sample_scene, sequence
from deepbench_torch.native.spread import (
    add_array_point,
    gaussian_sigma,
    gaussian_taps,
    moffat_gamma,
    moffat_taps,
    spread_by_axes,
    spread_by_pixels,
    spread_by_quarter,
)

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)
(FWHM, ALPHA, SLOPE, ANGLE, EXPOSURE, BACKGROUND, PEDESTAL_SNR, SIGMA, SNR) = range(len(CONDITIONS))


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
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), _spread_rooms(plan)
    for b in range(start, end):
        table, there, own = tables[:, b], present[:, b], conditions[:, b]
        sample_scene(plan, index[b], values, table, there, label[b])
        sample_conditions(plan, index[b], own)
        if image.size:
            _observe(plan, index[b], (table, there, own), clean[b], image[b], rooms)


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
    rooms = np.empty(SCRATCH, np.float32), np.empty((4, BLOCK), np.float32), _spread_rooms(plan)
    for b in range(start, end):
        scene = tables[:, b], present[:, b], conditions[:, b]
        _observe(plan, index[b], scene, clean[b], image[b], rooms)


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
    scratch, parameters, rooms = np.empty(SCRATCH, np.float32), _parameters(), _spread_rooms(plan)
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
            _add_point(plan, of.address, parameters, own, light[n], False, scratch)
            copy(light[n], sharp[n])
            continue
        target = scene if margin > 0 else sharp[n]
        fill(target, _ZERO)
        size = (height + 2 * margin, wide)
        add_object(of.address, parameters, target, size, margin, False, scratch)
        if margin > 0:
            _spread(plan, own, light[n], rooms)
            for r in range(height):
                line = sharp[n][r * width : (r + 1) * width]
                copy(scene[(r + margin) * wide + margin :], line)
        else:
            copy(sharp[n], light[n])


@inline
def _parameters() -> Any:
    """Return room for the parameters of an object."""
    return np.empty(MOST, np.float32)


@kernel
def _spread_rooms(plan: Any) -> Any:
    """Return room for a scene with its margin, for two lines of it, and for a point spread."""
    settings = plan.settings[0]
    reach = settings.margin
    wide = settings.width + 2 * reach if reach > 0 else 0
    weights = (reach + 1) * (reach + 1) if settings.spread == MOFFAT else reach + 1
    return (
        np.empty((settings.height + 2 * reach) * wide, np.float32),
        np.empty(2 * wide, np.float32),
        np.empty(weights, np.float32),
    )


@kernel
def _observe(plan: Any, row: Any, given: Any, clean: Any, image: Any, rooms: Any) -> None:
    """Write the images of a scene, without and with noise."""
    scratch, blocks, spread_rooms = rooms
    table, present, conditions = given
    settings = plan.settings[0]
    if settings.spread == NO_SPREAD:
        _render(plan, table, present, clean, scratch)
    else:
        _render(plan, table, present, spread_rooms[0], scratch)
        _spread(plan, conditions, clean, spread_rooms)
        _add_points(plan, given, clean, scratch)
    if settings.gradient:
        _add_gradient(settings, conditions, clean)
    _degrade(plan, row, conditions, clean, image, blocks)


@kernel
def _render(plan: Any, table: Any, present: Any, scene: Any, scratch: Any) -> None:
    """Write the light of a scene: kind after kind and slot after slot, one order for every sum."""
    settings = plan.settings[0]
    parameters = _parameters()
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
def _spread(plan: Any, conditions: Any, image: Any, rooms: Any) -> None:
    """Write an image of the scene in the first of the rooms, its light spread."""
    scene, line, taps = rooms
    settings = plan.settings[0]
    margin, size = settings.margin, (settings.height, settings.width)
    if settings.spread == GAUSSIAN:
        reach = gaussian_taps(conditions[FWHM], margin, taps)
        spread_by_axes(scene, taps, reach, line, image, size, margin)
    elif settings.spread == MOFFAT:
        reach = moffat_taps(conditions[FWHM], conditions[ALPHA], margin, taps)
        spread_by_quarter(scene, taps, reach, line, image, size, margin)
    else:
        spread_by_pixels(scene, plan.spread, image, size, margin)


@kernel
def _add_points(plan: Any, given: Any, image: Any, scratch: Any) -> None:
    """Add the points of a scene to an image, each as the point spread itself."""
    table, present, conditions = given
    unite = plan.settings[0].union != 0
    parameters = _parameters()
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        for slot in range(present.shape[1]):
            if present[k, slot] and kind.is_point:
                for s in range(kind.first, kind.last):
                    parameters[s - kind.first] = table[s, slot]
                _add_point(plan, kind.address, parameters, conditions, image, unite, scratch)


@kernel
def _add_point(
    plan: Any, address: Any, parameters: Any, conditions: Any, image: Any, unite: Any, scratch: Any
) -> None:
    """Add one point; the parameters of the point spread follow its own."""
    settings = plan.settings[0]
    size = (settings.height, settings.width)
    if settings.spread == GAUSSIAN:
        parameters[3] = float32(gaussian_sigma(conditions[FWHM]))
    elif settings.spread == MOFFAT:
        parameters[3] = float32(moffat_gamma(conditions[FWHM], conditions[ALPHA]))
        parameters[4] = conditions[ALPHA]
    else:
        add_array_point(parameters, plan.spread, image, size, unite)
        return
    add_object(address, parameters, image, size, 0, unite, scratch)


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


@kernel
def _degrade(plan: Any, row: Any, conditions: Any, clean: Any, image: Any, blocks: Any) -> None:
    """Write an image with the noise of the recipe."""
    settings = plan.settings[0]
    if settings.photons:
        key = sequence(settings.poisson, row)
        exposure, background = conditions[EXPOSURE], conditions[BACKGROUND]
        count_photons(key, clean, exposure, background, image, blocks)
    else:
        copy(clean, image)
    if settings.pedestal:
        deviation = _brightest(clean) / conditions[PEDESTAL_SNR]
        add_counts(sequence(settings.added_poisson, row), deviation * deviation, image, blocks)
    if settings.read_out:
        sigma = conditions[SIGMA]
        if settings.read_out_by_peak:
            sigma = _brightest(clean) / conditions[SNR]
        add_read_out(sequence(settings.gaussian, row), sigma, image, blocks)


@kernel
def _brightest(image: Any) -> Any:
    """Return the brightest pixel, 0 at least."""
    peak = _ZERO
    for k in range(image.size):
        peak = max(peak, image[k])
    return peak


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
            np.zeros((1, 1), np.float32),
        )
    )
