"""Composition: the light of a scene's objects, together and each alone."""

from collections.abc import Iterator
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


def render_objects(scene: Scene, grid: Grid, *, device: torch.device) -> Iterator[RenderedObjects]:
    """Yield the objects that are present, kind by kind and slot by slot, in chunks.

    Args:
        scene: B scenes.
        grid: Pixel centres of an H by W image.
        device: Device that renders.
    """
    per_chunk = max(1, pixels_together(device) // (grid.shape[0] * grid.shape[1]))
    for kind, present in scene.present.items():
        definition = OBJECTS[kind]
        for slot, row in (pair.unbind(1) for pair in torch.split(present.T.nonzero(), per_chunk)):
            if len(row):
                table = scene.tables[kind][:, row, slot].to(device)
                record = definition.record(*table)
                yield RenderedObjects(
                    kind, slot, row.to(device), record, definition.render_unchecked(record, grid)
                )


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
    batch = len(next(iter(scene.present.values())))
    image = torch.zeros(batch, *grid.shape, dtype=torch.float32, device=device)
    with torch.inference_mode(not differentiable):  # each small step costs less
        _put_together(image, scene, grid, how=how)
    return image


def _put_together(image: Tensor, scene: Scene, grid: Grid, *, how: Literal["sum", "union"]) -> None:
    """Add the objects to `image`, or unite them with it."""
    for drawn in render_objects(scene, grid, device=image.device):
        # slot by slot: then no image comes twice, and sums have one order
        parts = torch.bincount(drawn.slot).tolist()
        rows, lights = torch.split(drawn.row, parts), torch.split(drawn.light, parts)
        for row, light in zip(rows, lights, strict=True):
            if how == "sum":
                image.index_add_(0, row, light)
            else:
                image[row] = torch.maximum(image[row], light)
