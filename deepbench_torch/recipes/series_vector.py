"""Vectors of time series: the parameters of a system, slot by slot, in units of their priors."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.checks import as_tensor, nearest, real_tensor
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.priors import Fixed, LogUniform, PowerLaw
from deepbench_torch.priors.nodes import Nodes, evenly, mean_and_std, nodes
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe
from deepbench_torch.recipes.series_priors import sample_priors
from deepbench_torch.recipes.vector import Vector
from deepbench_torch.recipes.vector_parts import AnglePart, NumberPart, VectorPart, angle_moments
from deepbench_torch.systems.gravity import as_sampled

SAMPLED = 4096  # systems of seed 0 from which moments follow that have no closed form


@lru_cache(maxsize=64)
@independent_of_settings
def series_vector(recipe: AbstractSeriesRecipe) -> Vector:
    """Return the vector of a recipe of time series; see `Vector`.

    A parameter that the system changes after it is sampled, as "nbody" changes positions, has the
    mean and the variance of the first SAMPLED systems of seed 0.
    """
    places = _places(recipe)
    changed = _changed(recipe)
    parts: list[VectorPart] = []
    for path, place in places.items():
        values = changed[place] if place in changed else nodes(recipe.parameters[place[0]])
        if len(values.values) > 1 and bool((values.values != values.values[0]).any()):
            parts += _parts(recipe, path, place[0], values)
    return Vector(recipe.name, tuple(parts), partial(read_series, recipe, places))


def _places(recipe: AbstractSeriesRecipe) -> dict[str, tuple[str, int | None]]:
    """Return the parameter and the slot of each name of a vector."""
    fields = recipe.definition.fields
    names = [name for name, prior in recipe.parameters.items() if not isinstance(prior, Fixed)]
    return {
        f"{recipe.system}/{name}{'' if slot is None else slot}": (name, slot)
        for name in names
        for slot in (range(recipe.slots) if fields[name].slots else (None,))
    }


def _changed(recipe: AbstractSeriesRecipe) -> dict[tuple[str, int | None], Nodes]:
    """Return sampled values of the parameters that the system changes, by name and slot.

    Slots without a body do not count.
    """
    if recipe.definition.initial_state is as_sampled:
        return {}
    index = torch.arange(SAMPLED, dtype=torch.int64, device="cpu")
    sampled = sample_priors(recipe, seed=0, index=index)
    systems = recipe.definition.initial_state(dict(sampled), recipe.setting.options)
    changed: dict[tuple[str, int | None], Nodes] = {}
    for name, slot in _places(recipe).values():
        before, after = sampled[name], systems.parameters[name]
        if slot is not None:
            there = slice(None) if systems.present is None else systems.present[:, slot]
            before, after = before[:, slot][there], after[:, slot][there]
        if not torch.equal(before, after):
            changed[name, slot] = evenly(after)
    return changed


def _parts(
    recipe: AbstractSeriesRecipe, path: str, name: str, values: Nodes
) -> Iterator[VectorPart]:
    """Yield the part of a parameter."""
    quantity = recipe.definition.fields[name]
    if quantity.turns:
        period = 2 * math.pi
        found = angle_moments([(values, nodes(Fixed(1.0)))], period=period)
        if found is not None:
            yield AnglePart(
                name=path,
                unit=quantity.unit,
                period=period,
                start=-math.pi,
                means=found[0],
                stds=found[1],
            )
        return
    logarithmic = isinstance(recipe.parameters[name], LogUniform | PowerLaw)
    if logarithmic:
        values = values._replace(values=exact_math.log(values.values))
    mean, std = mean_and_std(values)
    yield NumberPart(name=path, unit=quantity.unit, mean=mean, std=std, logarithmic=logarithmic)


def read_series(
    recipe: AbstractSeriesRecipe,
    places: Mapping[str, tuple[str, int | None]],
    given: Any,
    present: Mapping[str, Any] | None,
    conditions: Mapping[str, Any] | None,
    names: Sequence[str],
) -> tuple[Tensor, Tensor]:
    """Return the parameters of some time series, by slot.

    Args:
        recipe: Recipe of the series.
        places: Parameter and slot of each name.
        given: A sample, or parameters by name.
        present: Which slots hold a body; None for a sample, or for all.
        conditions: Not used; time series have none.
        names: N names of a vector.

    Returns:
        Values, float64, shape (B, N), and whether a series has such a body, bool, (B, N).
    """
    if hasattr(given, "parameters"):
        given, present = given.parameters, given.present
    if not isinstance(given, Mapping):
        raise ValueError(
            f"vector: expected parameters by name, got {type(given).__name__}; pass a sample or "
            "sample.parameters"
        )
    there = (present or {}).get(recipe.system)
    columns, exists = [], []
    for name, slot in (places[path] for path in names):
        if name not in given:
            hint = nearest(name, given).strip() or "pass sample.parameters"
            raise ValueError(f"parameters: expected {name}, got {', '.join(given)}; {hint}")
        columns.append(_column(given[name], name, slot=slot))
        everywhere = torch.ones(len(columns[-1]), dtype=torch.bool, device="cpu")
        absent = there is None or slot is None
        exists.append(everywhere if absent else as_tensor(there)[:, slot].cpu())
    if not columns:
        rows = len(as_tensor(next(iter(given.values()))))
        nothing = torch.empty(rows, 0, dtype=torch.float64, device="cpu")
        return nothing, nothing.bool()
    return torch.stack(columns, dim=1), torch.stack(exists, dim=1)


def _column(values: Any, name: str, *, slot: int | None) -> Tensor:
    """Return the values of a parameter in one slot, float64, shape (B,)."""
    value = real_tensor(values, where=f"parameters.{name}").detach().cpu().double()
    if value.dim() != (1 if slot is None else 2):
        shape = "(B,)" if slot is None else "(B, slots)"
        raise ValueError(
            f"parameters.{name}: expected shape {shape}, got {tuple(value.shape)}; pass "
            "sample.parameters"
        )
    return value if slot is None else value[:, slot]
