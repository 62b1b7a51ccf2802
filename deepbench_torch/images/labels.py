"""Labels of images: classes, or numbers that a network is to measure."""

from collections.abc import Mapping

import torch
from torch import Tensor

from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.groups import groups_of
from deepbench_torch.samples.image import total_light


def label_of(
    recipe: Recipe,
    shown: Tensor,
    *,
    scene: Mapping[str, Mapping[str, Tensor]],
    present: Mapping[str, Tensor],
    clean: Tensor,
    seed: int,
    index: Tensor,
) -> Tensor:
    """Return the labels of some images, on the CPU.

    Args:
        recipe: What the images hold.
        shown: Which kinds are present, float32, shape (B, kinds).
        scene: By kind and name, the parameters in pixels, shape (B, slots).
        present: By kind, which slots hold an object, bool, shape (B, slots).
        clean: Images without noise, float32, shape (B, H, W).
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        Class indices, int64, shape (B,); or float32, shape (B, K): which kinds are present, the
        total brightness, or the values of parameters.
    """
    if recipe.label == "class":
        return class_of(recipe, shown, seed=seed, index=index)
    if recipe.label == "present":
        return shown
    if recipe.label == "brightness":
        return total_light(clean).float().cpu()[:, None]
    paths = (name.split(".") for name in recipe.label)
    values = [first_value(scene[kind][name], present[kind]) for kind, name in paths]
    return torch.stack(values, dim=1).detach()


def class_of(recipe: Recipe, shown: Tensor, *, seed: int, index: Tensor) -> Tensor:
    """Return the group of each image, or the kind of its object, int64, shape (B,)."""
    if recipe.groups is not None:
        return groups_of(recipe, seed=seed, index=index)
    return shown.argmax(dim=1)


def first_value(values: Tensor, present: Tensor) -> Tensor:
    """Return the value of the first object in each image, NaN without one, shape (B,)."""
    first = present.int().argmax(dim=1, keepdim=True)
    return torch.where(present.any(1), values.gather(1, first)[:, 0], torch.nan)
