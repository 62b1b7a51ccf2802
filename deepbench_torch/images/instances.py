"""Each object of an image alone, for its box, its mask and its share of the light."""

from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.images.blur import blurred, rendered_grid
from deepbench_torch.images.compose import render_objects
from deepbench_torch.images.scene import Scene
from deepbench_torch.native import run
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import per_pixel
from deepbench_torch.samples import Sample


class Instances(NamedTuple):
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
def render_instances(sample: Sample) -> Instances:
    """Return each object of a sample alone; together their light is that of the clean images.

    But shapes that unite do so before a blur: blurred one by one they unite to less.
    """
    if sample.image.device.type == "cpu":
        return _instances_by_kernels(sample)
    scene = Scene.from_parameters(sample.scene, sample.present)
    grid = rendered_grid(sample.recipe)
    places = {kind: place for place, kind in enumerate(sample.recipe.classes)}
    found = [
        Instances(
            row=drawn.row,
            kind=torch.full_like(drawn.row, places[drawn.kind]),
            slot=drawn.slot.to(drawn.row.device),
            light=blurred(sample.recipe, drawn.light),
            mask=grid.inner(_mask(drawn.light, OBJECTS[drawn.kind].edge(drawn.record))),
        )
        for drawn in render_objects(scene, grid, device=sample.image.device)
    ]
    if not found:
        return _none(sample)
    together = Instances(*(torch.cat(column) for column in zip(*found, strict=True)))
    order = together.row.argsort(stable=True)  # within an image they stand by kind and slot already
    return Instances(*(column[order] for column in together))


def _instances_by_kernels(sample: Sample) -> Instances:
    """Return the same, on the CPU."""
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
    return Instances(row=row, kind=kind, slot=slot, light=light, mask=mask)


def _mask(light: Tensor, edge: Tensor) -> Tensor:
    """Return the pixels of each object by its light and the brightness at its edge, (N, H, W)."""
    return (light >= per_pixel(edge)) & (light > 0)


def _none(sample: Sample) -> Instances:
    """Return the instances of a sample without objects."""
    light = sample.clean[:0, 0]
    nothing = sample.index[:0]
    return Instances(row=nothing, kind=nothing, slot=nothing, light=light, mask=light > 0)
