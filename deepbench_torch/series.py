"""Time series: the rows of a SeriesRecipe, drawn, followed and measured."""

import torch
from torch import Tensor

from deepbench_torch import priors, rng
from deepbench_torch.physics.arguments import sample_times
from deepbench_torch.recipes import SeriesRecipe
from deepbench_torch.samples import SeriesSample


def follow_series(
    recipe: SeriesRecipe, *, seed: int, index: Tensor, device: torch.device
) -> SeriesSample:
    """The time series of some rows; series, label and index on `device`, the rest on the CPU.

    Args:
        recipe: What the series hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        device: Where the series are handed over.
    """
    parameters = _draw(recipe, seed=seed, index=index)
    record = recipe.definition.follow(parameters, recipe.clock, recipe.chosen)
    clean = record.series.float().to(device)
    return SeriesSample(
        series=clean.clone(),
        clean=clean,
        label=torch.stack(list(parameters.values()), dim=1).float().to(device),
        index=index.to(device),
        time=sample_times(recipe.time.duration, recipe.time.steps),
        parameters=parameters,
        kinetic=record.kinetic.float(),
        potential=record.potential.float(),
        recipe=recipe,
    )


def _draw(recipe: SeriesRecipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """By name, float64 of shape (B,), every parameter from a stream of its own."""
    streams = [f"{recipe.system}.{name}" for name in recipe.parameters]
    u = rng.uniform(seed, streams, index, 1)[..., 0]  # (B, K)
    drawn = priors.values(list(recipe.parameters.values()), u)
    columns = (column.contiguous() for column in drawn.unbind(1))
    return dict(zip(recipe.parameters, columns, strict=True))
