"""Groups: classes of images, each with its own numbers of objects."""

import math

import torch
from torch import Tensor

from deepbench_torch.numerics import rng
from deepbench_torch.recipes.image_fields import AbstractImageRecipe

GROUP_STREAM = "scene.group"


def group_ends(recipe: AbstractImageRecipe) -> list[float]:
    """Return the shares of the groups up to each, the last of which is 1; [1] without groups."""
    weights = recipe.group_weights or [1.0]
    total = math.fsum(weights)
    return [math.fsum(weights[: place + 1]) / total for place in range(len(weights))]


def groups_of(recipe: AbstractImageRecipe, *, seed: int, index: Tensor) -> Tensor:
    """Return the group of some rows, as the kernels choose it, int64, shape (B,).

    Args:
        recipe: A recipe with `groups`.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    u = rng.uniform(seed, (GROUP_STREAM,), index, 1)[:, 0]
    ends = torch.tensor(group_ends(recipe)[:-1], dtype=torch.float64, device="cpu")
    return (u >= ends).sum(1)
