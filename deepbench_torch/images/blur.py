"""The point spread: the pixels that its light comes from, and the light that it spreads."""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from deepbench_torch.images.compose import pixels_together
from deepbench_torch.objects.grid import Grid
from deepbench_torch.recipes import Recipe


def rendered_grid(recipe: Recipe) -> Grid:
    """Return the pixels to render: the image, and as far around it as its blur reaches."""
    if recipe.degrade.blur is None:
        return recipe.grid
    grid = recipe.grid
    return replace(grid, margin=recipe.degrade.blur.margin(grid.shorter))


def blurred(recipe: Recipe, light: Tensor) -> Tensor:
    """Return the light on the pixels of `rendered_grid` as the image has it, shape (N, H, W)."""
    blur = recipe.degrade.blur
    if blur is None:
        return light
    seen = light.new_empty(len(light), *recipe.grid.shape)
    for part in chunks(light):
        seen[part] = blur.apply(light[part], shorter=recipe.grid.shorter)
    return seen


def chunks(images: Tensor, *, factor: int = 1) -> Iterator[slice]:
    """Yield the rows of images (N, H, W), `factor` times as many as are rendered together."""
    pixels = factor * pixels_together(images.device)
    rows = max(1, pixels // (images.shape[1] * images.shape[2]))
    return (slice(start, start + rows) for start in range(0, len(images), rows))
