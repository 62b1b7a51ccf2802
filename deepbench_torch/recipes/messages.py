"""Messages of recipe faults: pydantic's errors in the form of this package."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from deepbench_torch.degrade import EFFECTS
from deepbench_torch.numerics.checks import Location, is_number, nearest
from deepbench_torch.priors.plain import REMEDY

# Examples of required keys
EXAMPLES = {
    "name": "name: mine",
    "image": "image: {height: 64, width: 64}",
    "label": "label: present",
    "objects": "objects: {star: {}}",
    "height": "height: 64",
    "width": "width: 64",
    "sigma": "sigma: 0.05",
    **{
        field: f"{field}: {effect.conditions[field].parameter.prior.support[0]:g}"
        for effect in EFFECTS
        for field in effect.conditions
        if effect.model_fields[field].is_required()
    },
    "visible": "visible: 0.5",
    "system": "system: pendulum",
    "time": "time: {duration: 10.0, steps: 200}",
    "duration": "duration: 10.0",
    "steps": "steps: 200",
}
FORM = "write it as in the packaged recipes"
FILLED = "add an entry, or omit the key"
TYPES = {
    "bool_type": ("true or false", "write one of them without quotes"),
    "tuple_type": ("a list", "write [a, b], or omit the key"),
    "string_type": ("a string", "write it in quotes"),
    "too_short": ("at least one entry", FILLED),
    "string_too_short": ("a non-empty string", "write at least one letter"),
    "string_pattern_mismatch": (
        "only letters, digits, '_', '.' and '-', and not dots alone",
        "remove spaces and other characters, or add a letter",
    ),
    "invalid_key": ("a key that is a string", "write it in quotes"),
}


def message_of(kind: type[BaseModel], detail: ErrorDetails) -> str:
    """Return the rule, the value found and the remedy of one error of pydantic.

    Args:
        kind: The class that was validated.
        detail: The error.
    """
    fault, found = detail["type"], detail["input"]
    if fault in TYPES:
        rule, remedy = TYPES[fault]
        return _form(rule, found, remedy)
    if fault in RULES:
        return RULES[fault](kind, detail)
    return _form("another value", found, FORM)


def short_repr(value: object) -> str:
    """Return the repr of a value on one short line, for messages."""
    return f"{' '.join(repr(value).split()):.60}"


def keys_of(kind: type[BaseModel], location: Location) -> list[str]:
    """Return the keys of the part of a recipe at a location."""
    for name in location:
        field = kind.model_fields.get(str(name))
        options = () if field is None else (field.annotation, *get_args(field.annotation))
        parts = [part for part in options if isinstance(part, type) and issubclass(part, BaseModel)]
        kind = parts[0] if parts else kind
    return list(kind.model_fields)


def _form(rule: str, found: object, remedy: str) -> str:
    return f"expected {rule}, got {short_repr(found)}; {remedy}"


def _missing(kind: type[BaseModel], detail: ErrorDetails) -> str:
    key = str(detail["loc"][-1])
    return f"expected a value, got none; write for example {EXAMPLES.get(key, key)}"


def _unknown_key(kind: type[BaseModel], detail: ErrorDetails) -> str:
    *location, key = detail["loc"]
    keys = keys_of(kind, tuple(location))
    if key == "extends" and not location:
        return (
            f"expected a complete recipe, got extends {short_repr(detail['input'])}; only a file "
            "that load_recipe reads may extend another, so write that recipe out with to_yaml()"
        )
    hint = nearest(key, keys).strip() or "remove it"
    return f"expected one of the keys {', '.join(keys)}, got {short_repr(key)}; {hint}"


def _mapping_of_keys(kind: type[BaseModel], detail: ErrorDetails) -> str:
    keys = keys_of(kind, detail["loc"])
    key = str(detail["loc"][-1]) if detail["loc"] else ""
    known = ", ".join(EXAMPLES[name] for name in keys if name in EXAMPLES)
    inner = f"{{{known}}}" if known else f"{{{keys[0]}: ...}}"
    example = f"write for example {EXAMPLES.get(key, inner)}"
    return _form(f"a mapping of the keys {', '.join(keys)}", detail["input"], example)


def _mapping_of_names(kind: type[BaseModel], detail: ErrorDetails) -> str:
    remedy = "write {} for all defaults" if detail["input"] is None else "write {name: value}"
    return _form("a mapping of names to values", detail["input"], remedy)


def _integer(kind: type[BaseModel], detail: ErrorDetails) -> str:
    return _form("a whole number", detail["input"], number_remedy(detail["input"], integer=True))


def _number(kind: type[BaseModel], detail: ErrorDetails) -> str:
    return _form("a number", detail["input"], number_remedy(detail["input"]))


def _finite(kind: type[BaseModel], detail: ErrorDetails) -> str:
    return _form("a finite number", detail["input"], "write a number without nan and inf")


def number_remedy(found: object, *, integer: bool = False) -> str:
    """Return the remedy for a value that is not a number, or not a whole number."""
    if isinstance(found, bool):
        return "write 1 or 0"
    if is_number(found):
        return "write it without quotes" if integer else REMEDY
    if isinstance(found, float):
        return "round it" if found == found and abs(found) < 1e18 else "write a smaller number"
    return "write a number as in 1 or 0.5" if not integer else "write a number as in 1 or 64"


def _bound(word: str, key: str) -> Callable[[type[BaseModel], ErrorDetails], str]:
    def message(kind: type[BaseModel], detail: ErrorDetails) -> str:
        bound = detail["ctx"][key]
        size = "larger" if key in ("gt", "ge") else "smaller"
        return _form(f"a number {word} {bound:g}", detail["input"], f"write a {size} number")

    return message


def _too_long(kind: type[BaseModel], detail: ErrorDetails) -> str:
    context: Mapping[str, Any] = detail["ctx"]
    return (
        f"expected at most {context['max_length']} entries, got {context['actual_length']}; "
        "remove some"
    )


def _choice(kind: type[BaseModel], detail: ErrorDetails) -> str:
    expected = detail["ctx"]["expected"]
    choices = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]
    hint = nearest(detail["input"], choices).strip() or "write one of them"
    return _form(expected, detail["input"], hint)


def _own(kind: type[BaseModel], detail: ErrorDetails) -> str:
    return str(detail["ctx"]["error"])


RULES: dict[str, Callable[[type[BaseModel], ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "model_type": _mapping_of_keys,
    "model_attributes_type": _mapping_of_keys,
    "dict_type": _mapping_of_names,
    "int_type": _integer,
    "int_from_float": _integer,
    "int_parsing_size": _integer,
    "float_type": _number,
    "finite_number": _finite,
    "greater_than": _bound(">", "gt"),
    "greater_than_equal": _bound(">=", "ge"),
    "less_than": _bound("<", "lt"),
    "less_than_equal": _bound("<=", "le"),
    "too_long": _too_long,
    "literal_error": _choice,
    "value_error": _own,
}


def user_stacklevel() -> int:
    """Return the `stacklevel` of the user's code, seen from the caller."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("deepbench_torch."):
        frame, depth = frame.f_back, depth + 1
    return depth
