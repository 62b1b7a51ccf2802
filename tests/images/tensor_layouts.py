"""An oracle of the kernels: the first layout that shows enough of every object, by tensors."""

from collections.abc import Iterator

import torch
from torch import Tensor

from deepbench_torch.images import compose
from deepbench_torch.images.scene import Scene
from deepbench_torch.native.layout import CORE_LEVEL, analysis_grid
from deepbench_torch.recipes import Recipe
from tests.images import tensor_scenes as scenes
from tests.images.tensor_simplify import simplified_present, simplified_values

NUMBERS = 1 << 19  # of parameters drawn at once: 4 MiB an intermediate, whatever the batch
PIXELS = 1 << 20  # of all objects judged at once: 8 MiB an intermediate, whatever the batch


def core(light: Tensor) -> Tensor:
    """The pixels of each object's core, from its own light: bool, shape (N, H, W)."""
    peak = light.flatten(1).amax(1)[:, None, None]
    return (light >= CORE_LEVEL * peak) & (light > 0)


def draw_scene(recipe: Recipe, *, seed: int, index: Tensor) -> Scene:
    """The scenes of some rows, always worked out on the CPU so that their bits never differ.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        float32, in the pixels of the recipe's images.
    """
    numbers = recipe.slots * sum(len(objects) for objects in recipe.objects.values())
    parts = torch.split(index, max(1, NUMBERS // numbers))
    return Scene.together([_draw_part(recipe, seed=seed, index=part) for part in parts])


def _draw_part(recipe: Recipe, *, seed: int, index: Tensor) -> Scene:
    present = scenes.draw_present(recipe, seed=seed, index=index)
    values = scenes.draw_values(recipe, seed=seed, index=index)[:, 0]
    settle(recipe, values, present, seed=seed, index=index)
    present = simplified_present(recipe, present, seed=seed, index=index)
    values = simplified_values(recipe, values)
    return scenes.to_pixels(recipe, values, present, recipe.grid).only(recipe.kinds)


def settle(
    recipe: Recipe, values: Tensor, present: dict[str, Tensor], *, seed: int, index: Tensor
) -> None:
    """Put later candidates in place of the first, in `values`, where a recipe demands it.

    A row takes the first candidate that satisfies the recipe, else the best. The number of
    candidates is fixed, and a row's choice depends on no other row.

    Args:
        recipe: What the images hold.
        values: The first candidates, as `scenes.draw_values` gives them; written to.
        present: Which slots hold an object.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    if recipe.layout is None:
        return
    best = _in_parts(recipe, values, present)
    for group in _groups(recipe.layout.candidates):
        rows = (best < recipe.layout.visible).nonzero()[:, 0]
        if not len(rows):
            return
        trial, share = _best_of(recipe, present, group, seed=seed, index=index, rows=rows)
        better = share > best[rows]
        values[rows[better]] = trial[better]
        best[rows[better]] = share[better]


def _groups(candidates: int) -> Iterator[range]:
    """The candidates after the first, up to the 4th, 16th, 64th ...: few calls with few rows."""
    start, end = 1, 4
    while start < candidates:
        yield range(start, min(end, candidates))
        start, end = end, 4 * end


def _best_of(
    recipe: Recipe,
    present: dict[str, Tensor],
    group: range,
    *,
    seed: int,
    index: Tensor,
    rows: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the first candidate that satisfies, else the best, and its share, for some rows."""
    trials = scenes.draw_values(recipe, seed=seed, index=index[rows], candidates=group)
    many = trials.shape[1]
    there = {kind: slots[rows].repeat_interleave(many, 0) for kind, slots in present.items()}
    share = _in_parts(recipe, trials.flatten(0, 1), there).view(-1, many)
    least = 1.0 if recipe.layout is None else recipe.layout.visible
    chosen = share.clamp_max(least).argmax(1)  # the first of equals
    each = torch.arange(len(rows))
    return trials[each, chosen], share[each, chosen]


def _in_parts(recipe: Recipe, values: Tensor, present: dict[str, Tensor]) -> Tensor:
    """`least_visible` of as many rows at once as PIXELS allows."""
    height, width = analysis_grid(recipe).shape
    most = recipe.slots if recipe.count is not None else recipe.slots * len(recipe.objects)
    rows = max(1, PIXELS // (height * width * most))
    parts = []
    for start in range(0, max(len(values), 1), rows):
        part = slice(start, start + rows)
        here = {kind: there[part] for kind, there in present.items()}
        parts.append(least_visible(recipe, values[part], here))
    return torch.cat(parts)


def least_visible(recipe: Recipe, values: Tensor, present: dict[str, Tensor]) -> Tensor:
    """The share of the least visible object of each image, 1 where there is none.

    Counted in double precision on a grid that does not depend on the image's size, so that no
    rounding of one machine decides. A pixel of an object is visible where it lies in the frame and
    the object is brighter than all others together.

    Args:
        recipe: What the images hold; it has a layout.
        values: Parameters in the units of the recipe, as `scenes.draw_values` gives them.
        present: Which slots hold an object.

    Returns:
        float64, shape (B,).
    """
    grid = analysis_grid(recipe)
    scene = scenes.to_pixels(recipe, values, present, grid, dtype=torch.float64)
    here = torch.device("cpu")
    objects = list(compose.render_objects(scene, grid, device=here))
    least = torch.ones(len(values), dtype=torch.float64)
    if not objects:
        return least
    row = torch.cat([drawn.row for drawn in objects])
    light = torch.cat([drawn.light for drawn in objects])
    total = torch.zeros(len(values), *grid.shape, dtype=torch.float64).index_add_(0, row, light)
    mask = core(light)
    seen = mask & (light > total[row] - light)
    fewest = 1 if recipe.layout is None else recipe.layout.least_pixels
    share = grid.inner(seen).sum((1, 2)).double() / mask.sum((1, 2)).clamp_min(fewest)
    return least.scatter_reduce_(0, row, share, "amin")
