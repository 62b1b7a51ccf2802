"""Conditions that a user passes: checked, in pixels and radians, one value an image."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from deepbench_torch.degrade import CONDITIONS, scale_of
from deepbench_torch.degrade.conditions import LARGEST
from deepbench_torch.numerics.checks import nearest, real_tensor
from deepbench_torch.numerics.quantities import in_unit
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.degradation import gradient_reach
from deepbench_torch.recipes.given_scene import SceneUnits

_ROUNDING = 1e-6  # of a value that single precision rounded


def read_conditions(
    recipe: Recipe, given: Mapping[str, Any] | None, *, batch: int, units: SceneUnits = "pixel"
) -> dict[str, Tensor]:
    """Return the conditions that a user passed, float32, shape (B,) each.

    Args:
        recipe: The recipe, whose point spread is rendered as far as its priors reach.
        given: By name, a number, an astropy Quantity or shape (B,); None for no conditions.
        batch: B.
        units: "pixel" for pixels and radians, "recipe" for the fractions of a recipe.

    Raises:
        ValueError: If one is unknown, of another shape, unit or out of range.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(
            f"conditions: expected values by name, got {type(given).__name__}; pass a dict such as "
            "sample.conditions"
        )
    known = recipe.degrade.conditions
    for name in given or {}:
        if name not in known:
            hint = nearest(name, known).strip() or f"this recipe has {', '.join(known) or 'none'}"
            raise ValueError(f"conditions.{name}: expected a condition of {recipe.name}; {hint}")
    values = {
        name: _read(recipe, name, value, batch=batch, units=units)
        for name, value in (given or {}).items()
    }
    _check_gradient(recipe, values)
    return values


def _check_gradient(recipe: Recipe, values: Mapping[str, Tensor]) -> None:
    """Refuse a gradient that leaves photon noise with less than no light in a corner."""
    known = recipe.degrade.conditions
    both = {"gradient", "background"}
    if not both <= known.keys() or both.isdisjoint(values):
        return
    steepest, darkest = max(map(abs, known["gradient"].support)), known["background"].support[0]
    if "gradient" in values and len(values["gradient"]):
        steepest = float(values["gradient"].abs().max())
    if "background" in values and len(values["background"]):
        darkest = float(values["background"].min())
    most = darkest / gradient_reach(recipe.grid)
    if steepest > most * (1 + _ROUNDING):
        raise ValueError(
            f"conditions.gradient: expected at most {most:.3g}, or "
            f"photon noise would have less than no light in a corner, got {steepest:g}; raise the "
            "background"
        )


def _read(recipe: Recipe, name: str, value: Any, *, batch: int, units: SceneUnits) -> Tensor:
    """Return the values of one condition, float32, shape (B,)."""
    where, unit = f"conditions.{name}", CONDITIONS[name].parameter.unit
    named = ("pixel", "radian") if units == "pixel" else ("radian",)
    tensor = real_tensor(in_unit(value, unit if unit in named else "", where=where), where=where)
    if tensor.requires_grad:
        raise ValueError(
            f"{where}: expected numbers without gradients, which images have by parameters of "
            "objects alone, got a tensor that requires them; pass it detached"
        )
    scale = scale_of(name, recipe.grid) if units == "recipe" else 1.0
    number = (tensor.cpu().double() * scale).float()
    if number.dim() > 1 or (number.dim() == 1 and len(number) != batch):
        raise ValueError(
            f"{where}: expected a number or shape ({batch},), got {tuple(number.shape)}; pass one "
            "value an image"
        )
    _check(recipe, name, number)
    return number.expand(batch).clone()


def _check(recipe: Recipe, name: str, number: Tensor) -> None:
    """Refuse values out of range, or of a point spread that reaches farther than the recipe's."""
    where, field = f"conditions.{name}", CONDITIONS[name].parameter
    size = number.abs()
    usual = (size <= LARGEST) & ((size >= 1 / LARGEST) | (size == 0))
    wrong = number[~(field.allows(number) & usual)].flatten()
    if len(wrong):
        raise ValueError(
            f"{where}: expected {field.rule}, of size {1 / LARGEST:g} to {LARGEST:g}, got "
            f"{float(wrong[0]):g}; {field.remedy}"
        )
    low, high = (
        end * scale_of(name, recipe.grid) for end in recipe.degrade.conditions[name].support
    )
    if name == "fwhm" and bool((number > high * (1 + _ROUNDING)).any()):
        raise ValueError(
            f"{where}: expected at most {high:g} pixels, as far as the recipe renders, got "
            f"{float(number.max()):g}; raise the end of its prior in the recipe"
        )
    if name == "alpha" and bool((number < low * (1 - _ROUNDING)).any()):
        raise ValueError(
            f"{where}: expected at least {low:g}, as far as the recipe renders, got "
            f"{float(number.min()):g}; lower the end of its prior in the recipe"
        )
