"""Scenes that a user passes: objects by kind and parameter, checked and in one form."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from deepbench_torch.numerics.checks import as_tensor, nearest, real_tensor
from deepbench_torch.numerics.quantities import in_units
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors.parameter import plain_unit
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.units import UNITS

SceneUnits = Literal["pixel", "recipe"]
Scene = Mapping[str, Mapping[str, Any]]
Present = Mapping[str, Any]


class GeneratedScene(Mapping[str, Mapping[str, Tensor]]):
    """A scene that knows which of its slots hold an object."""

    __slots__ = ()

    @property
    @abstractmethod
    def present(self) -> Mapping[str, Tensor]:
        """Mask of the slots that hold an object by kind, bool, shape (B, slots)."""


class GivenScene(NamedTuple):
    """The objects of B images, all kinds with one number of slots.

    Attributes:
        tables: Parameters by kind and name, in the units given, float, shape (B, slots); NaN where
            a kind was left out.
        present: Mask of the slots that hold an object by kind, bool, shape (B, slots).
    """

    tables: dict[str, dict[str, Tensor]]
    present: dict[str, Tensor]

    def shown(self) -> Tensor:
        """Return which kinds have an object in an image, bool, shape (B, kinds)."""
        return torch.stack([there.any(1) for there in self.present.values()], dim=1)


def read_scene(
    recipe: AbstractImageRecipe,
    scene: Scene,
    present: Present | None,
    *,
    units: SceneUnits,
    batch: int | None = None,
) -> GivenScene:
    """Return a user's objects in one form. Values are not compared with any range.

    Args:
        recipe: Recipe whose kinds they are.
        scene: By kind and name, all parameters of the kind, shape (B, slots), or (B,) for one slot.
            A kind left out has no objects.
        present: By kind, which slots hold an object. If None, those that a generated scene has;
            of any other scene those whose parameters are not all NaN.
        units: "pixel" for pixels and radians, "recipe" for the units of the recipe.
        batch: Number of images, if it is known.

    Raises:
        ValueError: If a kind or a parameter is unknown or missing, or a shape does not fit.
    """
    if units not in ("pixel", "recipe"):
        raise ValueError(f"units: expected 'pixel' or 'recipe', got {units!r}; use one of these")
    for name, given in (("scene", scene), ("present", {} if present is None else present)):
        if not isinstance(given, Mapping):
            raise ValueError(
                f"{name}: expected tensors by kind, got {type(given).__name__}; pass a dict such "
                "as sample.scene or sample.present"
            )
        _check_kinds(name, given, known=recipe.kinds)
    if present is None and isinstance(scene, GeneratedScene):
        present = scene.present
    named = {kind: _read_kind(kind, scene[kind], units=units) for kind in scene}
    there = {
        kind: _read_present(kind, named.get(kind), present=present or {}) for kind in recipe.kinds
    }
    return _aligned(recipe, named, present=there, batch=batch)


def _check_kinds(where: str, kinds: Iterable[object], *, known: list[str]) -> None:
    for kind in kinds:
        if kind not in known:
            hint = nearest(kind, known).strip() or "add it to the objects of the recipe"
            raise ValueError(
                f"{where}: expected kinds of the recipe, {', '.join(known)}, got {kind!r:.60}; "
                f"{hint}"
            )


def _read_kind(kind: str, values: Mapping[str, Any], *, units: SceneUnits) -> dict[str, Tensor]:
    """Return the parameters of a kind in order, shape (B, slots)."""
    if not isinstance(values, Mapping):
        raise ValueError(
            f"scene.{kind}: expected tensors by parameter, got {type(values).__name__}; pass "
            f"{', '.join(OBJECTS[kind].fields)} in a dict"
        )
    OBJECTS[kind].check_names(values)
    fields = OBJECTS[kind].fields
    names = {
        name: UNITS[field.role].name if units == "recipe" else plain_unit(field.unit)
        for name, field in fields.items()
    }
    plain = in_units(f"scene.{kind}", {name: values[name] for name in fields}, names)
    tensors = {name: _matrix(f"scene.{kind}.{name}", value) for name, value in plain.items()}
    _check_shapes(kind, tensors)
    return tensors


def _matrix(where: str, value: Any) -> Tensor:
    """Return numbers as a float tensor of shape (B, slots)."""
    tensor = real_tensor(value, where=where)
    if tensor.dim() not in (1, 2):
        raise ValueError(
            f"{where}: expected shape (B,) or (B, slots), got {tuple(tensor.shape)}; for one image "
            "pass tensors of one element"
        )
    floating = tensor if tensor.is_floating_point() else tensor.double()
    return floating[:, None] if floating.dim() == 1 else floating


def _check_shapes(kind: str, tensors: Mapping[str, Tensor]) -> None:
    (first, *others) = tensors.items()
    for name, tensor in others:
        if tensor.shape != first[1].shape:
            raise ValueError(
                f"scene.{kind}.{name}: expected the shape of {kind}.{first[0]}, "
                f"{tuple(first[1].shape)}, got {tuple(tensor.shape)}; use one shape for all"
            )


def _read_present(
    kind: str, named: Mapping[str, Tensor] | None, *, present: Present
) -> Tensor | None:
    """Return which slots of a kind hold an object; None for a kind that is left out."""
    if kind not in present:
        if named is None:
            return None
        return ~torch.stack([value.isnan() for value in named.values()]).all(0)
    mask = as_tensor(present[kind])
    mask = mask[:, None] if mask.dim() == 1 else mask
    if mask.dtype != torch.bool:
        raise ValueError(
            f"present.{kind}: expected True and False, got {mask.dtype}; convert it with .bool()"
        )
    if named is None:
        if bool(mask.any()):
            raise ValueError(
                f"present.{kind}: expected no object of a kind without parameters, got some; pass "
                f"scene[{kind!r}] too"
            )
        return None
    first = next(iter(named.values()))
    shape = first.shape
    if mask.shape != shape:
        raise ValueError(
            f"present.{kind}: expected the shape of the parameters, {tuple(shape)}, got "
            f"{tuple(mask.shape)}; pass one value for each slot"
        )
    return mask.to(first.device)


def _aligned(
    recipe: AbstractImageRecipe,
    named: Mapping[str, Mapping[str, Tensor]],
    *,
    present: Mapping[str, Tensor | None],
    batch: int | None,
) -> GivenScene:
    """Return all kinds of the recipe with one batch and one number of slots."""
    shapes = {kind: there.shape for kind, there in present.items() if there is not None}
    if batch is None and not shapes:
        raise ValueError("scene: expected objects of at least one kind, got none; pass some")
    count = next(iter(shapes.values()))[0] if batch is None else batch
    for kind, shape in shapes.items():
        if shape[0] != count:
            rule = "as of the other kinds" if batch is None else "one for each number of index"
            raise ValueError(
                f"scene.{kind}: expected {count} images, {rule}, got {shape[0]}; pass tensors "
                f"of shape ({count},) or ({count}, slots)"
            )
    slots = max((shape[1] for shape in shapes.values()), default=1)
    devices = [there.device for there in present.values() if there is not None]
    device = devices[0] if devices else torch.device("cpu")
    nothing = torch.zeros(count, 0, dtype=torch.float32, device=device)
    tables, masks = {}, {}
    for kind in recipe.kinds:
        own = named.get(kind) or dict.fromkeys(OBJECTS[kind].fields, nothing)
        given = present[kind]
        there = nothing.bool() if given is None else given
        extra = (0, slots - there.shape[1])
        masks[kind] = pad(there, extra, value=False) if extra[1] else there
        tables[kind] = {
            name: pad(value, extra, value=torch.nan) if extra[1] else value
            for name, value in own.items()
        }
    return GivenScene(tables, masks)
