"""Numbers as users write them: of NumPy, torch or with an astropy unit, made plain in one place."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")

# Names of units as this package writes them, for astropy
NAMES = {"solar mass": "solMass", "radian": "rad", "pixel": "pix", "^": "**"}
NO_UNIT = "remove the unit, for instance with .value"


def is_quantity(value: object) -> bool:
    """Return whether a value is an astropy Quantity; astropy is not imported for that."""
    units = sys.modules.get("astropy.units")
    return units is not None and isinstance(value, units.Quantity)


def in_unit(value: Any, unit: str, *, where: str, remedy: str = NO_UNIT) -> Any:
    """Return the number or array of a Quantity in a unit; any other value as it is.

    Args:
        value: What the user wrote.
        unit: The unit that is expected, "" for a number without unit.
        where: What the value is, for the message.
        remedy: What to do where no unit is expected.

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
        raise ValueError(f"{where}: expected {rule}, got {_shown(value)}; {advice}") from None
    # a copy, whose memory no one else can change
    return np.array(number, dtype=np.float64) if np.ndim(number) else float(number)


def in_units(
    where: str, values: Mapping[str, T], units: Mapping[str, str], *, remedy: str = NO_UNIT
) -> dict[str, T]:
    """Return arguments with Quantities as numbers or float64 tensors; see `in_unit`.

    Args:
        where: The function or object that takes them, for the message.
        values: Numbers, tensors or Quantities by name.
        units: The unit of each by name; one that is left out has none.
        remedy: What to do with a unit where none is expected.

    Raises:
        ValueError: If the unit of a Quantity does not convert.
    """
    return {
        name: _tensor(in_unit(value, units.get(name, ""), where=f"{where}.{name}", remedy=remedy))
        for name, value in values.items()
    }


def pixels(value: Any, *, where: str) -> Any:
    """Return a Quantity as a whole number of pixels; any other value as it is.

    Raises:
        ValueError: If it is not in pixels, or not whole.

    Example:
        >>> from astropy import units as u
        >>> pixels(28 * u.pix, where="height")
        28
    """
    if not is_quantity(value):
        return value
    number = np.asarray(in_unit(value, "pixel", where=where))
    if (number != number.round()).any():
        raise ValueError(f"{where}: expected whole pixels, got {_shown(value)}; round it")
    return number.astype(np.int64).tolist()


def _tensor(value: Any) -> Any:
    return torch.from_numpy(value) if type(value) is np.ndarray else value


def plain_number(value: Any) -> Any:
    """Return a number of NumPy or torch as int, float or bool; any other value as it is.

    A tensor that requires gradients stays as it is, for the gradient would be lost.

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
    """Return how many SI units a unit is.

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


def _shown(value: object) -> str:
    return " ".join(str(value).split())[:60]
