"""The brightest object of each kind in an image, whose parameters a vector has."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import real_tensor
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes.given_scene import read_scene
from deepbench_torch.recipes.image_fields import AbstractImageRecipe

CONDITION = "conditions"


def read_images(
    recipe: AbstractImageRecipe,
    given: Any,
    present: Mapping[str, Any] | None,
    conditions: Mapping[str, Any] | None,
    names: Sequence[str],
) -> tuple[Tensor, Tensor]:
    """Return parameters of the brightest object of each kind, and conditions, of some images.

    Args:
        recipe: Recipe of the images.
        given: A sample, or a scene by kind and parameter.
        present: Which slots hold an object; None for a sample.
        conditions: Conditions by name; None for a sample.
        names: Names of N parameters, as "galaxy/radius" and "conditions/exposure".

    Returns:
        Values in pixels and radians, float64, shape (B, N), and whether an image has such an
        object, bool, shape (B, N).
    """
    if hasattr(given, "scene"):
        _check_size(recipe, given.recipe)
        scene, there, conditions = given.scene, given.present, given.conditions
    else:
        objects = read_scene(recipe, given, present, units="pixel")
        scene, there = objects.tables, objects.present
    rows = len(next(iter(there.values())))
    values = torch.empty(rows, len(names), dtype=torch.float64, device="cpu")
    exists = torch.empty(rows, len(names), dtype=torch.bool, device="cpu")
    for owner, places in _places(names).items():
        own = [names[place].split("/")[1] for place in places]
        if owner == CONDITION:
            columns = [_condition(conditions or {}, name, rows=rows) for name in own]
            values[:, places] = torch.stack(columns, dim=1)
            exists[:, places] = ~values[:, places].isnan()
            continue
        table, shown = scene[owner], there[owner]
        slot = brightest(owner, table, shown)
        columns = [table[name].detach().gather(1, slot) for name in own]
        values[:, places] = torch.cat(columns, dim=1).cpu().double()
        exists[:, places] = shown.any(1, keepdim=True).cpu()
    return values, exists


def _places(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of names by their owners."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name.split("/")[0], []).append(place)
    return places


def brightest(kind: str, table: Mapping[str, Tensor], present: Tensor) -> Tensor:
    """Return the slot of the object with the most light in each image, int64, shape (B, 1).

    The light is the flux of an object alone and whole. Objects of a kind without a formula of it
    are compared by their brightness. Of equal ones it is the first, and the first slot without an
    object.

    Args:
        kind: Kind of the objects.
        table: Their parameters by name, shape (B, slots).
        present: Which slots hold an object, bool, shape (B, slots).
    """
    best = _first(present)
    several = present.sum(1) > 1
    if bool(several.any()):
        there = present[several]
        light = _light(kind, {name: value[several].detach() for name, value in table.items()})
        light = torch.where(there, light.nan_to_num(nan=-torch.inf), -torch.inf)
        best[several] = _first(there & (light == light.amax(1, keepdim=True)))
    return best


def _light(kind: str, table: Mapping[str, Tensor]) -> Tensor:
    """Return the flux of objects, or their brightness, float64, shape (B, slots)."""
    definition = OBJECTS[kind]
    if definition.flux is not None:
        return definition.flux(*(table[name].double() for name in definition.fields))
    bright = [name for name, field in definition.fields.items() if field.role == "brightness"]
    return table[bright[0]].double()


def _first(mask: Tensor) -> Tensor:
    """Return the first index that is true, 0 if none is, shape (B, 1)."""
    return (mask & (mask.cumsum(1) == 1)).int().argmax(1, keepdim=True)


def _condition(conditions: Mapping[str, Any], name: str, *, rows: int) -> Tensor:
    """Return the values of a condition, float64, shape (rows,); NaN if it is not given."""
    if not isinstance(conditions, Mapping):
        raise ValueError(
            f"conditions: expected values by name, got {type(conditions).__name__}; pass a dict "
            "such as sample.conditions"
        )
    if name not in conditions:
        return torch.full((rows,), torch.nan, dtype=torch.float64, device="cpu")
    value = real_tensor(conditions[name], where=f"conditions.{name}").detach().cpu().double()
    if value.dim() > 1 or (value.dim() == 1 and len(value) != rows):
        raise ValueError(
            f"conditions.{name}: expected a number or shape ({rows},), got {tuple(value.shape)}; "
            "pass one value an image"
        )
    return value.expand(rows)


def _check_size(recipe: AbstractImageRecipe, other: Any) -> None:
    """Refuse a sample of another image size, whose pixels are others."""
    if other.image_size != recipe.image_size:
        raise ValueError(
            f"vector: expected a sample of {recipe.size_text}, got {other.size_text}; use "
            "sample.recipe.vector"
        )
