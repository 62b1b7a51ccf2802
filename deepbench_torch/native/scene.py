"""Scenes: which objects an image holds, with which parameters, in which layout."""

from typing import Any

import numpy as np
from numba import float32, int32, int64, uint64

from deepbench_torch.native.brightness import amplitude_of
from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import GOLDEN, mix, uniform
from deepbench_torch.native.intrinsics import bits, from_bits
from deepbench_torch.native.layout import CANDIDATE, CORE_LEVEL
from deepbench_torch.native.light import MOST, SCRATCH, add_object, copy, fill
from deepbench_torch.native.prior import larger, prior_value, smaller
from deepbench_torch.native.records import COUNTS, GROUPS, LISTED, NOT_SET

_LEVEL = np.float32(CORE_LEVEL)
_ZERO, _NAN = np.float32(0.0), np.float32(np.nan)


@inline
def sequence(stream: Any, row: Any) -> Any:
    """Return the key of a stream's sequence for a row."""
    return mix(stream ^ (uint64(row) * GOLDEN))


@inline
def _kind_of(plan: Any, u: Any) -> Any:
    """Return the place of the kind of an object, from a uniform number."""
    kinds = plan.kinds.size
    if plan.settings[0].weighted == 0:
        return int64(u * kinds)
    k = 0
    while k < kinds - 1 and u >= plan.kinds[k].share_end:
        k += 1
    return k


@kernel
def _sample_present(plan: Any, row: Any, present: Any) -> None:
    """Write which slots of each kind hold an object, bool, shape (K, slots)."""
    settings = plan.settings[0]
    kinds, slots = present.shape
    if settings.counting == LISTED:
        for k in range(kinds):
            copy(plan.listed[k], present[k])
    elif settings.counting == COUNTS:
        for k in range(kinds):
            u = uniform(sequence(plan.kinds[k].count, row), 0)
            number = prior_value(plan, plan.kinds[k].prior, u)
            for slot in range(slots):
                present[k, slot] = slot < number
    elif settings.counting == GROUPS:
        _sample_group(plan, row, present)
    else:
        u = uniform(sequence(settings.count, row), 0)
        number = prior_value(plan, settings.count_prior, u)
        key = sequence(settings.kind, row)
        for k in range(kinds):
            fill(present[k], False)
        for slot in range(slots):
            if slot < number:
                present[_kind_of(plan, uniform(key, slot)), slot] = True


@kernel
def _sample_group(plan: Any, row: Any, present: Any) -> None:
    """Write which slots hold an object in an image of a group, as `groups.groups_of`."""
    kinds, slots = present.shape
    u = uniform(sequence(plan.settings[0].group, row), 0)
    group = 0
    while group < plan.group_ends.size - 1 and u >= plan.group_ends[group]:
        group += 1
    for k in range(kinds):
        number, prior = 0.0, plan.groups[group, k]
        if prior >= 0:
            number = prior_value(plan, prior, uniform(sequence(plan.kinds[k].count, row), 0))
        for slot in range(slots):
            present[k, slot] = slot < number


@kernel
def _sample_values(plan: Any, row: Any, candidate: Any, values: Any) -> None:
    """Write the parameters of a candidate layout in the units of the recipe, shape (S, slots)."""
    parameters, slots = values.shape
    for s in range(parameters):
        key = sequence(plan.parameters[s].stream, row)
        for slot in range(slots):
            u = uniform(key, candidate * CANDIDATE + (0 if plan.parameters[s].shared else slot))
            values[s, slot] = prior_value(plan, plan.chosen[s, slot], u)


@kernel
def sample_conditions(plan: Any, row: Any, conditions: Any) -> None:
    """Write the conditions of an image in pixels and radians, NaN if not set, shape (C,)."""
    for c in range(plan.conditions.size):
        condition = plan.conditions[c]
        if condition.prior == NOT_SET:
            conditions[c] = _NAN
        else:
            u = uniform(sequence(condition.stream, row), 0)
            conditions[c] = float32(prior_value(plan, condition.prior, u) * condition.scale)


@kernel
def _least_visible(plan: Any, values: Any, present: Any, scratch: Any) -> Any:
    """Return the share of the least visible object.

    `scratch` holds an image for each object, and their sum in the last one.
    """
    lights, parameters, room = scratch
    settings = plan.settings[0]
    margin = settings.layout_margin
    size = (settings.layout_height + 2 * margin, settings.layout_width + 2 * margin)
    total, count = lights[-1], 0
    fill(total, _ZERO)
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        for slot in range(present.shape[1]):
            if present[k, slot]:
                for s in range(kind.first, kind.last):
                    field = plan.parameters[s]
                    value = values[s, slot]
                    if kind.flux_address != 0 and s == kind.amplitude:
                        value = amplitude_of(plan, kind, slot, values, False)
                    pixels = value * field.layout_scale + field.layout_shift
                    parameters[s - kind.first] = smaller(float32(pixels), field.largest)
                light = lights[count]
                fill(light, _ZERO)
                add_object(kind.layout_address, parameters, light, size, margin, False, room)
                for c in range(total.size):
                    total[c] += light[c]
                count += 1
    least = 1.0
    for k in range(count):
        seen, core = _visible(lights[k], total, size, margin)
        least = smaller(least, seen / larger(core, settings.least_pixels))
    return least


@kernel
def _visible(light: Any, total: Any, size: Any, margin: Any) -> Any:
    """Return the pixels of an object's core in the frame that outshine the others, and the core."""
    height, width = size
    peak = int32(0)
    for c in range(light.size):
        # as whole numbers, which have the order of numbers that are not negative: it vectorises
        peak = larger(peak, bits(light[c]))
    level = _LEVEL * from_bits(peak)
    core = seen = 0
    for c in range(light.size):
        core += (light[c] >= level) & (light[c] > _ZERO)
    for r in range(margin, height - margin):
        for c in range(r * width + margin, (r + 1) * width - margin):
            own = light[c]
            seen += (own >= level) & (own > _ZERO) & (own > total[c] - own)
    return seen, core


@kernel
def _choose_layout(plan: Any, row: Any, present: Any, values: Any) -> None:
    """Write the first candidate that satisfies the recipe, else the best, shape (S, slots)."""
    settings = plan.settings[0]
    margin = 2 * settings.layout_margin
    pixels = (settings.layout_height + margin) * (settings.layout_width + margin)
    objects = 0
    for k in range(present.shape[0]):
        objects += _number(present[k])
    scratch = (
        np.empty((objects + 1, pixels), np.float32),
        np.empty(MOST, np.float32),
        np.empty(SCRATCH, np.float32),
    )
    best = _least_visible(plan, values, present, scratch)
    trial = np.empty(values.shape, np.float64)
    for candidate in range(1, settings.candidates):
        if best >= settings.visible:
            return
        _sample_values(plan, row, candidate, trial)
        share = _least_visible(plan, trial, present, scratch)
        if share > best:
            best = share
            for s in range(values.shape[0]):
                copy(trial[s], values[s])


@inline
def _number(slots: Any) -> Any:
    """Return how many slots hold an object."""
    number = 0
    for slot in range(slots.size):
        number += slots[slot]
    return number


@kernel
def _simplify(plan: Any, row: Any, present: Any) -> None:
    """Remove and add objects as the recipe's `simplify` requires."""
    settings = plan.settings[0]
    kinds, slots = present.shape
    for k in range(kinds):
        kind = plan.kinds[k]
        if kind.keep_below < np.inf or kind.add_below > -np.inf:
            u = uniform(sequence(kind.balance, row), 0)
            if not u < kind.keep_below:
                fill(present[k], False)
            elif u < kind.add_below and _number(present[k]) == 0:
                present[k, 0] = True
    if settings.reassigns:
        _reassign(plan, row, present)
    for k in range(kinds):
        for slot in range(slots):
            if plan.kinds[k].kept < 0 or slot >= settings.most:
                present[k, slot] = False


@kernel
def _reassign(plan: Any, row: Any, present: Any) -> None:
    """Replace each object of a kind left out by one of a kind that is kept, chosen at random."""
    kinds, slots = present.shape
    kept = 0
    for k in range(kinds):
        kept += plan.kinds[k].kept >= 0
    key = sequence(plan.settings[0].reassigned, row)
    for slot in range(slots):
        chosen = int64(uniform(key, slot) * kept)
        for k in range(kinds):
            if present[k, slot] and plan.kinds[k].kept < 0:
                for other in range(kinds):
                    if plan.kinds[other].kept == chosen:
                        present[other, slot] = True


@kernel
def sample_scene(plan: Any, row: Any, values: Any, table: Any, present: Any, label: Any) -> None:
    """Write the scene of one row.

    Args:
        plan: The plan.
        row: The row number.
        values: Room for the parameters in the units of the recipe, float64, shape (S, slots).
        table: The parameters in pixels, float32, shape (S, slots).
        present: Which slots hold an object, bool, shape (K, slots).
        label: Which of the classes are present, float32, shape (classes,).
    """
    settings = plan.settings[0]
    _sample_present(plan, row, present)
    _sample_values(plan, row, 0, values)
    if settings.candidates > 0:
        _choose_layout(plan, row, present, values)
    _simplify(plan, row, present)
    for s in range(table.shape[0]):
        field = plan.parameters[s]
        for slot in range(table.shape[1]):
            value = values[s, slot] if field.held != field.held else field.held
            # single precision may round a value up to a bound that it must stay below
            table[s, slot] = smaller(float32(value * field.scale + field.shift), field.largest)
    for k in range(present.shape[0]):
        kind = plan.kinds[k]
        if kind.flux_address != 0:
            for slot in range(table.shape[1]):
                value = amplitude_of(plan, kind, slot, values, True)
                bright = plan.parameters[kind.amplitude]
                table[kind.amplitude, slot] = float32(value * bright.scale + bright.shift)
        if plan.kinds[k].kept >= 0:
            label[plan.kinds[k].kept] = float32(_number(present[k]) > 0)
