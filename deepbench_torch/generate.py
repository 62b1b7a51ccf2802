"""generate(): the one place where rows are made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, TypeVar, overload

import torch
from torch import Tensor
from typing_extensions import Unpack

from deepbench_torch.images.render import image_pairs, image_parameters, render_images
from deepbench_torch.images.targets import TARGETS, image_truths, image_vectors
from deepbench_torch.numerics.checks import check_device, check_integer
from deepbench_torch.numerics.quantities import pixels
from deepbench_torch.numerics.row_numbers import check_index, check_seed
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes import (
    LARGEST_SIDE,
    AbstractRecipe,
    Recipe,
    SeriesRecipe,
    load_recipe,
    require_images,
)
from deepbench_torch.recipes.calibration import calibration_at
from deepbench_torch.samples import AbstractSample, Sample, SeriesSample, vector_rows
from deepbench_torch.series.simulate import series_pairs, series_parameters, simulate_series
from deepbench_torch.series.targets import SERIES_TARGETS, series_truths

# Stored in files. Increase it whenever any generated pixel or parameter changes.
GENERATOR_VERSION = 3

R = TypeVar("R", bound=AbstractRecipe)

ImageSize = int | tuple[int, int] | None


class Options(TypedDict, total=False):
    """Options of `generate`."""

    image_size: ImageSize
    realization: int | None
    device: str | torch.device


class Content(NamedTuple):
    """Functions that make the rows of one content, and their targets.

    Attributes:
        make: Returns the sample of some rows.
        parameters: Returns the parameters and the present slots of some rows without the rows
            themselves, by the path that they have in a file.
        pairs: Returns the data and the labels of some rows.
        truths: Yields what targets are computed from, for a sample and the names of targets.
        targets: By name, the function that returns the target of each row.
        vector: Returns the columns of one parameter of `recipe.vector` of each row, by its name.
    """

    make: Callable[..., AbstractSample]
    parameters: Callable[..., dict[str, Tensor]]
    pairs: Callable[..., tuple[Tensor, list[Any]]]
    truths: Callable[..., Iterator[Any]]
    targets: Mapping[str, Callable[[Any], list[Any]]]
    vector: Callable[[Any, str], list[Any]]


# by `recipe.content`
CONTENTS = {
    "image": Content(
        render_images, image_parameters, image_pairs, image_truths, TARGETS, image_vectors
    ),
    "series": Content(
        simulate_series,
        series_parameters,
        series_pairs,
        series_truths,
        SERIES_TARGETS,
        vector_rows,
    ),
}


@overload
def generate(recipe: Recipe, seed: int, index: Tensor, **options: Unpack[Options]) -> Sample: ...
@overload
def generate(
    recipe: SeriesRecipe, seed: int, index: Tensor, **options: Unpack[Options]
) -> SeriesSample: ...
@overload
def generate(
    recipe: AbstractRecipe, seed: int, index: Tensor, **options: Unpack[Options]
) -> AbstractSample: ...
@overload
def generate(recipe: str | Path, seed: int, index: Tensor, **options: Unpack[Options]) -> Any: ...
@independent_of_settings
def generate(
    recipe: str | Path | AbstractRecipe,
    seed: int,
    index: Tensor,
    *,
    image_size: ImageSize = None,
    realization: int | None = None,
    device: str | torch.device = "cpu",
) -> AbstractSample:
    """Return rows of a catalogue. Row i depends on recipe, seed and index[i] and on nothing else.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a recipe.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), from 0 on, in any order; B may be 0.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        realization: Number of the noise, from 0 on: another number gives the same scenes with
            independent noise. If None, the recipe's, which is 0 by default.
        device: Device that renders images, and on which series, label and index are returned.
            Parameters and motion are always worked out on the CPU.

    Returns:
        A Sample of images or a SeriesSample of time series; parameters stay on the CPU.

    Raises:
        ValueError: If recipe, seed, index or size are not as above.

    Example:
        >>> import deepbench_torch as db
        >>> import torch
        >>> sample = db.generate("astro", seed=0, index=torch.tensor([7, 0]))
        >>> sample.image.shape, sample.label.shape
        (torch.Size([2, 1, 28, 28]), torch.Size([2]))
    """
    chosen = with_realization(resize(load_recipe(recipe), image_size), realization)
    seed = check_seed(seed)
    rows = check_index(index)
    device = check_device(device)
    return CONTENTS[chosen.content].make(chosen, seed=seed, index=rows, device=device)


def sample_parameters(recipe: AbstractRecipe, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return the parameters of some rows, as the tables of their samples, without the rows.

    Args:
        recipe: What the rows hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By path, "parameters/<kind>/<name>" and "present/<kind>", shape (B, ...) each.
    """
    return CONTENTS[recipe.content].parameters(recipe, seed=seed, index=index)


def resize(recipe: R, image_size: ImageSize) -> R:
    """Return the recipe with images of another size; the recipe itself if None.

    The field is the same with other pixels, so `zero_point` and `pixel_scale` change with it.

    Raises:
        ValueError: If the size is not one or two positive whole numbers, or rows are no images.
    """
    if image_size is None:
        return recipe
    remedy = 'omit it, or change the times of a series with recipe.replace(time={"steps": ...})'
    images = require_images(recipe, "image_size", remedy=remedy)
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
    calibration = calibration_at(images, shorter=min(height, width))
    return recipe.replace(image={"height": height, "width": width}, **calibration)


def with_realization(recipe: AbstractRecipe, realization: int | None) -> AbstractRecipe:
    """Return the recipe of the same scenes with other noise; the recipe itself if None.

    Raises:
        ValueError: If the number is not a whole number from 0 to 2**31 - 1.
    """
    if realization is None:
        return recipe
    rule = "realization must be a whole number from 0 to 2**31 - 1"
    number = check_integer(realization, rule, least=0, most=(1 << 31) - 1)
    return recipe if number == recipe.realization else recipe.replace(realization=number)
