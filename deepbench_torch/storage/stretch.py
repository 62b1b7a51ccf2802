"""Stretch from brightness to 8-bit pixels, as stored in JPEG files."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.generate import generate, resize
from deepbench_torch.recipes import AbstractRecipe, Recipe, load_recipe, require_images
from deepbench_torch.samples import AbstractSample

SCALE_ROWS = 64  # rows that determine the scale of a recipe
MAD = 1.4826  # standard deviation of a normal law over its median absolute deviation


# Stored in metadata.json. Not taken from a docstring, which `python -OO` leaves out.
MEANING = (
    "How brightness becomes 0 to 255. The pixel is round(255 (s(x) - s(low)) / (s(high) - "
    "s(low))), cut off at both ends, where s(x) = asinh(x / softening), or x itself if "
    "softening is 0: linear in the noise and logarithmic in the light."
)


class Scale(NamedTuple):
    """Mapping from brightness to pixels 0 to 255.

    The pixel is round(255 (s(x) - s(low)) / (s(high) - s(low))), clipped at both ends. The stretch
    is s(x) = asinh(x / softening), or s(x) = x if softening is 0. It is linear in the noise and
    logarithmic in the light.

    Attributes:
        low: Brightness of pixel 0.
        high: Brightness of pixel 255.
        softening: Brightness above which the scale is logarithmic.
    """

    low: float
    high: float
    softening: float

    def pixels(self, data: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the pixels of some brightness, uint8."""
        low, high = self._stretched(np.float64(self.low)), self._stretched(np.float64(self.high))
        share = (self._stretched(data.astype(np.float64)) - low) / (high - low)
        pixels: NDArray[np.uint8] = np.rint(255 * share.clip(0, 1)).astype(np.uint8)
        return pixels

    def brightness(self) -> NDArray[np.float32]:
        """Return the brightness of each pixel value, float32 of shape (256,): the inverse.

        It differs from the generated brightness by rounding to 8 bits and by JPEG compression.
        """
        low, high = self._stretched(np.float64(self.low)), self._stretched(np.float64(self.high))
        values = low + np.arange(256) / 255 * (high - low)
        values = self.softening * np.sinh(values) if self.softening > 0 else values
        return np.asarray(values, np.float32)

    def _stretched(self, values: Any) -> Any:
        return np.arcsinh(values / self.softening) if self.softening > 0 else values


@lru_cache(maxsize=64)
def scale_of(recipe: Recipe) -> Scale:
    """Return the scale of a recipe, which is the same for any number of rows and any realization.

    Its ends are the least and the largest pixel of the first rows of seed 0, to three digits.
    """
    dark = torch.zeros(1, 1, 1, dtype=torch.float64, device="cpu")
    variance = float(recipe.degrade.variance(dark, recipe.degrade.middle(recipe.grid)))
    index = torch.arange(SCALE_ROWS, dtype=torch.int64, device="cpu")
    image = generate(recipe, 0, index, realization=0).image
    low, high = (float(f"{float(end):.3g}") for end in (image.min(), image.max()))
    high = high if high > low else low + 1
    return Scale(low, high, float(f"{2 * math.sqrt(variance):.3g}"))


def image_scale(image: NDArray[Any]) -> Scale:
    """Return the scale of one image by itself, shape (..., H, W).

    Its ends are the least and the largest pixel. The softening is two standard deviations of the
    background, estimated by the median absolute deviation.
    """
    low, high = float(image.min()), float(image.max())
    spread = MAD * float(np.median(np.abs(image - np.median(image))))
    return Scale(low, high if high > low else low + 1, 2 * spread)


def to_uint8(
    image: Tensor | AbstractSample, recipe: str | Path | AbstractRecipe | None = None
) -> Tensor:
    """Return images as 8-bit pixels, by the asinh stretch of the JPEG files.

    With a recipe, or for a Sample, all images have one scale, and the pixels are those that
    `materialize(..., format="jpeg")` encodes. Without one, each image has its own scale, from its
    least to its largest pixel.

    torchvision's `ToPILImage` multiplies by 255 without clipping, which wraps bright pixels to
    dark ones; so apply `to_uint8` first.

    Args:
        image: Images, float, shape (H, W), (1, H, W) or (B, 1, H, W); or a Sample of images.
        recipe: Recipe of the images: a name, a YAML file or a recipe, at any size.

    Returns:
        Pixels, uint8, of the shape and device of the images.

    Raises:
        TypeError: If `image` is not a tensor of floats.
        ValueError: If it has another shape, is empty in height or width, or is not finite.

    Example:
        >>> import deepbench_torch as db
        >>> image, _ = db.Catalogue("sky")[0]
        >>> pixels = db.to_uint8(image, "sky")
        >>> pixels.dtype, pixels.shape
        (torch.uint8, torch.Size([1, 64, 64]))
    """
    if isinstance(image, AbstractSample):
        return to_uint8(image.data, image.recipe if recipe is None else recipe)
    data = _checked(image)
    if recipe is not None:
        pixels = scale_of(_images_of(recipe, data.shape[-2:])).pixels(data)
    elif data.ndim <= 3:
        pixels = image_scale(data).pixels(data)
    else:
        pixels = np.empty(data.shape, np.uint8)
        for position, one in enumerate(data):
            pixels[position] = image_scale(one).pixels(one)
    return torch.from_numpy(pixels).to(image.device)


def _checked(image: Tensor) -> NDArray[Any]:
    if not isinstance(image, Tensor) or not image.is_floating_point():
        dtype = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise TypeError(
            f"image: expected a float tensor, got {dtype}; pass the image of a dataset before it "
            "is converted"
        )
    data = image.detach().cpu().to(torch.float32 if image.itemsize < 4 else image.dtype).numpy()
    single = data.ndim == 2 or (data.ndim in (3, 4) and data.shape[-3] == 1)
    if not single or not math.prod(data.shape[-2:]):
        raise ValueError(
            f"image: expected shape (H, W), (1, H, W) or (B, 1, H, W), got {tuple(image.shape)}; "
            "stack images of one channel"
        )
    if not np.isfinite(data).all():
        raise ValueError(
            "image: expected finite pixels, got NaN or infinity; replace them with torch.nan_to_num"
        )
    return data


def _images_of(recipe: str | Path | AbstractRecipe, size: tuple[int, ...]) -> Recipe:
    """Return a recipe of images at some height and width."""
    remedy = "plot series with deepbench-torch show"
    chosen = require_images(load_recipe(recipe), "recipe", remedy=remedy)
    return resize(chosen, (size[0], size[1]))
