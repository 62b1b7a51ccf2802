"""Faults of a recipe: all of them together, each with its location, rule, value and remedy."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from deepbench_torch.arguments import Fault, FaultsError, Location
from deepbench_torch.priors.plain import NAMES
from deepbench_torch.recipes.messages import message_of, shown
from deepbench_torch.recipes.plain import copied

ROUNDS = 5  # of repairing what was wrong to find what else is

# Replacements of wrong values while further faults are searched
STAND_INS: dict[object, Any] = {
    "name": "recipe",
    "image": {"height": 8, "width": 8},
    "height": 8,
    "width": 8,
    "label": "present",
    "objects": {"star": {}},
    "sigma": 1.0,
    "exposure": 1.0,
    "visible": 0.5,
    "duration": 1.0,
    "steps": 1,
}


def validate(kind: type[BaseModel], plain: object) -> Any:
    """Return an instance of a class of recipes.

    Raises:
        pydantic.ValidationError: If the values do not fit; `find_faults` puts it into words.
    """
    return _adapter(kind).validate_python(plain)


@cache
def _adapter(kind: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def find_faults(kind: type[BaseModel], plain: object, *, source: str) -> list[str]:
    """Return every fault of a recipe, a line each; empty if it is valid.

    Wrong values are repaired, for the search only, until nothing new is found: some faults show
    only once others are gone.

    Args:
        kind: The class of the recipe.
        plain: The values of a YAML file, or what a user wrote in Python.
        source: Where they came from, for the message.
    """
    if not isinstance(plain, Mapping):
        return [
            f"{source}: expected a mapping of keys to values, got {shown(plain)}; "
            "write lines as in name: mine"
        ]
    found: list[Fault] = []
    mended = copied(plain)
    for _ in range(ROUNDS):
        new = _faults(kind, mended)
        locations = {fault.location for fault in found}
        fresh = [fault for fault in new if fault.location not in locations]
        if not fresh:
            break
        found += fresh
        for fault in fresh:
            _mend(mended, fault.location)
    return [str(fault) for fault in found]


def _faults(kind: type[BaseModel], plain: Mapping[str, Any]) -> list[Fault]:
    try:
        validate(kind, plain)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [
            fault
            for detail in details
            if not _follows(detail, details)
            for fault in _faults_of(kind, detail)
        ]
    return []


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a value is too short only because what it holds is wrong."""
    location = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location
        for other in details
    )


def _faults_of(kind: type[BaseModel], detail: ErrorDetails) -> list[Fault]:
    """Return the faults that one error of pydantic stands for."""
    location = tuple(name for name in detail["loc"] if name != "[key]")
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, FaultsError):
        return [Fault(location + fault.location, fault.message) for fault in cause.faults]
    return [Fault(location, message_of(kind, detail))]


def _mend(plain: dict[str, Any], location: Location) -> None:
    """Put a valid value at a location, or remove the value that is there."""
    if not location:
        return
    inner = [depth for depth, name in enumerate(location) if depth and name in NAMES]
    location = location[: inner[0]] if inner else location  # a prior is replaced as a whole
    if location[0] in ("count", "counts", "scene") or location == ("objects",):
        for key in ("count", "counts", "scene", "simplify"):
            plain.pop(key, None)
        plain["count"] = 1
        plain["label"] = "present"
        if location[0] != "objects":
            return
    if location[0] == "objects" and len(location) > 1 and isinstance(plain.get("counts"), dict):
        plain["counts"].pop(location[1], None)
    _put(plain, location)
    if plain.get("objects") == {}:
        plain["objects"] = copied(STAND_INS["objects"])


def _put(plain: dict[str, Any], location: Location) -> None:
    """Put a replacement at a location, or remove the value that is there."""
    holder: Any = plain
    for depth, name in enumerate(location):
        last = depth == len(location) - 1
        if not isinstance(holder, dict) or (not last and name not in holder):
            return
        if last and name in STAND_INS:
            holder[name] = copied(STAND_INS[name])
        elif last:
            holder.pop(name, None)
        else:
            holder = holder[name]
