"""Layouts: how much of each object must be visible, and the grid on which that is counted.

`native.scene` samples the candidates and chooses one.
"""

from deepbench_torch.objects.grid import Grid
from deepbench_torch.recipes import Recipe

# Share of an object's brightest pixel: pixels with at least that share of its light are the core.
# It is never empty; that of a shape, which has one brightness, is the shape.
CORE_LEVEL = 0.1
# Distance between the random numbers of two candidate layouts in a stream. It exceeds the number of
# slots, which therefore changes no layout.
CANDIDATE = 1 << 20


def analysis_grid(recipe: Recipe) -> Grid:
    """Return the grid on which layouts are judged: the image's shape and a quarter around it."""
    side = 32 if recipe.layout is None else recipe.layout.grid
    height, width = recipe.image.height, recipe.image.width
    shorter = min(height, width)
    return Grid(round(height * side / shorter), round(width * side / shorter), margin=side // 4)
