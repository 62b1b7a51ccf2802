"""Samples of the priors of time series."""

from torch import Tensor

from deepbench_torch import priors
from deepbench_torch.numerics import rng
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe


def sample_priors(recipe: AbstractSeriesRecipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return samples of the priors by name, each from a stream of its own, "system.name".

    Args:
        recipe: What the series hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        float64, shape (B,), or (B, slots) for those of which every slot has its own.
    """
    streams = [f"{recipe.system}.{name}" for name in recipe.parameters]
    u = rng.uniform(seed, streams, index, recipe.slots)
    sampled = priors.values(list(recipe.parameters.values()), u)  # (B, parameters, slots)
    fields = recipe.definition.fields
    return {
        name: (sampled[:, number] if fields[name].slots else sampled[:, number, 0]).contiguous()
        for number, name in enumerate(recipe.parameters)
    }
