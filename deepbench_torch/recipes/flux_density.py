"""Density of the amplitude of objects whose total light or magnitude has a prior."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.photometry import magnitude
from deepbench_torch.priors import Choice, Fixed, Integer, Prior, Uniform
from deepbench_torch.recipes.brightness import FLUX, brightness_names
from deepbench_torch.recipes.calibration import zero_point_of_sides
from deepbench_torch.recipes.given_scene import SceneUnits
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.units import pixel_frames

# of a flux, and of a magnitude: amplitude and sizes are rounded to single precision
TOLERANCE = 1e-5
_SLOPE = 2.5 / math.log(10.0)


def amplitude_log_prob(
    recipe: AbstractImageRecipe,
    kind: str,
    tables: Mapping[str, Tensor],
    *,
    name: str,
    prior: Prior,
    there: Tensor,
    units: SceneUnits,
) -> Tensor:
    """Return the log density of amplitudes, given the other parameters of the same objects.

    With the flux F = A U of an amplitude A, where U is the flux of an amplitude of 1, it is
    log p(F) + log U; with a magnitude m it is log p(m) + log(2.5 / (ln 10 A)). A discrete or fixed
    flux has a probability, which no unit changes.

    Args:
        recipe: The recipe.
        kind: The kind of the objects.
        tables: Their parameters by name, shape (B, slots).
        name: "flux" or "magnitude".
        prior: Its prior.
        there: Which slots hold an object, shape (B, slots).
        units: Units of the parameters.

    Returns:
        float64, shape (B, slots); 0 where there is no object.
    """
    unit = torch.where(there, _unit_flux(recipe, kind, tables=tables, units=units), 1.0)
    amplitude = torch.where(there, tables[brightness_names(kind)[0]].double(), 1.0)
    if name == FLUX:
        value, slope = amplitude * unit, unit.log()
        near = TOLERANCE * value.abs()
    else:
        value = magnitude(amplitude * unit, zero_point=zero_point_of_sides(recipe))
        slope = (_SLOPE / torch.where(amplitude > 0, amplitude, 1.0)).log()
        near = torch.full_like(value, TOLERANCE)
    density = _near_log_prob(prior, value, near=near)
    if not isinstance(prior, Choice | Integer | Fixed):
        density = density + slope
    return torch.where(there, density, 0.0)


def _unit_flux(
    recipe: AbstractImageRecipe, kind: str, *, tables: Mapping[str, Tensor], units: SceneUnits
) -> Tensor:
    """Return the flux of amplitudes of 1, in units of the recipe, float64."""
    definition = OBJECTS[kind]
    if definition.flux is None:
        raise TypeError(f"no flux of {kind}")
    numbers = []
    for name, frame in pixel_frames(kind, recipe.grid).items():
        value = tables[name].double()
        if name == brightness_names(kind)[0]:
            value = torch.ones_like(value)
        numbers.append(value if units == "pixel" else value * frame.scale + frame.shift)
    return definition.flux(*numbers) / recipe.grid.shorter**2


def _near_log_prob(prior: Prior, value: Tensor, *, near: Tensor) -> Tensor:
    """Return the log density of values; of those a little beyond an end, that of the end."""
    if isinstance(prior, Choice | Fixed):
        known = prior.values if isinstance(prior, Choice) else prior.support[:1]
        table = torch.tensor(known, dtype=torch.float64, device=value.device)
        table = table[prior.contains(table)]
        close = table[(value[..., None] - table).abs().argmin(-1)]
    elif isinstance(prior, Integer):
        close = value.round().clamp(prior.low, prior.high)
    else:
        low, high = prior.support
        last = math.nextafter(high, low) if isinstance(prior, Uniform) else high
        close = value.clamp(low, last)
    inside = (value - close).abs() <= near
    return torch.where(inside, prior.log_prob(close), -math.inf)
