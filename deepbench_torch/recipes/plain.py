"""Conversion of values that users write in Python to the plain values of YAML."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from deepbench_torch.numerics.checks import Fault, FaultsError, Location
from deepbench_torch.numerics.quantities import NO_UNIT, in_unit, is_quantity, plain_number


class Unit(NamedTuple):
    """The unit of a number in a recipe.

    Attributes:
        name: The unit, "" for a number without unit.
        remedy: Instruction if a number without unit is expected, but has one.
    """

    name: str = ""
    remedy: str = NO_UNIT


DEEPEST = 50  # levels of mappings and lists, as in a YAML file
UnitAt = Callable[[Location], Unit]


def without_units(_: Location) -> Unit:
    """Return the empty unit for any location."""
    return Unit()


def plain_values(plain: Any, unit_at: UnitAt = without_units) -> Any:
    """Return a value with numbers of NumPy, torch and astropy as plain numbers.

    Args:
        plain: The user's value.
        unit_at: Function that returns the unit of the number at a location.

    Raises:
        FaultsError: If the unit of a Quantity does not convert, or a tensor is not a number.
    """
    faults: list[Fault] = []
    values = _plain(plain, (), unit_at, faults)
    if faults:
        raise FaultsError(faults)
    return values


def _plain(value: Any, location: Location, unit_at: UnitAt, faults: list[Fault]) -> Any:
    if len(location) > DEEPEST:
        message = f"expected at most {DEEPEST} levels, got more; check that it does not hold itself"
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
        faults.append(Fault(location, _tensor_message(number)))
    return number


def _tensor_message(tensor: Tensor) -> str:
    found = f"a tensor of shape {tuple(tensor.shape)}"
    found += " that requires gradients" if tensor.requires_grad else ""
    return f"expected a number, got {found}; write plain numbers, as from .item()"


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


def copy_containers(value: Any, *, depth: int = 0) -> Any:
    """Return a value with copies of its mappings and lists; other values are shared."""
    if depth > DEEPEST + 1:
        return value
    if isinstance(value, Mapping):
        return {key: copy_containers(part, depth=depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [copy_containers(part, depth=depth + 1) for part in value]
    return value


def drop_null(plain: Mapping[Any, Any], optional: Iterable[str]) -> dict[Any, Any]:
    """Return a mapping without the optional keys whose value is None (null in YAML)."""
    names = set(optional)
    return {key: value for key, value in plain.items() if value is not None or key not in names}
