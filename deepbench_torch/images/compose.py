"""Composition: the light of a scene's objects, together and each alone."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from deepbench_torch.images.scene import Scene
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid

CHUNK = 1 << 18  # pixels rendered together: 1 MiB an intermediate, whatever the batch
GPU_CHUNK = 1 << 24  # the same on a GPU, whose kernels need more pixels to be busy: 64 MiB


class RenderedObjects(NamedTuple):
    """Objects of one kind, each alone on its own image.

    Attributes:
        kind: Their kind.
        slot: The slot of each, int64, shape (N,), rising.
        row: The image that each belongs to, int64, shape (N,), rising within a slot.
        record: Their parameters, as the kind's record.
        light: Their light, shape (N, H, W).
    """

    kind: str
    slot: Tensor
    row: Tensor
    record: tuple[Tensor, ...]
    light: Tensor


Render = Callable[[str, tuple[Tensor, ...], Tensor], Tensor]
"""From a kind, the record of some objects and their images: their light, shape (N, H, W)."""


def render_objects(
    scene: Scene, grid: Grid, *, device: torch.device, render: Render | None = None
) -> Iterator[RenderedObjects]:
    """Yield the objects that are present, kind by kind and slot by slot, in chunks.

    Args:
        scene: B scenes.
        grid: Pixel centres of an H by W image.
        device: Device that renders.
        render: Function that renders objects; by default each by the formula of its kind.
    """
    per_chunk = max(1, pixels_together(device) // (grid.shape[0] * grid.shape[1]))
    for kind in scene.tables:
        definition, present = OBJECTS[kind], scene.present[kind]
        for slot, row in (pair.unbind(1) for pair in torch.split(present.T.nonzero(), per_chunk)):
            if len(row):
                table = scene.tables[kind][:, row, slot].to(device)
                record, row = definition.record(*table), row.to(device)
                light = (
                    definition.render_unchecked(record, grid)
                    if render is None
                    else render(kind, record, row)
                )
                yield RenderedObjects(kind, slot, row, record, light)


def pixels_together(device: torch.device) -> int:
    """Return how many pixels of objects are rendered together."""
    return CHUNK if device.type == "cpu" else GPU_CHUNK


def compose(
    scene: Scene,
    grid: Grid,
    *,
    how: Literal["sum", "union"],
    device: torch.device,
    differentiable: bool = False,
) -> Tensor:
    """Return the light of each scene.

    Args:
        scene: B scenes.
        grid: Pixel centres of an H by W image.
        how: "sum" where light adds up, "union" for the brightest object in each pixel.
        device: Device that renders.
        differentiable: Whether gradients by the parameters are needed.

    Returns:
        float32, shape (B, H, W).
    """
    batch = len(next(iter(scene.present.values()), ()))
    image = torch.zeros(batch, *grid.shape, dtype=torch.float32, device=device)
    with torch.inference_mode(not differentiable):  # each small step costs less
        add_objects(image, render_objects(scene, grid, device=device), how=how)
    return image


def add_objects(
    image: Tensor, objects: Iterable[RenderedObjects], *, how: Literal["sum", "union"]
) -> None:
    """Add objects to `image`, shape (B, H, W), in place, or unite them with it."""
    for rendered in objects:
        # slot by slot: then no image comes twice, and sums have one order
        parts = torch.bincount(rendered.slot).tolist()
        rows, lights = torch.split(rendered.row, parts), torch.split(rendered.light, parts)
        for row, light in zip(rows, lights, strict=True):
            if how == "sum":
                image.index_add_(0, row, light)
            else:
                image[row] = torch.maximum(image[row], light)
