"""Amplitudes of objects whose total light or magnitude is sampled."""

import math
import types as python_types
from functools import cache
from typing import Any

import numpy as np
from numba import carray, types
from numba.np.unsafe.ndarray import to_fixed_tuple

from deepbench_torch.native.compile import compile_function, kernel
from deepbench_torch.native.double import exact_exp
from deepbench_torch.native.intrinsics import call_void, pointer
from deepbench_torch.native.light import MOST
from deepbench_torch.native.records import AMPLITUDE, MAGNITUDE
from deepbench_torch.native.single import of_fluxes
from deepbench_torch.objects import OBJECTS

BRIGHTER = 0.4 * math.log(10.0)  # logarithm of the flux, for a magnitude
FARTHEST = 700.0  # of that logarithm from 0


def flux_of(*parameters: Any) -> Any:
    """Return the flux of an object; `address` puts the kind's own formula in its place."""
    return parameters[0]


PARAMETERS = 1


def _flux(parameter: Any, result: Any) -> None:
    """Write the flux of one object.

    Args:
        parameter: Its parameters in the kind's order, float64.
        result: One number, float64.
    """
    parameters = to_fixed_tuple(carray(parameter, PARAMETERS), PARAMETERS)
    carray(result, 1)[0] = flux_of(*parameters)


_NUMBERS = types.CPointer(types.float64)
_SIGNATURE = types.void(_NUMBERS, _NUMBERS)


@cache
def address(name: str) -> int:
    """Return the address of the compiled `_flux` of a kind of object."""
    kind = OBJECTS[name]
    if kind.flux is None:
        raise TypeError(f"no flux of {name}")
    own = {"PARAMETERS": len(kind.fields), "flux_of": of_fluxes(kind.flux)}
    function = python_types.FunctionType(_flux.__code__, globals() | own, f"flux_{name}")
    function.__qualname__ = function.__name__  # by which numba keeps the code
    return compile_function(function, _SIGNATURE)


@kernel
def amplitude_of(plan: Any, kind: Any, slot: Any, values: Any, held: Any) -> Any:
    """Return the amplitude of an object, from what is sampled of its brightness.

    Args:
        plan: The plan.
        kind: The record of its kind, which has a `flux_address`.
        slot: Its slot.
        values: Parameters in the units of the recipe, float64, shape (S, slots).
        held: Whether parameters that are held fixed have their fixed values.
    """
    place = kind.amplitude
    field = plan.parameters[place]
    value, quantity = values[place, slot], plan.priors[plan.chosen[place, slot]].quantity
    if held and field.held == field.held:
        value, quantity = field.held, field.held_quantity
    if quantity == AMPLITUDE:
        return value
    numbers, unit = np.empty(MOST, np.float64), np.empty(1, np.float64)
    for s in range(kind.first, kind.last):
        own = plan.parameters[s]
        number = own.held if held and own.held == own.held else values[s, slot]
        numbers[s - kind.first] = number * own.relative
    numbers[place - kind.first] = 1.0
    call_void(kind.flux_address, (pointer(numbers), pointer(unit)))
    if quantity == MAGNITUDE:
        logarithm = (plan.settings[0].zero_point - value) * BRIGHTER
        value = exact_exp(min(max(logarithm, -FARTHEST), FARTHEST))
    return value / unit[0]
