"""Kernels of an image: the light of its scene, spread, with background and noise."""

from typing import Any

import numpy as np
from numba import float32

from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import cosine, sine
from deepbench_torch.native.light import MOST, add_object, copy, fill
from deepbench_torch.native.noise import add_counts, add_read_out, count_photons
from deepbench_torch.native.records import GAUSSIAN, MOFFAT, NO_SPREAD
from deepbench_torch.native.scene import sequence
from deepbench_torch.native.spread import (
    ROWS,
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


@inline
def room_of_parameters() -> Any:
    """Return room for the parameters of an object."""
    return np.empty(MOST, np.float32)


@kernel
def rooms_of(plan: Any) -> Any:
    """Return room for a scene with its margin, for lines of it, and for a point spread."""
    settings = plan.settings[0]
    reach = settings.margin
    wide = settings.width + 2 * reach if reach > 0 else 0
    weights = (reach + 1) * (reach + 1) if settings.spread == MOFFAT else reach + 1
    lines = 3 * ROWS if settings.spread == MOFFAT else 1
    return (
        np.empty((settings.height + 2 * reach) * wide, np.float32),
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
    _degrade(plan, row, conditions, clean, image, blocks)


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
