"""Images: the rows of a Recipe, drawn, degraded and labelled."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from deepbench_torch import compose, degrade
from deepbench_torch.native import run
from deepbench_torch.native.plan import known
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid, per_pixel
from deepbench_torch.recipes import Recipe
from deepbench_torch.samples import PresentTables, Sample, SceneTables, own_rows
from deepbench_torch.scenes import Scene

NOISE_CHUNK = 4 * compose.CHUNK  # pixels whose noise is drawn at once
WORKING_MEMORY = 96 << 20  # bytes; the most that a batch takes beyond what it gives


def draw_images(recipe: Recipe, *, seed: int, index: Tensor, device: torch.device) -> Sample:
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


def observe_images(
    recipe: Recipe, *, table: Tensor, present: Tensor, seed: int, index: Tensor
) -> Sample:
    """Return the images of given scenes, the same bits as `draw_images` makes of equal ones.

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


def sample_scene(recipe: Recipe, *, seed: int, index: Tensor) -> tuple[SceneTables, PresentTables]:
    """Return the parameters and the present slots of some rows, without their images.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    table, present, _ = run.make_scenes(recipe, seed, index)
    return _truth(recipe, table, present)


@independent_of_settings
def image_pairs(recipe: Recipe, seed: int, rows: list[int]) -> tuple[Tensor, list[Any]]:
    """Return the images (B, 1, H, W) and the labels of some rows, without all else that is true."""
    image, shown = run.make_pairs(recipe, seed, rows)
    label = _label(recipe, shown)
    return image, label.tolist() if recipe.label == "class" else own_rows(label)


def _truth(recipe: Recipe, table: Tensor, present: Tensor) -> tuple[SceneTables, PresentTables]:
    """The tables of the kernels, by name."""
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
    """Class indices (B,), or which classes are present (B, K)."""
    return shown.argmax(dim=1) if recipe.label == "class" else shown


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
    if sample.image.device.type == "cpu":
        return _separate_by_kernels(sample)
    scene = Scene.from_parameters(sample.scene, sample.present)
    grid = _grid(sample.recipe)
    places = {kind: place for place, kind in enumerate(sample.recipe.classes)}
    found = [
        Objects(
            row=drawn.row,
            kind=torch.full_like(drawn.row, places[drawn.kind]),
            slot=drawn.slot.to(drawn.row.device),
            light=_blurred(sample.recipe, drawn.light),
            mask=grid.inner(_mask(drawn.light, OBJECTS[drawn.kind].edge(drawn.record))),
        )
        for drawn in compose.draw_objects(scene, grid, device=sample.image.device)
    ]
    if not found:
        return _none(sample)
    together = Objects(*(torch.cat(column) for column in zip(*found, strict=True)))
    order = together.row.argsort(stable=True)  # within an image they stand by kind and slot already
    return Objects(*(column[order] for column in together))


def _separate_by_kernels(sample: Sample) -> Objects:
    """The same, on the CPU."""
    classes, objects = sample.recipe.classes, list(sample.recipe.objects)
    present = torch.stack([sample.present[kind] for kind in classes], dim=1)  # (B, K, slots)
    row, kind, slot = present.nonzero().unbind(1)
    edges = torch.stack(
        [OBJECTS[name].edge(OBJECTS[name].record(**sample.scene[name])) for name in classes], dim=1
    )  # (B, K, slots)
    nothing = torch.zeros(len(present), present.shape[2], dtype=torch.float32, device="cpu")
    table = [
        sample.scene[name][field] if name in classes else nothing
        for name in objects
        for field in OBJECTS[name].parameters
    ]
    numbers = torch.tensor(
        [objects.index(name) for name in classes], dtype=torch.int64, device="cpu"
    )
    sharp, light = run.make_lights(
        sample.recipe, torch.stack(table), row=row, kind=numbers[kind], slot=slot
    )
    mask = _mask(sharp, edges[row, kind, slot])
    return Objects(row=row, kind=kind, slot=slot, light=light, mask=mask)


def _mask(light: Tensor, edge: Tensor) -> Tensor:
    """The pixels of each object, from its light and the brightness at its edge: (N, H, W)."""
    return (light >= per_pixel(edge)) & (light > 0)


def _none(sample: Sample) -> Objects:
    """No objects at all."""
    light = sample.clean[:0, 0]
    nothing = sample.index[:0]
    return Objects(row=nothing, kind=nothing, slot=nothing, light=light, mask=light > 0)


def _clean(
    recipe: Recipe, scene: Scene, device: torch.device, *, differentiable: bool = False
) -> Tensor:
    """The scene as the telescope sees it, without noise, shape (B, H, W)."""
    light = compose.compose(
        scene, _grid(recipe), how=recipe.compose, device=device, differentiable=differentiable
    )
    return _blurred(recipe, light)


def _grid(recipe: Recipe) -> Grid:
    """The pixels to draw: the image, and as far around it as its blur reaches."""
    if recipe.degrade.blur is None:
        return recipe.grid
    margin = degrade.blur_margin(recipe.degrade.blur.sigma * recipe.grid.shorter)
    return Grid(recipe.grid.height, recipe.grid.width, margin=margin)


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
