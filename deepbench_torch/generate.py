"""generate(): the one place where rows are made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor

from deepbench_torch.images import draw_images
from deepbench_torch.numerics import rng
from deepbench_torch.numerics.checks import check_device, check_integer
from deepbench_torch.numerics.quantities import pixels
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes import (
    LARGEST_SIDE,
    AbstractRecipe,
    Recipe,
    SeriesRecipe,
    load_recipe,
)
from deepbench_torch.samples import AbstractSample, Sample, SeriesSample
from deepbench_torch.series import follow_series

# Stored in files. It grows whenever any pixel or parameter comes out otherwise than before.
GENERATOR_VERSION = 3


_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)

ImageSize = int | tuple[int, int] | None


@overload
def generate(
    recipe: Recipe,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    device: str | torch.device = "cpu",
) -> Sample: ...
@overload
def generate(
    recipe: SeriesRecipe,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    device: str | torch.device = "cpu",
) -> SeriesSample: ...
@overload
def generate(
    recipe: AbstractRecipe,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    device: str | torch.device = "cpu",
) -> AbstractSample: ...
@overload
def generate(
    recipe: str | Path,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    device: str | torch.device = "cpu",
) -> Any: ...
@independent_of_settings
def generate(
    recipe: str | Path | AbstractRecipe,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    device: str | torch.device = "cpu",
) -> AbstractSample:
    """Rows of a catalogue. Row i depends on recipe, seed and index[i] and on nothing else.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), from 0 on, in any order; B may be 0.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        device: Where images are drawn, and where series, label and index are handed over.
            Parameters and motion are always worked out on the CPU.

    Returns:
        A Sample of images or a SeriesSample of time series; parameters stay on the CPU.

    Raises:
        ValueError: If recipe, seed, index or size are not as above.
    """
    chosen = resize(load_recipe(recipe), image_size)
    seed = check_seed(seed)
    rows = checked_index(index)
    device = check_device(device)
    if isinstance(chosen, SeriesRecipe):
        return follow_series(chosen, seed=seed, index=rows, device=device)
    if isinstance(chosen, Recipe):
        return draw_images(chosen, seed=seed, index=rows, device=device)
    raise TypeError(f"generate takes a Recipe or a SeriesRecipe, got {type(chosen).__name__}")


def resize(recipe: AbstractRecipe, image_size: ImageSize) -> AbstractRecipe:
    """The recipe with images of another size; the recipe itself if None.

    Raises:
        ValueError: If the size is not one or two positive whole numbers, or rows are no images.
    """
    if image_size is None:
        return recipe
    if not isinstance(recipe, Recipe):
        raise ValueError(
            f"image_size is for images, but recipe {recipe.name} gives time series of "
            f"{recipe.size_text}, got {image_size!r}; "
            'leave it out, or change the moments with recipe.replace(time={"steps": ...})'
        )
    rule = (
        f"image_size must be a number of pixels from 1 to {LARGEST_SIDE} or a pair "
        "(height, width) of them"
    )
    size = pixels(image_size, where="image_size")
    pair = size if isinstance(size, Sequence) else (size, size)
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"{rule}, got {image_size!r}")
    sides = (pixels(side, where="image_size") for side in pair)
    height, width = (check_integer(side, rule, least=1, most=LARGEST_SIDE) for side in sides)
    return recipe.replace(image={"height": height, "width": width})


def check_seed(seed: int) -> int:
    """The seed as int.

    Raises:
        ValueError: If it is not a whole number of 63 bits.
    """
    rule = "seed must be a whole number from 0 to 2**63 - 1"
    return check_integer(seed, rule, least=0, most=rng.LARGEST_SEED)


def checked_index(index: Tensor) -> Tensor:
    """Row numbers as int64 on the CPU, shape (B,).

    Raises:
        ValueError: If they are not whole numbers from 0 on, or of another shape.
    """
    if not isinstance(index, Tensor) or index.is_meta:
        raise ValueError(
            f"index: expected a tensor of whole numbers, got {index!r:.60}; use "
            "torch.tensor([0, 1]) for the first two rows"
        )
    index = index.cpu()
    if index.dim() != 1 or index.dtype not in _WHOLE:
        raise ValueError(
            f"index must be whole numbers of shape (B,), got {index.dtype} of shape "
            f"{tuple(index.shape)}; for one row give torch.tensor([i])"
        )
    if len(index) and int(index.min()) < 0:
        raise ValueError(f"index must not be negative, got {int(index.min())}")
    return index.long()
