"""A JSON schema of recipes, so that an editor completes and checks them."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from deepbench_torch.degrade import Effect
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import PRIORS, Choice, Prior
from deepbench_torch.priors.parameter import Parameter, meaning_of
from deepbench_torch.recipes.brightness import fields_of
from deepbench_torch.recipes.degradation import PointSpread
from deepbench_torch.recipes.part import Part
from deepbench_torch.recipes.recipe import Recipe
from deepbench_torch.recipes.series import SeriesRecipe
from deepbench_torch.systems import SYSTEMS

FILE = "recipe.schema.json"
PRIOR = {"$ref": "#/$defs/Prior"}
NUMBER: dict[str, Any] = {"type": "number"}


def packaged_schema() -> str:
    """Return the text of the packaged schema file."""
    return (files("deepbench_torch.recipes") / FILE).read_text(encoding="utf-8")


def schema_text() -> str:
    """Return the text of the schema that the code defines; a test compares the packaged file."""
    return json.dumps(recipe_schema(), indent=1) + "\n"


def recipe_schema() -> dict[str, Any]:
    """Return the schema of a recipe's YAML: of time series if it names a system, else of images."""
    image, series = _model_schema(Recipe), _model_schema(SeriesRecipe)
    definitions = {**image.pop("$defs", {}), **series.pop("$defs", {}), "Prior": _prior()}
    _describe(image, Recipe)
    _describe(series, SeriesRecipe)
    image["properties"] |= {
        "objects": {**_kinds(nullable=True), "description": _about(Recipe, "objects")},
        "scene": _scene(),
        "counts": _counts(),
        "groups": {
            "type": ["object", "null"],
            "additionalProperties": _counts() | {"type": "object"},
            "description": _about(Recipe, "groups"),
        },
        "count": {
            "anyOf": [PRIOR, {"type": "null"}],
            "description": _about(Recipe, "count"),
        },
    }
    series["properties"] |= {
        "system": {"enum": list(SYSTEMS), "description": _about(SeriesRecipe, "system")},
        "parameters": _parameters(),
    }
    for part, required in ((image, []), (series, ["system", "time"])):
        part["properties"] = {"extends": EXTENDS, **part["properties"]}
        part.pop("required", None)
        part["anyOf"] = [{"required": ["extends"]}, {"required": ["name", *required]}]
    image["anyOf"] = [
        {"required": ["extends"]},
        *({"required": ["name", "image", "label", rule]} for rule in ("objects", "scene")),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recipe of deepbench_torch",
        "type": "object",
        "if": {"anyOf": [{"required": [key]} for key in ("system", "time", "parameters")]},
        "then": {"$ref": "#/$defs/SeriesRecipe"},
        "else": {"$ref": "#/$defs/Recipe"},
        "$defs": {"Recipe": image, "SeriesRecipe": series, **definitions},
    }


EXTENDS = {
    "type": "string",
    "description": "Packaged recipe, or YAML file beside this one, that this one changes. "
    "null removes a key of it.",
}


def _model_schema(kind: type[BaseModel]) -> dict[str, Any]:
    """Return pydantic's schema of a recipe; the caller adds the forms of priors."""
    schema = kind.model_json_schema(mode="validation")
    schema.pop("title", None)
    parts = {part.__name__: part for part in _parts(Part)}
    for name, part in schema.get("$defs", {}).items():
        part.pop("title", None)
        part["properties"] |= _settings(parts[name])
        if name == PointSpread.__name__:
            part["properties"] |= _ARRAYS
        _describe(part, parts[name])
    return schema


def _parts(kind: type[Part]) -> Iterator[type[Part]]:
    for part in kind.__subclasses__():
        yield part
        yield from _parts(part)


def _settings(kind: type[Part]) -> dict[str, Any]:
    """Return the schemas of the fields of an effect: a number in range, or a prior."""
    if not issubclass(kind, Effect):
        return {}
    effect: type[Effect] = kind
    return {
        field: {"anyOf": [_number(each.parameter), {"allOf": [PRIOR, {"type": "object"}]}]}
        for field, each in effect.conditions.items()
    }


def _number(field: Parameter) -> dict[str, Any]:
    """Return the schema of a number in the range of a parameter."""
    bounds = {"exclusiveMinimum": field.gt, "minimum": field.ge}
    return NUMBER | {key: end for key, end in bounds.items() if end is not None}


_ARRAYS: dict[str, Any] = {
    "file": {"type": "string"},
    "array": {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "array", "items": NUMBER}},
        ]
    },
}


def _describe(schema: dict[str, Any], kind: type[BaseModel]) -> None:
    """Add the attribute descriptions of the docstring to the keys."""
    schema["description"] = (kind.__doc__ or "").split("\n")[0]
    for name, part in list(schema["properties"].items()):
        part.pop("title", None)
        if name not in kind.model_fields or not kind.model_fields[name].is_required():
            part = schema["properties"][name] = _nullable(part)
        about = _about(kind, name)
        if about:
            part["description"] = about


def _nullable(part: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a key that may be null, which leaves it out."""
    if {"type": "null"} in part.get("anyOf", []):
        return part
    return {"anyOf": [part, {"type": "null"}]}


def _about(kind: type[BaseModel], name: str) -> str:
    """Return the description of a field, or of an attribute in the docstring of a class or base."""
    field = kind.model_fields.get(name)
    if field is not None and field.description is not None:
        return field.description
    for owner in kind.__mro__:
        meaning = meaning_of(name, owner.__doc__ or "")
        if meaning:
            return meaning
    return ""


def _prior() -> dict[str, Any]:
    forms = [_prior_form(kind) for kind in PRIORS]
    return {
        "description": "A number, or the distribution from which it is sampled.",
        "anyOf": [NUMBER, *forms],
    }


def _prior_form(kind: type[Prior]) -> dict[str, Any]:
    """Return the schema of a prior by its name, with arguments in order or by name."""
    arguments = fields(kind)  # type: ignore[arg-type]
    required = [field.name for field in arguments if field.default is MISSING]
    numbers = {"type": "array", "items": NUMBER, "minItems": 1}
    by_name = {
        "type": "object",
        "properties": {field.name: numbers if kind is Choice else NUMBER for field in arguments},
        "required": required,
        "additionalProperties": False,
    }
    in_order = numbers
    if kind is not Choice:
        in_order = {**numbers, "minItems": len(required), "maxItems": len(arguments)}
    forms = [in_order, by_name, *([NUMBER] if len(arguments) == 1 else [])]
    return {
        "type": "object",
        "description": (kind.__doc__ or "").split("\n")[0],
        "properties": {kind.name: {"anyOf": forms}},
        "required": [kind.name],
        "additionalProperties": False,
    }


def _kinds(*, nullable: bool) -> dict[str, Any]:
    """Return the schema of kinds of objects with the priors of their parameters."""
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {kind: _kind(kind, nullable=nullable) for kind in OBJECTS},
        "additionalProperties": False,
    }


def _kind(kind: str, *, nullable: bool) -> dict[str, Any]:
    return {
        "type": ["object", "null"] if nullable else "object",
        "properties": {
            name: {
                "anyOf": [PRIOR, {"type": "null"}] if nullable else [PRIOR],
                "description": f"{field.role}, {field.range}",
            }
            for name, field in fields_of(kind).items()
        },
        "additionalProperties": False,
    }


def _scene() -> dict[str, Any]:
    one = _kinds(nullable=False) | {"maxProperties": 1}
    return {
        "type": ["array", "null"],
        "minItems": 1,
        "items": one,
        "description": _about(Recipe, "scene"),
    }


def _counts() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "properties": {kind: {"anyOf": [PRIOR, {"type": "null"}]} for kind in OBJECTS},
        "additionalProperties": False,
        "description": _about(Recipe, "counts"),
    }


def _parameters() -> dict[str, Any]:
    names = dict.fromkeys(name for system in SYSTEMS.values() for name in system.fields)
    return {
        "type": "object",
        "properties": {name: {"anyOf": [PRIOR, {"type": "null"}]} for name in names},
        "additionalProperties": False,
        "description": _about(SeriesRecipe, "parameters"),
    }


if __name__ == "__main__":
    Path(__file__).with_name(FILE).write_text(schema_text(), encoding="utf-8")
