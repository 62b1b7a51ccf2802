"""Time series: the rows of a SeriesRecipe, sampled, simulated and measured."""

import math
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math, rng
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.physics.arguments import sample_times
from deepbench_torch.priors import Fixed, Normal
from deepbench_torch.recipes import SeriesRecipe
from deepbench_torch.recipes.series_priors import sample_priors
from deepbench_torch.samples import SeriesSample, own_rows
from deepbench_torch.systems import SampledSystems

# Numbers of series that are worked out at once, and that get their noise at once: many to be fast,
# few to bound the memory, which is some 250 MB beyond the series
CHUNK, NOISE_CHUNK = 1 << 22, 1 << 18
TURN = 6.283185307179586  # [radian]
# What noise may multiply a parameter by: what is more than 0 must stay so. Of normal numbers this
# cuts 1 in 10^22 off at a noise of 0.1, and 1 in 21 at the largest, 0.5
FACTOR = (0.01, 1.99)


def simulate_series(
    recipe: SeriesRecipe, *, seed: int, index: Tensor, device: torch.device
) -> SeriesSample:
    """Return the time series of some rows.

    Args:
        recipe: What the series hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        device: Where the series are handed over.
    """

    def part(rows: slice) -> SeriesSample:
        with torch.inference_mode():  # no gradient is needed: each small step costs less
            return _simulate(recipe, seed=seed, index=index[rows], device=device)

    first, *rest = _chunks(recipe, len(index), numbers=CHUNK)
    first_part = part(first)
    result = _empty_like(first_part, len(index))
    _copy_rows(first_part, result, rows=first)
    for rows in rest:
        _copy_rows(part(rows), result, rows=rows)
    return result


def _chunks(recipe: SeriesRecipe, count: int, *, numbers: int) -> list[slice]:
    """Yield all of some rows, so many at a time that their series have at most so many numbers."""
    rows = max(1, numbers // math.prod(recipe.shape))
    return [slice(start, start + rows) for start in range(0, max(count, 1), rows)]


def _simulate(
    recipe: SeriesRecipe, *, seed: int, index: Tensor, device: torch.device
) -> SeriesSample:
    system, setting = recipe.definition, recipe.setting
    sampled = system.initial_state(sample_priors(recipe, seed=seed, index=index), setting.options)
    used = perturb(recipe, sampled, seed=seed, index=index)
    clean = system.simulate(sampled, setting)
    moved = clean if used is sampled else system.simulate(used, setting)
    measured = _measure(recipe, moved.series, present=sampled.present, seed=seed, index=index)
    return SeriesSample(
        series=measured.to(device),
        clean=clean.series.float().to(device),
        label=_label(recipe, sampled.parameters).to(device),
        index=index.to(device),
        time=sample_times(setting.duration, setting.steps),
        parameters=sampled.parameters,
        used=used.parameters,
        present={} if sampled.present is None else {recipe.system: sampled.present},
        kinetic=clean.kinetic.float(),
        potential=clean.potential.float(),
        recipe=recipe,
    )


def _tensors(sample: SeriesSample) -> list[Tensor]:
    """Return all tensors of a sample that have a row for each of its."""
    single = [sample.series, sample.clean, sample.label, sample.index]
    named = (sample.parameters, sample.used, sample.present)
    return [*single, sample.kinetic, sample.potential, *chain(*(part.values() for part in named))]


def _copy_rows(part: SeriesSample, result: SeriesSample, *, rows: slice) -> None:
    for there, here in zip(_tensors(result), _tensors(part), strict=True):
        there[rows] = here


def _empty_like(sample: SeriesSample, count: int) -> SeriesSample:
    """Return room for some rows of the shapes and types of a sample."""

    def room(tensor: Tensor) -> Tensor:
        return tensor.new_empty((count, *tensor.shape[1:]))

    return replace(
        sample,
        series=room(sample.series),
        clean=room(sample.clean),
        label=room(sample.label),
        index=room(sample.index),
        time=sample.time.clone(),
        parameters={name: room(values) for name, values in sample.parameters.items()},
        used={name: room(values) for name, values in sample.used.items()},
        present={name: room(values) for name, values in sample.present.items()},
        kinetic=room(sample.kinetic),
        potential=room(sample.potential),
    )


def series_parameters(recipe: SeriesRecipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return the parameters and the present slots of some rows, without their motion.

    Args:
        recipe: What the series hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By their paths in a file, shape (B,) or (B, slots) each; see `SeriesSample.tables`.
    """
    sampled = sample_priors(recipe, seed=seed, index=index)
    systems = recipe.definition.initial_state(sampled, recipe.setting.options)
    system = recipe.system
    tables = {f"parameters/{system}/{name}": values for name, values in systems.parameters.items()}
    if systems.present is not None:
        tables[f"present/{system}"] = systems.present
    return tables


@independent_of_settings
def series_pairs(recipe: SeriesRecipe, seed: int, rows: list[int]) -> tuple[Tensor, list[Tensor]]:
    """Return the series (B, T, C) and the labels of some rows."""
    index = torch.tensor(rows, dtype=torch.int64, device="cpu")
    sample = simulate_series(recipe, seed=seed, index=index, device=torch.device("cpu"))
    return sample.series, own_rows(sample.label)


def perturb(
    recipe: SeriesRecipe, sampled: SampledSystems, *, seed: int, index: Tensor
) -> SampledSystems:
    """Return the parameters as they act, with their noise; as sampled, if there is none.

    Every parameter and slot has a stream of noise of its own, "noise.system.name.slot".

    Args:
        recipe: What the series hold.
        sampled: The systems.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        Systems; parameters with noise for every step have shape (B, T) or (B, T, slots).
    """
    if not recipe.noise.of_parameters:
        return sampled
    acting = {
        name: _noisy(recipe, name, values=sampled.parameters[name], seed=seed, index=index)
        for name in recipe.noise.of_parameters
    }
    return SampledSystems({**sampled.parameters, **acting}, sampled.present)


def _noisy(recipe: SeriesRecipe, name: str, *, values: Tensor, seed: int, index: Tensor) -> Tensor:
    """Return a parameter with its noise; angles are brought back to half a turn."""
    quantity = recipe.definition.fields[name]
    started_once = quantity.role == "start" and not recipe.definition.memoryless
    stepped = recipe.noise.draw == "step" and not started_once
    slots = recipe.slots if quantity.slots else 1
    streams = [
        rng.of_realization(f"noise.{recipe.system}.{name}.{slot}", recipe.realization)
        for slot in range(slots)
    ]
    u = rng.uniform(seed, streams, index, recipe.time.steps + 1 if stepped else 1)
    law = Normal(1.0, recipe.noise.of_parameters[name], *FACTOR)
    factor = law.icdf(u).transpose(1, 2)  # (B, T or 1, slots)
    result = values.view(len(index), 1, slots) * factor
    if quantity.turns:
        result = result - (result / TURN).round() * TURN
    result = result if quantity.slots else result[..., 0]
    return (result if stepped else result[:, 0]).contiguous()


def _measure(
    recipe: SeriesRecipe, series: Tensor, *, present: Tensor | None, seed: int, index: Tensor
) -> Tensor:
    """Return series with the noise of measurement, float32."""
    measured = torch.empty(series.shape, dtype=torch.float32, device=series.device)
    for rows in _chunks(recipe, len(index), numbers=NOISE_CHUNK):
        there = None if present is None else present[rows]
        noise = measurement_noise(recipe, there, seed=seed, index=index[rows])
        measured[rows] = series[rows] + noise
    return measured


def measurement_noise(
    recipe: SeriesRecipe, present: Tensor | None, *, seed: int, index: Tensor
) -> Tensor:
    """Return the noise of measurement, of a stream for every channel, "noise.channel".

    Args:
        recipe: What the series hold.
        present: Which slots hold a body, bool, shape (B, slots); what is absent has no noise.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        float64, shape (B, T, C), or a 0 if there is none.
    """
    channels = recipe.channels
    noise = recipe.noise.of_measurement
    if not noise:
        return torch.zeros((), dtype=torch.float64, device="cpu")
    streams = [
        rng.of_realization(f"noise.{channel.name}", recipe.realization) for channel in channels
    ]
    normal = exact_math.normal_quantile(rng.uniform(seed, streams, index, recipe.shape[0]))
    sigma = [noise.get(channel.quantity, 0.0) for channel in channels]
    error = normal.transpose(1, 2) * torch.tensor(
        sigma, dtype=torch.float64, device="cpu"
    )  # (B, T, C)
    if present is None:
        return error
    there = present[:, [channel.slot for channel in channels]]
    return torch.where(there[:, None], error, 0.0)


def _label(recipe: SeriesRecipe, parameters: dict[str, Tensor]) -> Tensor:
    """Return the parameters that differ side by side, float32, shape (B, K)."""
    every = next(iter(parameters.values()))
    columns = [every.new_empty(len(every), 0)]
    for name, prior in recipe.parameters.items():
        if not isinstance(prior, Fixed):
            values = parameters[name]
            columns.append(values if values.dim() == 2 else values[:, None])
    return torch.cat(columns, dim=1).float()
