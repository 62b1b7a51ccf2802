"""Conversion of users' numbers, of NumPy, torch or with an astropy unit, to plain numbers."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")

# Unit names of this package, and their names in astropy
NAMES = {"solar mass": "solMass", "radian": "rad", "pixel": "pix", "^": "**"}
NO_UNIT = "remove the unit, for instance with .value"


def is_quantity(value: object) -> bool:
    """Return whether a value is an astropy Quantity, without importing astropy."""
    units = sys.modules.get("astropy.units")
    return units is not None and isinstance(value, units.Quantity)


def in_unit(value: Any, unit: str, *, where: str, remedy: str = NO_UNIT) -> Any:
    """Return the number or array of a Quantity in a unit; any other value unchanged.

    Args:
        value: The user's value.
        unit: Expected unit, "" for a number without unit.
        where: Name of the value in messages.
        remedy: Instruction if no unit is expected.

    Returns:
        A float64 number or NumPy array for a Quantity; else `value` itself.

    Raises:
        ValueError: If the unit of a Quantity does not convert to `unit`.

    Example:
        >>> from astropy import units as u
        >>> in_unit(500 * u.g, "kg", where="mass")
        0.5
    """
    if not is_quantity(value):
        return value
    try:
        number = value.to_value(_astropy_unit(unit))
    except ValueError:  # astropy's UnitConversionError is one
        rule = f"a number in {unit}" if unit else "a number without unit"
        advice = f"convert it to {unit}" if unit else remedy
        raise ValueError(f"{where}: expected {rule}, got {_short_text(value)}; {advice}") from None
    # a copy, which shares no memory with the user's array
    return np.array(number, dtype=np.float64) if np.ndim(number) else float(number)


def in_units(
    where: str, values: Mapping[str, T], units: Mapping[str, str], *, remedy: str = NO_UNIT
) -> dict[str, T]:
    """Return arguments with Quantities as numbers or float64 tensors; see `in_unit`.

    Args:
        where: Name of the function or object in messages.
        values: Numbers, tensors or Quantities by name.
        units: Expected units by name; a missing one means no unit.
        remedy: Instruction if no unit is expected.

    Raises:
        ValueError: If the unit of a Quantity does not convert.
    """
    return {
        name: _tensor(in_unit(value, units.get(name, ""), where=f"{where}.{name}", remedy=remedy))
        for name, value in values.items()
    }


def pixels(value: Any, *, where: str) -> Any:
    """Return a Quantity as a whole number of pixels; any other value unchanged.

    Raises:
        ValueError: If it is not a whole number of pixels.

    Example:
        >>> from astropy import units as u
        >>> pixels(28 * u.pix, where="height")
        28
    """
    if not is_quantity(value):
        return value
    number = np.asarray(in_unit(value, "pixel", where=where))
    if (number != number.round()).any():
        rule = "a whole number of pixels"
        raise ValueError(f"{where}: expected {rule}, got {_short_text(value)}; round it")
    return number.astype(np.int64).tolist()


def _tensor(value: Any) -> Any:
    return torch.from_numpy(value) if type(value) is np.ndarray else value


def plain_number(value: Any) -> Any:
    """Return a number of NumPy or torch as int, float or bool; any other value unchanged.

    A tensor that requires gradients is returned unchanged, because the gradient would be lost.

    Example:
        >>> plain_number(np.float32(0.5)), plain_number("a")
        (0.5, 'a')
    """
    if isinstance(value, Tensor) and not (value.requires_grad or value.is_complex()):
        return value.item() if value.dim() == 0 else value
    if isinstance(value, np.generic) or (type(value) is np.ndarray and value.ndim == 0):
        return value.item() if value.dtype.kind in "biufU" else value
    return value


def si_scale(unit: str) -> float:
    """Return the size of a unit in SI units.

    Example:
        >>> si_scale("au")
        149597870700.0
    """
    return float(_astropy_unit(unit).si.scale)


@cache
def _astropy_unit(unit: str) -> Any:
    from astropy import units

    for ours, theirs in NAMES.items():
        unit = unit.replace(ours, theirs)
    return units.Unit(unit)


def _short_text(value: object) -> str:
    return " ".join(str(value).split())[:60]
