"""generate(): the one place where rows are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch import compose, degrade, layouts, rng
from deepbench_torch.arguments import whole
from deepbench_torch.grid import Grid
from deepbench_torch.recipes import LARGEST_SIDE, Recipe, load_recipe
from deepbench_torch.scenes import Scene

# Stored in files. It grows whenever any pixel or parameter comes out otherwise than before.
GENERATOR_VERSION = 1


_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


@dataclass(frozen=True)
class Sample:
    """B rows of a catalogue: the images and all that is true of them.

    Attributes:
        image: What a camera records, float32, shape (B, 1, H, W).
        clean: The same without noise, float32, shape (B, 1, H, W).
        label: Class indices, int64, shape (B,); or which kinds are present, float32, shape (B, K).
        index: Row numbers, int64, shape (B,).
        scene: By kind and name, the parameters in pixels and radians, float32, shape (B, slots). A
            slot that is not present holds the object that would have been drawn there.
        present: By kind, which slots hold an object, bool, shape (B, slots).
        recipe: What the images hold, at their size.
    """

    image: Tensor
    clean: Tensor
    label: Tensor
    index: Tensor
    scene: dict[str, dict[str, Tensor]]
    present: dict[str, Tensor]
    recipe: Recipe


def generate(
    recipe: str | Path | Recipe,
    seed: int,
    index: Tensor,
    *,
    image_size: int | tuple[int, int] | None = None,
    device: str | torch.device = "cpu",
) -> Sample:
    """Rows of a catalogue. Row i depends on recipe, seed and index[i] and on nothing else.

    Args:
        recipe: A packaged recipe's name, a YAML file, or a Recipe.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), from 0 on, in any order; B may be 0.
        image_size: Height and width [pixel], one number for a square; the recipe's if None.
        device: Where images are drawn. Parameters are always worked out on the CPU.

    Returns:
        The rows; images, label and index on `device`, the scene on the CPU.

    Raises:
        ValueError: If recipe, seed, index or size are not as above.
    """
    recipe = sized(load_recipe(recipe), image_size)
    seed = checked_seed(seed)
    rows = _checked_index(index)
    _keep_freed_memory()
    with torch.inference_mode():  # no gradient is asked for: each small step costs less
        drawn = layouts.draw_scene(recipe, seed=seed, index=rows)
    scene = drawn.clone()
    device = torch.device(device)
    rows_there = rows.to(device)
    clean = _clean(recipe, scene, device)
    return Sample(
        image=_noisy(recipe, clean, seed=seed, index=rows_there)[:, None],
        clean=clean[:, None],
        label=_label(recipe, scene).to(device),
        index=rows_there,
        scene=scene.parameters,
        present=scene.present,
        recipe=recipe,
    )


def sized(recipe: Recipe, image_size: int | tuple[int, int] | None) -> Recipe:
    """The recipe with images of another size; the recipe itself if None.

    Raises:
        ValueError: If the size is not one or two positive whole numbers.
    """
    if image_size is None:
        return recipe
    rule = (
        f"image_size must be a number of pixels from 1 to {LARGEST_SIDE} or a pair "
        "(height, width) of them"
    )
    pair = image_size if isinstance(image_size, Sequence) else (image_size, image_size)
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"{rule}, got {image_size!r}")
    height, width = (whole(side, rule, least=1, most=LARGEST_SIDE) for side in pair)
    return recipe.replace(image={"height": height, "width": width})


def checked_seed(seed: int) -> int:
    """The seed as int.

    Raises:
        ValueError: If it is not a whole number of 63 bits.
    """
    rule = "seed must be a whole number from 0 to 2**63 - 1"
    return whole(seed, rule, least=0, most=rng.LARGEST_SEED)


def _checked_index(index: Tensor) -> Tensor:
    if not isinstance(index, Tensor):
        raise ValueError(f"index must be a tensor of whole numbers, got {index!r:.60}")
    index = index.cpu()
    if index.dim() != 1 or index.dtype not in _WHOLE:
        raise ValueError(
            f"index must be whole numbers of shape (B,), got {index.dtype} of shape "
            f"{tuple(index.shape)}; for one row give torch.tensor([i])"
        )
    if len(index) and int(index.min()) < 0:
        raise ValueError(f"index must not be negative, got {int(index.min())}")
    return index.long()


class Objects(NamedTuple):
    """The objects of B images, each alone: image after image, kind after kind, slot after slot.

    Attributes:
        row: The image of each, int64, shape (N,).
        kind: The place of its kind among the recipe's classes, int64, shape (N,).
        light: Its own noiseless light, blurred as the image is, float32, shape (N, H, W).
    """

    row: Tensor
    kind: Tensor
    light: Tensor


def separate(sample: Sample) -> Objects:
    """Each object of a sample alone; together they add or unite to the clean images."""
    scene = Scene.from_parameters(sample.scene, sample.present)
    device = sample.image.device
    grid = _grid(sample.recipe)
    drawn = list(compose.draw_objects(scene, grid, device=device))
    places = {kind: place for place, kind in enumerate(sample.recipe.classes)}
    row = torch.cat([part.row for part in drawn] or [sample.index[:0]])
    kind = torch.cat([torch.full_like(part.row, places[part.kind]) for part in drawn] or [row])
    light = torch.cat(
        [part.light for part in drawn]
        or [torch.empty(0, *grid.shape, dtype=torch.float32, device=device)]
    )
    order = row.argsort(stable=True)  # within an image they stand by kind and slot already
    return Objects(row[order], kind[order], _blurred(sample.recipe, light[order]))


def _clean(recipe: Recipe, scene: Scene, device: torch.device) -> Tensor:
    """The scene as the telescope sees it, without noise, shape (B, H, W)."""
    return _blurred(
        recipe, compose.compose(scene, _grid(recipe), how=recipe.compose, device=device)
    )


def _grid(recipe: Recipe) -> Grid:
    """The pixels to draw: the image, and as far around it as its blur reaches."""
    if recipe.degrade.blur is None:
        return recipe.grid
    margin = degrade.blur_margin(recipe.degrade.blur.sigma * recipe.grid.shorter)
    return Grid(recipe.grid.height, recipe.grid.width, margin)


def _blurred(recipe: Recipe, light: Tensor) -> Tensor:
    """Light on the pixels of `_grid` as the image has it, shape (N, H, W)."""
    if recipe.degrade.blur is None:
        return light
    return degrade.blur(light, sigma=recipe.degrade.blur.sigma * recipe.grid.shorter)


def _noisy(recipe: Recipe, clean: Tensor, *, seed: int, index: Tensor) -> Tensor:
    """The image with the noise of the recipe, in chunks of rows, shape (B, H, W)."""
    rows = max(1, compose.CHUNK // (clean.shape[1] * clean.shape[2]))
    image = torch.empty_like(clean)
    with torch.inference_mode():
        for place in range(0, len(index), rows):
            part = slice(place, place + rows)
            image[part] = _degrade(recipe, clean[part], seed=seed, index=index[part])
    return image


def _degrade(recipe: Recipe, clean: Tensor, *, seed: int, index: Tensor) -> Tensor:
    poisson, gaussian = recipe.degrade.poisson, recipe.degrade.gaussian
    image = clean
    if poisson is not None:
        image = degrade.add_photon_noise(
            image,
            exposure=poisson.exposure,
            background=poisson.background,
            seed=seed,
            index=index,
        )
    if gaussian is not None:
        image = degrade.add_read_out_noise(image, sigma=gaussian.sigma, seed=seed, index=index)
    return image


def _label(recipe: Recipe, scene: Scene) -> Tensor:
    """Class indices (B,), or which kinds are present (B, K)."""
    there = torch.stack([present.any(dim=1) for present in scene.present.values()], dim=1)
    return there.long().argmax(dim=1) if recipe.label == "class" else there.float()


@cache
def _keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to 16 MiB instead of handing them back to the system.

    It learns that from one such block being freed. Without it each intermediate image costs fresh
    pages: measured 2 to 3 times slower. Nothing is touched, so nothing is spent.
    """
    torch.empty(1 << 22)
