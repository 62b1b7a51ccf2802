"""Recipes as users write them in Python, made the plain values that YAML holds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from deepbench_torch.arguments import Fault, FaultsError, Location
from deepbench_torch.quantities import NO_UNIT, in_unit, is_quantity, plain_number


class Unit(NamedTuple):
    """The unit of a number in a recipe.

    Attributes:
        name: The unit, "" for a number without unit.
        remedy: What to do with a unit where a number without unit is expected.
    """

    name: str = ""
    remedy: str = NO_UNIT


DEEPEST = 50  # mappings and lists within each other, as in a YAML file
UnitAt = Callable[[Location], Unit]


def without_units(_: Location) -> Unit:
    """Return the unit of numbers that have none."""
    return Unit()


def plain_values(plain: Any, unit_at: UnitAt = without_units) -> Any:
    """Return a value with its numbers plain: of NumPy, of torch or Quantities of astropy.

    Args:
        plain: What the user wrote.
        unit_at: Returns the unit of the number at a location.

    Raises:
        FaultsError: With the location of each Quantity whose unit does not fit.
    """
    faults: list[Fault] = []
    values = _plain(plain, (), unit_at, faults)
    if faults:
        raise FaultsError(faults)
    return values


def _plain(value: Any, location: Location, unit_at: UnitAt, faults: list[Fault]) -> Any:
    if len(location) > DEEPEST:
        message = f"expected at most {DEEPEST} levels, got more; it may hold itself"
        faults.append(Fault(location[:1], message))
        return None
    if is_quantity(value):
        return _number(value, location, unit_at, faults)
    if isinstance(value, Mapping):
        return {key: _plain(part, (*location, key), unit_at, faults) for key, part in value.items()}
    if type(value) is np.ndarray and value.ndim:
        value = value.tolist()
    if type(value) in (list, tuple):
        return [_plain(part, (*location, n), unit_at, faults) for n, part in enumerate(value)]
    number = plain_number(value)
    if isinstance(number, Tensor):
        faults.append(Fault(location, _no_number(number)))
    return number


def _no_number(tensor: Tensor) -> str:
    found = f"a tensor of shape {tuple(tensor.shape)}"
    found += " that requires gradients" if tensor.requires_grad else ""
    return f"expected a number, got {found}; a recipe holds plain numbers, as from .item()"


def _number(value: Any, location: Location, unit_at: UnitAt, faults: list[Fault]) -> Any:
    """Return the number of a Quantity, or add a fault and return the Quantity."""
    unit = Unit() if "weights" in location else unit_at(location)
    try:
        number = in_unit(value, unit.name, where="", remedy=unit.remedy)
    except ValueError as error:
        faults.append(Fault(location, str(error).removeprefix(": ")))
        return value
    if unit.name == "pixel" and isinstance(number, float) and number.is_integer():
        return int(number)
    return number.tolist() if isinstance(number, np.ndarray) else number


def copied(value: Any, *, depth: int = 0) -> Any:
    """Return a value with its mappings and lists copied; what they hold stays the same."""
    if depth > DEEPEST + 1:
        return value
    if isinstance(value, Mapping):
        return {key: copied(part, depth=depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [copied(part, depth=depth + 1) for part in value]
    return value


def left_out(plain: Mapping[Any, Any], optional: Iterable[str]) -> dict[Any, Any]:
    """Return a mapping without the optional keys that are None: null means left out."""
    names = set(optional)
    return {key: value for key, value in plain.items() if value is not None or key not in names}
