"""Rows of a recipe of images: rendered, spread, degraded by noise, and labelled."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from deepbench_torch.degrade import CONDITIONS, Values, sample_conditions
from deepbench_torch.images.compose import add_objects, compose
from deepbench_torch.images.labels import class_of, label_of
from deepbench_torch.images.scene import Scene
from deepbench_torch.images.spread import (
    chunks,
    render_points,
    rendered_grid,
    spread_light,
    without_points,
)
from deepbench_torch.native import run
from deepbench_torch.native.plans import plans_of
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes import Recipe
from deepbench_torch.samples import PresentTables, Sample, SceneTables, own_rows
from deepbench_torch.samples.image import scene_tables

NOISE_CHUNKS = 4  # as many pixels as are rendered together get their noise together
WORKING_MEMORY = 96 << 20  # bytes; the most that a batch takes beyond what it gives


def render_images(recipe: Recipe, *, seed: int, index: Tensor, device: torch.device) -> Sample:
    """Return the images of some rows.

    On the CPU, kernels make them, the same bits on every CPU. On another device tensors do, in
    chunks, equal to rounding; the scene comes from the kernels there as well.

    Besides its result, a batch needs at most WORKING_MEMORY, and with a point spread the light
    around the frame.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        device: Where images, label and index are; the scene is on the CPU.
    """
    if device.type == "cpu":
        rows = run.make_rows(recipe, seed, index)
        truth = _truth(recipe, rows)
        label = _label(recipe, rows.label, rows.clean, truth=truth, seed=seed, index=index)
        return _sample(recipe, (rows.image, rows.clean, label, index), truth)
    rows = run.make_scenes(recipe, seed, index)
    truth = _truth(recipe, rows)
    conditions = {name: values.to(device) for name, values in truth.conditions.items()}
    on_device = index.to(device)
    scene = Scene.from_parameters(truth.scene, truth.present)
    clean = _clean(recipe, scene, conditions, device=device)
    image = _noisy(recipe, clean, conditions, seed=seed, index=on_device)
    label = _label(recipe, rows.label, clean, truth=truth, seed=seed, index=index)
    return _sample(recipe, (image, clean, label.to(device), on_device), truth)


def render_given(
    recipe: Recipe,
    *,
    table: Tensor,
    present: Tensor,
    conditions: Values,
    seed: int,
    index: Tensor,
) -> Sample:
    """Return the images of given scenes, the same bits as `render_images` makes of equal ones.

    Where the table requires gradients, kernels give the values and tensors the gradients of `clean`
    by the table; `image` has the same gradients.

    Args:
        recipe: What the images hold.
        table: Parameters of all kinds in pixels and radians, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        conditions: The conditions of the images by name, float32, shape (B,) each.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    numbers = conditions_table(conditions, len(index))
    clean, image = run.observe_rows(
        recipe, seed, index, tables=table.detach(), present=present, conditions=numbers
    )
    there = PresentTables(present, plans_of(recipe).kinds)
    scene = SceneTables(table, plans_of(recipe).first_parameters, there)
    if table.requires_grad and torch.is_grad_enabled():
        tensors = Scene.from_parameters(scene, there)
        light = _clean(recipe, tensors, conditions, device=table.device, differentiable=True)
        nothing = light - light.detach()  # 0 with the gradients of the light
        clean, image = clean + nothing, image + nothing
    shown = torch.stack([slots.any(1) for slots in there.values()], dim=1).float()
    truth = Truth(scene, there, conditions)
    label = _label(recipe, shown, clean, truth=truth, seed=seed, index=index)
    return _sample(recipe, (image, clean, label, index), truth)


def image_parameters(recipe: Recipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return the parameters, present slots and conditions of some rows, without their images.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By their paths in a file, shape (B, ...) each; see `Sample.tables`.
    """
    truth = _truth(recipe, run.make_scenes(recipe, seed, index))
    return scene_tables(recipe, *truth)


@independent_of_settings
def image_pairs(recipe: Recipe, seed: int, rows: list[int]) -> tuple[Tensor, list[Any]]:
    """Return the images (B, 1, H, W) and the labels of some rows alone."""
    if not recipe.class_labels:
        index = torch.tensor(rows, dtype=torch.int64, device="cpu")
        sample = render_images(recipe, seed=seed, index=index, device=index.device)
        return sample.image, own_rows(sample.label)
    image, shown = run.make_pairs(recipe, seed, rows)
    if recipe.label == "present":
        return image, own_rows(shown)
    index = torch.tensor(rows, dtype=torch.int64, device="cpu")
    return image, class_of(recipe, shown, seed=seed, index=index).tolist()


def conditions_of(recipe: Recipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return the conditions of some rows, without the rows, float32, shape (B,) each."""
    return sample_conditions(recipe.degrade.conditions, recipe.grid, seed=seed, index=index)


def conditions_table(conditions: Values, batch: int) -> Tensor:
    """Return conditions for kernels, NaN if not set: float32, shape (C, batch), on the CPU."""
    absent = torch.full((batch,), torch.nan, dtype=torch.float32, device="cpu")
    return torch.stack([conditions.get(name, absent).cpu() for name in CONDITIONS])


class Truth(NamedTuple):
    """Parameters, present slots and conditions of B images, by name."""

    scene: SceneTables
    present: PresentTables
    conditions: Values


def _truth(recipe: Recipe, rows: run.Rows) -> Truth:
    """Return the tables of the kernels, by name."""
    kept = plans_of(recipe)
    there = PresentTables(rows.present, kept.kinds)
    conditions = {name: rows.conditions[place] for name, place in kept.conditions.items()}
    return Truth(SceneTables(rows.tables, kept.first_parameters, there), there, conditions)


def _sample(recipe: Recipe, data: tuple[Tensor, Tensor, Tensor, Tensor], truth: Truth) -> Sample:
    image, clean, label, index = data
    return Sample(
        image=image[:, None],
        clean=clean[:, None],
        label=label,
        index=index,
        scene=truth.scene,
        present=truth.present,
        conditions=truth.conditions,
        recipe=recipe,
    )


def _label(
    recipe: Recipe, shown: Tensor, clean: Tensor, *, truth: Truth, seed: int, index: Tensor
) -> Tensor:
    """Return the labels of some images; see `labels.label_of`."""
    return label_of(
        recipe,
        shown,
        scene=truth.scene,
        present=truth.present,
        clean=clean,
        seed=seed,
        index=index,
    )


def _clean(
    recipe: Recipe,
    scene: Scene,
    conditions: Values,
    *,
    device: torch.device,
    differentiable: bool = False,
) -> Tensor:
    """Return the scene as the telescope sees it, without noise, shape (B, H, W)."""
    light = compose(
        without_points(recipe, scene),
        rendered_grid(recipe),
        how=recipe.compose,
        device=device,
        differentiable=differentiable,
    )
    with torch.inference_mode(not differentiable):  # each small step costs less
        clean = spread_light(recipe, light, conditions)
        points = render_points(recipe, scene, conditions, device=device)
        add_objects(clean, points, how=recipe.compose)
        if recipe.degrade.gradient is not None:
            clean = clean + recipe.degrade.gradient.light(conditions, recipe.grid, like=clean)
    return clean


def _noisy(
    recipe: Recipe, clean: Tensor, conditions: Values, *, seed: int, index: Tensor
) -> Tensor:
    """Return the image with the noise of the recipe, in chunks of rows, shape (B, H, W)."""
    image = clean.clone()
    with torch.inference_mode():
        for part in chunks(clean, factor=NOISE_CHUNKS):
            own = {name: values[part] for name, values in conditions.items()}
            for noise in recipe.degrade.noises:
                image[part] = noise.apply(
                    image[part],
                    own,
                    light=clean[part],
                    seed=seed,
                    index=index[part],
                    realization=recipe.realization,
                )
    return image
