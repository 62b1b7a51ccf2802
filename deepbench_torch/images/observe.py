"""observe(): images of a user's own objects, as a recipe's telescope records them."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from deepbench_torch.images.given_conditions import read_conditions
from deepbench_torch.images.render import conditions_of, render_given
from deepbench_torch.numerics.differentiation import is_wrapped
from deepbench_torch.numerics.row_numbers import check_index, check_seed
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.calls import doubt_degrees
from deepbench_torch.recipes import Recipe, load_recipe, require_images
from deepbench_torch.recipes.given_scene import GivenScene, Present, Scene, SceneUnits, read_scene
from deepbench_torch.recipes.units import pixel_frames
from deepbench_torch.samples import Sample


@independent_of_settings
def observe(
    scene: Scene,
    recipe: str | Path | Recipe,
    *,
    seed: int,
    index: Tensor,
    present: Present | None = None,
    conditions: Mapping[str, Tensor | float] | None = None,
    units: SceneUnits = "pixel",
) -> Sample:
    """Return images of your own objects: the simulator of simulation-based inference.

    Size, composition, blur, noise and label are those of the recipe; its priors, counts and layout
    play no part. Image i has the noise of row index[i], and the label of its group if the recipe
    has `groups`, so the image of the parameters of a
    generated row is bit-identical to that row.

    If parameters require gradients, `clean` has those of its light by the parameters; shapes have
    none by their geometry, because their edges are steps. `image` has the gradients of `clean`,
    since noise has mean 0: they are exact for read-out noise, and for photon noise, whose counts
    are discrete, they are those of the mean image. A likelihood needs `clean` and the noise that
    the recipe states.

    Args:
        scene: By kind and name, all parameters of a kind, float, shape (B, slots), or (B,) for one
            object an image, as `sample.scene`. Kinds left out have no objects.
        recipe: A packaged recipe's name, a YAML file, or a recipe such as `sample.recipe`.
        seed: Seed of the noise, 0 to 2**63 - 1.
        index: Row numbers of the noise, int64, shape (B,), from 0 on.
        present: By kind, which slots hold an object, bool, the shape of the parameters. If None,
            the slots of a generated scene; of any other those whose parameters are not all NaN.
        conditions: By name, numbers of point spread, background and noise instead of those that
            the recipe sets for row index[i]: a number, or shape (B,), as `sample.conditions`. They
            have no gradients.
        units: "pixel" for pixels and radians, "recipe" for the fractions of a recipe.

    Returns:
        A Sample on the CPU; its scene is in pixels, NaN for kinds left out.

    Raises:
        ValueError: If a kind or a parameter is unknown, a shape does not fit, a value is not finite
            or outside of the parameter's range, or the label of an image would be no class.

    Example:
        >>> import deepbench_torch as db, torch
        >>> flux = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> star = {"x": [9.0, 20.0], "y": [13.0, 13.0], "gamma": [2.0, 2.0], "alpha": [3.0, 3.0]}
        >>> scene = {"star": {name: torch.tensor(values) for name, values in star.items()}}
        >>> scene["star"]["amplitude"] = flux
        >>> sample = db.observe(scene, "astro", seed=0, index=torch.arange(2))
        >>> sample.image.shape, sample.clean.requires_grad
        (torch.Size([2, 1, 28, 28]), True)
        >>> again = db.generate("sky", 0, torch.arange(5))
        >>> same = db.observe(again.scene, "sky", seed=0, index=again.index)
        >>> torch.equal(same.image, again.image)
        True
    """
    remedy = "simulate motion with db.physics"
    chosen = require_images(load_recipe(recipe), "observe", remedy=remedy)
    seed, rows = check_seed(seed), check_index(index)
    given = read_scene(chosen, scene, present, units=units, batch=len(rows))
    table, there = _tables(chosen, given, units)
    if chosen.label == "class" and chosen.groups is None:
        _check_class(given.shown())
    conditions_here = conditions_of(chosen, seed=seed, index=rows) | read_conditions(
        chosen, conditions, batch=len(rows), units=units
    )
    return render_given(
        chosen, table=table, present=there, conditions=conditions_here, seed=seed, index=rows
    )


def _tables(recipe: Recipe, given: GivenScene, units: SceneUnits) -> tuple[Tensor, Tensor]:
    """Return the tables of the kernels, shape (S, B, slots) and (K, B, slots).

    Raises:
        ValueError: If a parameter of a present object is outside of its range.
    """
    absent = torch.zeros_like(next(iter(given.present.values())), device="cpu")
    columns, masks = [], []
    for kind in recipe.objects:
        if kind not in given.tables:  # left out by the recipe
            masks.append(absent)
            columns += [absent.float()] * len(OBJECTS[kind].fields)
            continue
        masks.append(given.present[kind].cpu())
        values = _in_pixels(recipe, kind, given.tables[kind], units)
        frames = pixel_frames(kind, recipe.grid)
        rounded = [
            frame.rounded(value) for frame, value in zip(frames.values(), values, strict=True)
        ]
        _check_values(kind, values, rounded, masks[-1])
        columns += rounded
        for (name, field), value in zip(OBJECTS[kind].fields.items(), values, strict=True):
            if field.unit == "radian":
                doubt_degrees(f"scene.{kind}.{name}", value.detach()[masks[-1]])
    return torch.stack(columns), torch.stack(masks)


def _in_pixels(
    recipe: Recipe, kind: str, table: Mapping[str, Tensor], units: SceneUnits
) -> list[Tensor]:
    """Return the parameters of a kind in order, in pixels and radians, on the CPU.

    Raises:
        ValueError: If a transform of torch.func wraps one, which kernels cannot read.
    """
    for name, value in table.items():
        if is_wrapped(value):
            raise ValueError(
                f"scene.{kind}.{name}: expected a tensor outside of torch.func, got one inside; "
                "pass a batch, and use requires_grad and torch.autograd"
            )
    values = [value.cpu() for value in table.values()]
    if units == "pixel":
        return values
    frames = pixel_frames(kind, recipe.grid).values()
    return [v.double() * f.scale + f.shift for v, f in zip(values, frames, strict=True)]


def _check_values(
    kind: str, values: Sequence[Tensor], rounded: Sequence[Tensor], there: Tensor
) -> None:
    """Check the values of present objects, before and after rounding to single precision.

    Raises:
        ValueError: If a value is not finite or out of range.
    """
    for (name, field), value, single in zip(
        OBJECTS[kind].fields.items(), values, rounded, strict=True
    ):
        allowed = field.allows(value) & field.allows(single)
        if not bool((allowed | ~there).all()):
            image, slot = (there & ~allowed).nonzero()[0].tolist()
            found = float(value[image, slot])
            nan = "mark slots without an object in present"
            raise ValueError(
                f"scene.{kind}.{name}: expected {field.rule}, got {found:g} in image {image}, slot "
                f"{slot}; {nan if math.isnan(found) else field.remedy}"
            )


def _check_class(shown: Tensor) -> None:
    """Check that every image shows one kind, bool, shape (B, kinds).

    Raises:
        ValueError: If an image shows none or several.
    """
    wrong = (shown.sum(1) != 1).nonzero()
    if len(wrong):
        image = int(wrong[0])
        raise ValueError(
            f"scene: expected objects of one kind in each image, whose label is a class, got "
            f'{int(shown[image].sum())} kinds in image {image}; use recipe.replace(label="present")'
        )
