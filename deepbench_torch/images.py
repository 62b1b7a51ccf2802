"""Images: the rows of a Recipe, drawn, degraded and labelled."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch import compose, degrade, layouts
from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import Recipe
from deepbench_torch.samples import Sample
from deepbench_torch.scenes import Scene
from deepbench_torch.settings import independent_of_settings

NOISE_CHUNK = 4 * compose.CHUNK  # pixels whose noise is drawn at once
WORKING_MEMORY = 96 << 20  # bytes; the most that a batch takes beyond what it gives


def draw_images(recipe: Recipe, *, seed: int, index: Tensor, device: torch.device) -> Sample:
    """The images of some rows; images, label and index on `device`, the scene on the CPU.

    The work is done in chunks: beyond its images, with and without noise, and its parameters a
    batch takes WORKING_MEMORY at most, and with a blur the light round the frame.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        device: Where images are drawn.
    """
    with torch.inference_mode():  # no gradient is asked for: each small step costs less
        drawn = layouts.draw_scene(recipe, seed=seed, index=index)
    scene = drawn.clone()
    index = index.to(device)
    clean = _clean(recipe, scene, device)
    return Sample(
        image=_noisy(recipe, clean, seed=seed, index=index)[:, None],
        clean=clean[:, None],
        label=_label(recipe, scene).to(device),
        index=index,
        scene=scene.parameters,
        present=scene.present,
        recipe=recipe,
    )


class Objects(NamedTuple):
    """The objects of B images, each alone: image after image, kind after kind, slot after slot.

    Attributes:
        row: The image of each, int64, shape (N,).
        kind: The place of its kind among the recipe's classes, int64, shape (N,).
        slot: Its slot, int64, shape (N,).
        light: Its own noiseless light, blurred as the image is, float32, shape (N, H, W).
        mask: The pixels that belong to it, bool, shape (N, H, W): those in which its own light,
            before any blur, is at least that of its edge. The edge of a star has a tenth of the
            light of its centre, and so has that of a spiral; that of a galaxy is the ellipse that
            holds half of its light; that of a shape is its own.
    """

    row: Tensor
    kind: Tensor
    slot: Tensor
    light: Tensor
    mask: Tensor


@independent_of_settings
def separate(sample: Sample) -> Objects:
    """Each object of a sample alone; their light adds to the clean images, or unites to them.

    But shapes that unite do so before a blur: blurred one by one they unite to less.
    """
    scene = Scene.from_parameters(sample.scene, sample.present)
    grid = _grid(sample.recipe)
    places = {kind: place for place, kind in enumerate(sample.recipe.classes)}
    found = [
        Objects(
            row=drawn.row,
            kind=torch.full_like(drawn.row, places[drawn.kind]),
            slot=drawn.slot.to(drawn.row.device),
            light=_blurred(sample.recipe, drawn.light),
            mask=grid.inner(_mask(drawn)),
        )
        for drawn in compose.draw_objects(scene, grid, device=sample.image.device)
    ]
    if not found:
        return _none(sample)
    together = Objects(*(torch.cat(column) for column in zip(*found, strict=True)))
    order = together.row.argsort(stable=True)  # within an image they stand by kind and slot already
    return Objects(*(column[order] for column in together))


def _mask(drawn: compose.Drawn) -> Tensor:
    """The pixels of each object, of those drawn: bool, shape (N, H, W)."""
    edge = OBJECTS[drawn.kind].edge(drawn.record)
    return (drawn.light >= per_pixel(edge)) & (drawn.light > 0)


def _none(sample: Sample) -> Objects:
    """No objects at all."""
    light = sample.clean[:0, 0]
    nothing = sample.index[:0]
    return Objects(row=nothing, kind=nothing, slot=nothing, light=light, mask=light > 0)


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
    """Light on the pixels of `_grid` as the image has it, in chunks of rows, shape (N, H, W)."""
    if recipe.degrade.blur is None:
        return light
    sigma = recipe.degrade.blur.sigma * recipe.grid.shorter
    seen = light.new_empty(len(light), *recipe.grid.shape)
    for part in _chunks(light):
        seen[part] = degrade.blur(light[part], sigma=sigma)
    return seen


def _chunks(images: Tensor, *, pixels: int = compose.CHUNK) -> Iterator[slice]:
    """The rows of images (N, H, W), so many pixels at once."""
    rows = max(1, pixels // (images.shape[1] * images.shape[2]))
    return (slice(start, start + rows) for start in range(0, len(images), rows))


def _noisy(recipe: Recipe, clean: Tensor, *, seed: int, index: Tensor) -> Tensor:
    """The image with the noise of the recipe, in chunks of rows, shape (B, H, W)."""
    image = torch.empty_like(clean)
    with torch.inference_mode():
        for part in _chunks(clean, pixels=NOISE_CHUNK):
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
