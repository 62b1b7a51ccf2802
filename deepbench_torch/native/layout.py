"""Layouts: how much of each object must be visible, and the grid on which that is counted.

`native.scene` samples the candidates and chooses one.
"""

from deepbench_torch.objects.grid import Grid
from deepbench_torch.recipes import Recipe

# An object's core are the pixels whose own light is at least this share of its brightest pixel: of
# a shape, which has one brightness, the shape. However small an object is, it has a core.
CORE_LEVEL = 0.1
# How far apart the numbers of an image's candidate layouts lie in each stream: more than it has
# slots, so that their number changes nothing.
CANDIDATE = 1 << 20


def analysis_grid(recipe: Recipe) -> Grid:
    """Return the grid on which layouts are judged: the image's shape and a quarter around it."""
    side = 32 if recipe.layout is None else recipe.layout.grid
    height, width = recipe.image.height, recipe.image.width
    shorter = min(height, width)
    return Grid(round(height * side / shorter), round(width * side / shorter), margin=side // 4)
