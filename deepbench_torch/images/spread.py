"""The point spread: the pixels that its light comes from, and the light that it spreads."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from deepbench_torch.degrade import Values
from deepbench_torch.images.compose import RenderedObjects, pixels_together, render_objects
from deepbench_torch.images.scene import Scene
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.point import POINT
from deepbench_torch.recipes import Recipe


def rendered_grid(recipe: Recipe) -> Grid:
    """Return the pixels to render: the image, and as far around it as its point spread reaches."""
    spread = recipe.degrade.spread
    if spread is None:
        return recipe.grid
    return replace(recipe.grid, margin=spread.margin(recipe.grid))


def spread_light(recipe: Recipe, light: Tensor, conditions: Values) -> Tensor:
    """Return the light on the pixels of `rendered_grid` as the image has it, shape (N, H, W).

    Args:
        recipe: The recipe of the images.
        light: Shape (N, H + 2 m, W + 2 m), m the margin of the grid.
        conditions: The conditions of the images, shape (N,) each.
    """
    spread = recipe.degrade.spread
    if spread is None:
        return light
    margin = spread.margin(recipe.grid)
    seen = light.new_empty(len(light), *recipe.grid.shape)
    for part in chunks(light):
        own = {name: values[part] for name, values in conditions.items()}
        seen[part] = spread.apply(light[part], own, margin=margin)
    return seen


def without_points(recipe: Recipe, scene: Scene) -> Scene:
    """Return the objects whose light is spread: all but points, which are the point spread itself.

    Without a point spread a point is an object like any other.
    """
    if recipe.degrade.spread is None:
        return scene
    return Scene(
        {kind: table for kind, table in scene.tables.items() if kind != POINT.name},
        scene.present,
    )


def render_points(
    recipe: Recipe, scene: Scene, conditions: Values, *, device: torch.device
) -> Iterator[RenderedObjects]:
    """Yield the points of scenes as their point spread, in chunks; none without a point spread.

    Args:
        recipe: The recipe of the images.
        scene: B scenes.
        conditions: Their conditions, shape (B,) each, on the device.
        device: Device that renders.
    """
    spread = recipe.degrade.spread
    if spread is None or POINT.name not in scene.tables:
        return

    def render(_: str, record: tuple[Tensor, ...], row: Tensor) -> Tensor:
        own = {name: values[row] for name, values in conditions.items()}
        return spread.points(record, own, recipe.grid)

    points = scene.only([POINT.name])
    yield from render_objects(points, recipe.grid, device=device, render=render)


def chunks(images: Tensor, *, factor: int = 1) -> Iterator[slice]:
    """Yield the rows of images (N, H, W), `factor` times as many as are rendered together."""
    pixels = factor * pixels_together(images.device)
    rows = max(1, pixels // (images.shape[1] * images.shape[2]))
    return (slice(start, start + rows) for start in range(0, len(images), rows))
