"""Search for all faults of a recipe; each has its location, rule, value and remedy."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from deepbench_torch.degrade import EFFECTS
from deepbench_torch.numerics.checks import Fault, FaultsError, Location
from deepbench_torch.priors.plain import NAMES
from deepbench_torch.recipes.messages import message_of, short_repr
from deepbench_torch.recipes.plain import copy_containers

MOST_PASSES = 5  # a pass repairs wrong values, so that the next one finds further faults

# Replacements of wrong values during the search
PLACEHOLDERS: dict[object, Any] = {
    "name": "recipe",
    "image": {"height": 8, "width": 8},
    "height": 8,
    "width": 8,
    "label": "present",
    "objects": {"star": {}},
    "sigma": 0.05,
    **{
        field: condition.parameter.prior.support[0]
        for effect in EFFECTS
        for field, condition in effect.conditions.items()
    },
    "visible": 0.5,
    "duration": 1.0,
    "steps": 1,
}


def validate(kind: type[BaseModel], plain: object) -> Any:
    """Return an instance of a recipe class.

    Raises:
        pydantic.ValidationError: If the values are not valid; `find_faults` describes the faults.
    """
    return _adapter(kind).validate_python(plain)


@cache
def _adapter(kind: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def find_faults(kind: type[BaseModel], plain: object, *, source: str) -> list[str]:
    """Return every fault of a recipe, one line each; empty if it is valid.

    Some faults hide others. Wrong values are therefore replaced during the search until no new
    fault is found.

    Args:
        kind: The class of the recipe.
        plain: The values of a YAML file, or the values that a user wrote in Python.
        source: Origin of the values, for the message.
    """
    if not isinstance(plain, Mapping):
        return [
            f"{source}: expected a mapping of keys to values, got {short_repr(plain)}; "
            "write lines as in name: mine"
        ]
    found: list[Fault] = []
    repaired = copy_containers(plain)
    for _ in range(MOST_PASSES):
        new = _faults(kind, repaired)
        locations = {fault.location for fault in found}
        fresh = [fault for fault in new if fault.location not in locations]
        if not fresh:
            break
        found += fresh
        for fault in fresh:
            _repair(repaired, fault.location)
    return [str(fault) for fault in found]


def _faults(kind: type[BaseModel], plain: Mapping[str, Any]) -> list[Fault]:
    try:
        validate(kind, plain)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [
            fault
            for detail in details
            if not _is_consequence(detail, details)
            for fault in _faults_of(kind, detail)
        ]
    return []


def _is_consequence(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a value is too short only because its entries are wrong."""
    location = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location
        for other in details
    )


def _faults_of(kind: type[BaseModel], detail: ErrorDetails) -> list[Fault]:
    """Return the faults that one error of pydantic describes."""
    location = tuple(name for name in detail["loc"] if name != "[key]")
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, FaultsError):
        return [Fault(location + fault.location, fault.message) for fault in cause.faults]
    return [Fault(location, message_of(kind, detail))]


def _repair(plain: dict[str, Any], location: Location) -> None:
    """Replace or remove the value at a location, together with the keys that depend on it."""
    if not location:
        return
    inner = [depth for depth, name in enumerate(location) if depth and name in NAMES]
    location = location[: inner[0]] if inner else location  # a prior is replaced with its arguments
    if location[:2] == ("degrade", "psf") and len(location) == 3:
        location = location[:2]  # without its one key a point spread has a fault of its own
    if location[0] in ("count", "counts", "scene") or location == ("objects",):
        for key in ("count", "counts", "scene", "simplify"):
            plain.pop(key, None)
        plain["count"] = 1
        plain["label"] = "present"
        if location[0] != "objects":
            return
    if location[0] == "objects" and len(location) > 1 and isinstance(plain.get("counts"), dict):
        plain["counts"].pop(location[1], None)
    _replace_value(plain, location)
    if plain.get("objects") == {}:
        plain["objects"] = copy_containers(PLACEHOLDERS["objects"])


def _replace_value(plain: dict[str, Any], location: Location) -> None:
    """Replace the value at a location by its placeholder, or remove it if there is none."""
    holder: Any = plain
    for depth, name in enumerate(location):
        last = depth == len(location) - 1
        if not isinstance(holder, dict) or (not last and name not in holder):
            return
        if last and name in PLACEHOLDERS:
            holder[name] = copy_containers(PLACEHOLDERS[name])
        elif last:
            holder.pop(name, None)
        else:
            holder = holder[name]
