"""What is wrong with a recipe: every fault with its place, what was found and what is allowed."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from deepbench_torch.arguments import is_number, nearest
from deepbench_torch.priors.plain import REMEDY

Place = tuple[int | str, ...]
ROUNDS = 5  # of mending what was wrong to find what else is

# What stands in for a wrong value while further faults are looked for
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
PHRASES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of names to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be letters, digits, '_', '.' and '-' only",
}


class Fault(NamedTuple):
    """One thing that is wrong: its place, and what must hold, was found and can be done."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place)) or 'recipe'}: {self.message}"


class FaultsError(ValueError):
    """Several faults at once, their places relative to what is checked."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


def find_faults(kind: type[BaseModel], plain: object, *, source: str) -> list[str]:
    """Everything that is wrong with a recipe, a line each; nothing if it is valid.

    What is wrong is mended, for the search only, until nothing new is found: some faults show only
    once others are gone.

    Args:
        kind: Which recipe it is to be.
        plain: What a YAML file holds.
        source: Where it came from, for the message.
    """
    if not isinstance(plain, Mapping):
        return [f"{source} must be a mapping of keys to values, got {plain!r:.60}"]
    found: list[Fault] = []
    mended = deepcopy(dict(plain))
    for _ in range(ROUNDS):
        new = _faults(kind, mended)
        places = {fault.place for fault in found}
        fresh = [fault for fault in new if fault.place not in places]
        if not fresh:
            break
        found += fresh
        for fault in fresh:
            _mend(mended, fault.place)
    return [str(fault) for fault in found]


def _faults(kind: type[BaseModel], plain: Mapping[str, Any]) -> list[Fault]:
    try:
        kind.model_validate(plain)
    except ValidationError as error:
        details = error.errors()
        return [
            fault
            for detail in details
            if not _follows(detail, details)
            for fault in _faults_of(kind, detail)
        ]
    return []


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether something is too short only because what it holds is wrong."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _faults_of(kind: type[BaseModel], detail: ErrorDetails) -> list[Fault]:
    """The faults that one error of pydantic stands for."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, FaultsError):
        return [Fault(detail["loc"] + fault.place, fault.message) for fault in cause.faults]
    return [Fault(detail["loc"], _message(kind, detail))]


def _message(kind: type[BaseModel], detail: ErrorDetails) -> str:
    fault, found = detail["type"], detail["input"]
    if fault == "extra_forbidden":
        keys = _keys(kind, detail["loc"][:-1])
        return (
            f"there is no such key, got {found!r:.60}; {nearest(detail['loc'][-1], keys)}"
            f"the keys here are {', '.join(keys)}"
        )
    if fault == "missing":
        return "must be given"
    if fault in ("model_type", "model_attributes_type"):
        keys = _keys(kind, detail["loc"])
        return f"must be a mapping of the keys {', '.join(keys)}, got {found!r:.60}"
    message = PHRASES.get(fault, detail["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "must be")
    if "got" not in message:
        message += f", got {found!r:.60}"
    if fault == "literal_error":
        message += f"; {nearest(found, _choices(detail))}".rstrip("; ")
    if fault == "float_type" and is_number(found):
        message += f"; {REMEDY}"
    if fault == "dict_type" and found is None:
        message += "; write {} for all defaults"
    return message


def _choices(detail: ErrorDetails) -> list[str]:
    return [part.strip("'") for part in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]


def _keys(kind: type[BaseModel], place: Place) -> list[str]:
    """The keys of the part of a recipe at a place."""
    for name in place:
        field = kind.model_fields.get(str(name))
        options = () if field is None else (field.annotation, *get_args(field.annotation))
        parts = [part for part in options if isinstance(part, type) and issubclass(part, BaseModel)]
        kind = parts[0] if parts else kind
    return list(kind.model_fields)


def _mend(plain: dict[str, Any], place: Place) -> None:
    """Put something valid at a place, or take away what is there."""
    if not place:
        return
    if place[0] in ("count", "counts", "scene") or place == ("objects",):
        for key in ("count", "counts", "scene", "simplify"):
            plain.pop(key, None)
        plain["count"] = 1
        plain["label"] = "present"
        if place[0] != "objects":
            return
    if place[0] == "objects" and len(place) > 1 and isinstance(plain.get("counts"), dict):
        plain["counts"].pop(place[1], None)
    _put(plain, place)
    if plain.get("objects") == {}:
        plain["objects"] = deepcopy(STAND_INS["objects"])


def _put(plain: dict[str, Any], place: Place) -> None:
    """A stand-in at a place, or nothing."""
    holder: Any = plain
    for depth, name in enumerate(place):
        last = depth == len(place) - 1
        if not isinstance(holder, dict) or (not last and name not in holder):
            return
        if last and name in STAND_INS:
            holder[name] = deepcopy(STAND_INS[name])
        elif last:
            holder.pop(name, None)
        else:
            holder = holder[name]
