"""Recipes: definitions of a catalogue's rows, in YAML files or derived from `OBJECTS`.

A recipe of your own::

    # faint.yaml: two classes of small, faint objects
    name: faint
    image: {height: 32, width: 32}
    label: class
    count: 1
    objects:
      star:
        amplitude: {log_uniform: [0.1, 0.5]}
      galaxy:
        radius: {normal: {mean: 0.08, std: 0.02, low: 0.04}}
        ellip: 0.0
    degrade:
      blur: {sigma: 0.03}
      poisson: {exposure: 400, background: 1.0}

`db.Catalogue("faint.yaml")` and `deepbench-torch show faint.yaml` accept it like a packaged one. A
prior is a number, `uniform`, `log_uniform`, `power_law`, `normal`, `integer` or `choice`; a
parameter left out keeps its default. The comments of the packaged recipes state the reason for each
range.

A recipe may change another, a packaged one or a file beside it, where `null` removes a key; and it
may list the objects of every image instead of counting them::

    # yaml-language-server: $schema=recipe.schema.json
    extends: sky
    count: null
    layout: null
    scene:
      - star: {x: 0.3, y: 0.5, amplitude: 2.0}       # the rest random, as in sky
      - galaxy: {x: {uniform: [0.6, 0.7]}, y: 0.5, theta: 0.0}
    size: 2000                                       # defaults of `generate` and Catalogue
    seed: 7

`deepbench-torch schema recipe.schema.json` writes the schema with which an editor completes and
checks such files. `deepbench-torch check *.yaml` lists every fault, with its key, the rule, the
value found and the remedy, and warns where pixels stand for fractions or degrees for radians.
`deepbench-torch convert old.yaml new.yaml` reads a configuration of the package released with the
paper, and reports what it could not convert.

`recipe.vector` scales the parameters that vary to mean 0 and variance 1 under their priors, for
networks that measure them; its `encode` and `decode` convert a sample to numbers and back.

`recipe.rungs()` returns a difficulty ladder. The lowest rung has one noiseless object of fixed
size, position and brightness; each rung adds one named factor, in the order of the key `ladder`,
and leaves all other parameters of the same scenes as they are. `layout` keeps every object visible:
it sets the least visible fraction; several layouts are sampled and the first that meets it is used.

Example:
    >>> import deepbench_torch as db
    >>> recipe = db.load_recipe("astro").replace(name="stars", objects={"spiral": None})
    >>> recipe.classes
    ['star', 'galaxy']
"""

from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.image_fields import LARGEST_SIDE
from deepbench_torch.recipes.reader import (
    list_recipes,
    load_recipe,
    recipe_faults,
    recipe_from_plain,
    recipe_warnings,
)
from deepbench_torch.recipes.recipe import Recipe, require_images
from deepbench_torch.recipes.series import SeriesRecipe

__all__ = [
    "LARGEST_SIDE",
    "AbstractRecipe",
    "Content",
    "Recipe",
    "SeriesRecipe",
    "list_recipes",
    "load_recipe",
    "recipe_faults",
    "recipe_from_plain",
    "recipe_warnings",
    "require_images",
]
