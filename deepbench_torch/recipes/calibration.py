"""Calibration of images: magnitudes and angles on the sky, at any image size."""

import math

import torch

from deepbench_torch.numerics import exact_math
from deepbench_torch.recipes.image_fields import AbstractImageRecipe

_MAGNITUDES = 5.0 / math.log(10.0)


def zero_point_of_sides(recipe: AbstractImageRecipe) -> float:
    """Return the magnitude of a flux of 1 in units of the recipe; without zero point, NaN.

    That flux is a brightness of 1 over the square of the image's shorter side. The magnitude is
    rounded to 1e-9, so that it is the same number for the recipe at every image size.
    """
    if recipe.zero_point is None:
        return math.nan
    side = torch.tensor(float(recipe.grid.shorter), dtype=torch.float64, device="cpu")
    return round(recipe.zero_point - _MAGNITUDES * float(exact_math.log(side)), 9)


def calibration_at(recipe: AbstractImageRecipe, *, shorter: int) -> dict[str, float]:
    """Return the keys `zero_point` and `pixel_scale` of the same field with other pixels.

    With f times the pixels along the shorter side, a pixel is 1 / f as wide and the sum over an
    object's pixels f**2 times as large. So `pixel_scale` is divided by f, and `zero_point` grows by
    5 log10(f), which leaves magnitudes as they are.

    Args:
        recipe: The recipe at its own image size.
        shorter: Pixels along the new shorter side.
    """
    ratio = torch.tensor(shorter / recipe.grid.shorter, dtype=torch.float64, device="cpu")
    keys = {}
    if recipe.zero_point is not None:
        keys["zero_point"] = recipe.zero_point + _MAGNITUDES * float(exact_math.log(ratio))
    if recipe.pixel_scale is not None:
        keys["pixel_scale"] = recipe.pixel_scale / float(ratio)
    return keys
