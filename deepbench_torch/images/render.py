"""Rows of a recipe of images: rendered, blurred, degraded by noise, and labelled."""

from typing import Any

import torch
from torch import Tensor

from deepbench_torch.images.blur import blurred, chunks, rendered_grid
from deepbench_torch.images.compose import compose
from deepbench_torch.images.scene import Scene
from deepbench_torch.native import run
from deepbench_torch.native.plan import known
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

    Beyond its images, with and without noise, and its parameters a batch takes WORKING_MEMORY at
    most, and with a blur the light round the frame.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        device: Where images, label and index are; the scene is on the CPU.
    """
    if device.type == "cpu":
        table, present, shown, clean, image = run.make_rows(recipe, seed, index)
        data = (image, clean, _label(recipe, shown), index)
        return _sample(recipe, data, _truth(recipe, table, present))
    table, present, shown = run.make_scenes(recipe, seed, index)
    own = _truth(recipe, table, present)
    index = index.to(device)
    clean = _clean(recipe, Scene.from_parameters(*own), device)
    image = _noisy(recipe, clean, seed=seed, index=index)
    return _sample(recipe, (image, clean, _label(recipe, shown).to(device), index), own)


def render_given(
    recipe: Recipe, *, table: Tensor, present: Tensor, seed: int, index: Tensor
) -> Sample:
    """Return the images of given scenes, the same bits as `render_images` makes of equal ones.

    Where the table requires gradients, kernels give the values and tensors the gradients of `clean`
    by the table; `image` has the same gradients.

    Args:
        recipe: What the images hold.
        table: Parameters of all kinds in pixels and radians, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    clean, image = run.observe_rows(recipe, seed, index, tables=table.detach(), present=present)
    scene, there = _truth(recipe, table, present)
    if table.requires_grad and torch.is_grad_enabled():
        tensors = Scene.from_parameters(scene, there)
        light = _clean(recipe, tensors, table.device, differentiable=True)
        nothing = light - light.detach()  # 0 with the gradients of the light
        clean, image = clean + nothing, image + nothing
    shown = torch.stack([slots.any(1) for slots in there.values()], dim=1).float()
    return _sample(recipe, (image, clean, _label(recipe, shown), index), (scene, there))


def image_parameters(recipe: Recipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return the parameters and the present slots of some rows, without their images.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By their paths in a file, shape (B, slots) each; see `Sample.tables`.
    """
    table, present, _ = run.make_scenes(recipe, seed, index)
    return scene_tables(*_truth(recipe, table, present))


@independent_of_settings
def image_pairs(recipe: Recipe, seed: int, rows: list[int]) -> tuple[Tensor, list[Any]]:
    """Return the images (B, 1, H, W) and the labels of some rows, without all else that is true."""
    image, shown = run.make_pairs(recipe, seed, rows)
    label = _label(recipe, shown)
    return image, label.tolist() if recipe.label == "class" else own_rows(label)


def _truth(recipe: Recipe, table: Tensor, present: Tensor) -> tuple[SceneTables, PresentTables]:
    """Return the tables of the kernels, by name."""
    kept = known(recipe)
    there = PresentTables(present, kept.kinds)
    return SceneTables(table, kept.scene_places, there), there


def _sample(
    recipe: Recipe,
    data: tuple[Tensor, Tensor, Tensor, Tensor],
    truth: tuple[SceneTables, PresentTables],
) -> Sample:
    image, clean, label, index = data
    scene, present = truth
    return Sample(
        image=image[:, None],
        clean=clean[:, None],
        label=label,
        index=index,
        scene=scene,
        present=present,
        recipe=recipe,
    )


def _label(recipe: Recipe, shown: Tensor) -> Tensor:
    """Return class indices (B,), or which classes are present (B, K)."""
    return shown.argmax(dim=1) if recipe.label == "class" else shown


def _clean(
    recipe: Recipe, scene: Scene, device: torch.device, *, differentiable: bool = False
) -> Tensor:
    """Return the scene as the telescope sees it, without noise, shape (B, H, W)."""
    light = compose(
        scene,
        rendered_grid(recipe),
        how=recipe.compose,
        device=device,
        differentiable=differentiable,
    )
    return blurred(recipe, light)


def _noisy(recipe: Recipe, clean: Tensor, *, seed: int, index: Tensor) -> Tensor:
    """Return the image with the noise of the recipe, in chunks of rows, shape (B, H, W)."""
    image = clean.clone()
    with torch.inference_mode():
        for part in chunks(clean, factor=NOISE_CHUNKS):
            for noise in recipe.degrade.noises:
                image[part] = noise.apply(
                    image[part], seed=seed, index=index[part], realization=recipe.realization
                )
    return image
