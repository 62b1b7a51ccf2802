"""Joint density of the parameters of scenes and of time series under the priors of a recipe."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from deepbench_torch.numerics.checks import nearest, real_tensor
from deepbench_torch.priors import Choice, Fixed, Integer, Prior, Uniform
from deepbench_torch.recipes.brightness import stand_ins
from deepbench_torch.recipes.flux_density import amplitude_log_prob
from deepbench_torch.recipes.given_scene import Present, Scene, SceneUnits, read_scene
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe
from deepbench_torch.recipes.units import PixelFrame, pixel_frames
from deepbench_torch.systems.gravity import as_sampled

SAME = PixelFrame(1.0, 0.0)  # no other unit


def scene_log_prob(
    recipe: AbstractImageRecipe, scene: Scene, present: Present | None, *, units: SceneUnits
) -> Tensor:
    """Return the joint log density of scenes; see `Recipe.log_prob`."""
    if recipe.simplify is not None:
        raise ValueError(
            f"log_prob: expected a recipe without simplify, got {recipe.name} with it; the density "
            "of simplified scenes has no closed form, so use recipe.replace(simplify=None)"
        )
    _check_shared(recipe)
    given = read_scene(recipe, scene, present, units=units)
    total, grid = _log_arrangement(recipe, given.present), recipe.grid
    for kind, name, prior, slots in _priors(recipe):
        own, there = given.tables[kind], given.present[kind][:, slots]
        is_shared = name in (recipe.shared or {}).get(kind, ())
        if name in stand_ins(kind):
            here = {key: value[:, slots] for key, value in own.items()}
            density = amplitude_log_prob(
                recipe, kind, here, name=name, prior=prior, there=there, units=units
            )
            total = total + density.sum(1)
            continue
        value = own[name][:, slots]
        frame = pixel_frames(kind, grid)[name] if units == "pixel" else SAME
        density = rounded_log_prob(prior, value, frame)
        if not isinstance(prior, Choice | Integer | Fixed):
            density = density - math.log(frame.scale)
        density = torch.where(there, density, 0.0)
        if is_shared:
            density = _log_shared(value, density, there=there)
        total = total + density.sum(1)
    return total


def _check_shared(recipe: AbstractImageRecipe) -> None:
    """Refuse shared fluxes and magnitudes: the density of the amplitudes is not known."""
    for kind, names in (recipe.shared or {}).items():
        for name in names:
            if name in stand_ins(kind):
                raise ValueError(
                    f"log_prob: expected {kind} without a shared {name}, got {recipe.name} with "
                    "it; the density of the amplitudes that follow is not known"
                )


def _log_shared(value: Tensor, density: Tensor, *, there: Tensor) -> Tensor:
    """Return the density of one value that the objects of an image share, shape (B, slots).

    It counts once, in the first slot with an object; objects of other values are impossible.
    """
    first = there & (there.cumsum(1) == 1)
    own = torch.where(first, value, 0.0).sum(1, keepdim=True)
    same = (value == own) | ~there
    return torch.where(same, torch.where(first, density, 0.0), -math.inf)


def _priors(recipe: AbstractImageRecipe) -> Iterator[tuple[str, str, Prior, slice]]:
    """Yield the prior of each parameter of a kind, and the slots in which it holds."""
    if recipe.scene is None:
        for kind, priors in recipe.objects.items():
            for name, prior in priors.items():
                yield kind, name, prior, slice(None)
        return
    for slot, part in enumerate(recipe.scene):
        for kind, priors in part.items():
            for name, prior in priors.items():
                yield kind, name, prior, slice(slot, slot + 1)


def _log_arrangement(recipe: AbstractImageRecipe, present: Mapping[str, Tensor]) -> Tensor:
    """Return the log probability that objects of these kinds are in these slots, shape (B,)."""
    if recipe.scene is not None:
        return _log_listed(recipe, torch.stack(list(present.values()), dim=1))
    if recipe.counts is not None:
        return _log_counts(recipe.counts, present)
    if recipe.groups is not None:
        frequencies = recipe.group_weights
        logs = [
            _log_counts(counts, present) + math.log(weight / math.fsum(frequencies))
            for counts, weight in zip(recipe.groups.values(), frequencies, strict=True)
            if weight > 0
        ]
        return torch.stack(logs).logsumexp(0)
    table = torch.stack(list(present.values()))  # (K, B, slots)
    single = (table.sum(0) <= 1).all(1)  # one object in a slot, of any kind
    weights = torch.tensor(recipe.kind_weights, dtype=torch.float64, device=table.device)
    shares = (weights / weights.sum()).log()[:, None]
    kinds = torch.where(table.any(2), table.sum(2) * shares, 0.0).sum(0)
    number = _log_number(recipe.count or Fixed(0), table.any(0))
    return torch.where(single, number + kinds, -math.inf)


def _log_counts(counts: Mapping[str, Prior], present: Mapping[str, Tensor]) -> Tensor:
    """Return the log probability of numbers by kind, none of a kind without one, shape (B,)."""
    none = Fixed(0)
    return torch.stack(
        [_log_number(counts.get(kind, none), there) for kind, there in present.items()]
    ).sum(0)


def _log_number(prior: Prior, there: Tensor) -> Tensor:
    """Return the log probability that the first slots, and these alone, hold an object."""
    number = there.sum(1).double()
    slots = torch.arange(there.shape[1], dtype=torch.int64, device=there.device)
    first = (there == (slots < number[:, None])).all(1)
    return torch.where(first, prior.log_prob(number), -math.inf)


def _log_listed(recipe: AbstractImageRecipe, table: Tensor) -> Tensor:
    """Return 0 where the slots hold the listed objects, else -inf, from a table (B, K, slots)."""
    kinds = [kind for part in recipe.scene or () for kind in part]
    listed = torch.tensor(
        [[kind == name for kind in kinds] for name in recipe.objects],
        dtype=torch.bool,
        device=table.device,
    )
    size = max(len(kinds), table.shape[2])
    wanted, found = (pad(each, (0, size - each.shape[-1])) for each in (listed, table))
    same = (wanted == found).flatten(1).all(1)
    return torch.where(same, 0.0, -math.inf).double()


def rounded_log_prob(prior: Prior, value: Tensor, frame: PixelFrame) -> Tensor:
    """Return the log density of values that may have been rounded to single precision.

    A value is possible if rounding to float32 gives the same number as for a possible value.

    Args:
        prior: Prior in the units of a recipe.
        value: Values in another unit, any shape and float dtype.
        frame: Conversion from the units of the recipe to this one.

    Returns:
        float64, the density per unit of the recipe, or the probability of a discrete value.
    """
    number = (value.double() - frame.shift) / frame.scale
    rounded = frame.rounded(value)
    if isinstance(prior, Choice | Integer | Fixed):
        close = _closest(prior, number)
        same = frame.rounded(close * frame.scale + frame.shift) == rounded
        return torch.where(same, prior.log_prob(close), -math.inf)
    low, high = prior.support
    last = math.nextafter(high, low) if isinstance(prior, Uniform) else high
    ends = torch.tensor([low, high], dtype=torch.float64, device=value.device)
    first, end = frame.rounded(ends * frame.scale + frame.shift)
    inside = (rounded >= first) & (rounded <= end)
    return torch.where(inside, prior.log_prob(number.clamp(low, last)), -math.inf)


def _closest(prior: Prior, number: Tensor) -> Tensor:
    """Return the possible value of a discrete prior that is closest to each number."""
    if isinstance(prior, Integer):
        return number.round().clamp(prior.low, prior.high)
    values = prior.values if isinstance(prior, Choice) else prior.support[:1]
    table = torch.tensor(values, dtype=torch.float64, device=number.device)
    table = table[prior.contains(table)]
    same = number[..., None] == table  # infinity less infinity is nan
    distance = torch.where(same, 0.0, (number[..., None] - table).abs())
    return table[distance.argmin(-1)]


def series_log_prob(recipe: AbstractSeriesRecipe, parameters: Mapping[str, Any]) -> Tensor:
    """Return the joint log density of the parameters of time series."""
    if recipe.definition.initial_state is not as_sampled:
        raise ValueError(
            f"log_prob: expected a system whose parameters are the values of the priors, got "
            f"{recipe.system}, which changes them after sampling; use Prior.log_prob of "
            "recipe.parameters for single values before that"
        )
    _check_names(recipe, parameters)
    total = None
    for name, prior in recipe.parameters.items():
        value = real_tensor(parameters[name], where=f"parameters.{name}")
        if value.dim() != 1:
            raise ValueError(
                f"parameters.{name}: expected shape (B,), got {tuple(value.shape)}; for one series "
                "pass tensors of one element"
            )
        log = rounded_log_prob(prior, value, SAME)
        total = log if total is None else total + log
    if total is None:
        raise ValueError("log_prob: expected a recipe with parameters, got none")
    return total


def _check_names(recipe: AbstractSeriesRecipe, parameters: Mapping[str, Any]) -> None:
    known = list(recipe.parameters)
    if not isinstance(parameters, Mapping) or set(parameters) != set(known):
        names = list(parameters) if isinstance(parameters, Mapping) else []
        wrong = next((name for name in names if name not in known), None)
        hint = nearest(wrong, known).strip() or "pass sample.parameters"
        found = ", ".join(map(str, names)) or type(parameters).__name__
        raise ValueError(f"parameters: expected {', '.join(known)}, got {found:.200}; {hint}")
