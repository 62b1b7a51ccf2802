"""Targets of images: values that a dataset returns beside an image, computed from a sample."""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from deepbench_torch.images.instances import Instances, render_instances, signal_to_noise
from deepbench_torch.samples import Sample, own_rows, row_dicts, vector_rows

if TYPE_CHECKING:
    from torchvision.tv_tensors import BoundingBoxes, Mask

OBJECT_PIXELS = 1 << 22  # pixels of objects rendered alone in one batch: 16 MiB of light


class Truth:
    """A sample and its objects, rendered one by one when a target first needs them.

    Boxes, masks and labels have one entry for each object in view, in one order. An object is in
    view if its mask has a pixel in the frame. Components have one entry for every object.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    @cached_property
    def objects(self) -> Instances:
        """All objects, each rendered alone."""
        return render_instances(self.sample)

    @cached_property
    def in_view(self) -> list[Tensor]:
        """Indices of each row's objects in view among all objects."""
        in_view = self.objects.mask.flatten(1).any(1)
        return [((self.objects.row == row) & in_view).nonzero()[:, 0] for row in self.rows]

    @property
    def rows(self) -> range:
        """Rows of the sample."""
        return range(len(self.sample.index))


def _label(truth: Truth) -> list[Any]:
    """Return the class index as int, or the kinds present as float32 of shape (K,)."""
    label = truth.sample.label
    return label.tolist() if label.dim() == 1 else own_rows(label)


def _index(truth: Truth) -> list[int]:
    """Return the row number as int."""
    return [int(index) for index in truth.sample.index.tolist()]


def _clean(truth: Truth) -> list[Tensor]:
    """Return the image without noise, float32 of shape (1, H, W)."""
    return own_rows(truth.sample.clean)


def _parameters(truth: Truth) -> list[dict[str, dict[str, Tensor]]]:
    """Return each kind's parameters, in pixels and radians, and `present`; shape (slots,) each."""
    sample = truth.sample
    kinds = [
        row_dicts(dict(parameters) | {"present": sample.present[kind]}, len(truth.rows))
        for kind, parameters in sample.scene.items()
    ]
    return [
        {kind: kinds[number][row] for number, kind in enumerate(sample.scene)} for row in truth.rows
    ]


def _conditions(truth: Truth) -> list[dict[str, Tensor]]:
    """Return the conditions by name, in pixels and radians, float32 of shape () each."""
    return row_dicts(truth.sample.conditions, len(truth.rows))


def _components(truth: Truth) -> list[Tensor]:
    """Return each object's own noiseless light, float32 of shape (N, H, W)."""
    return [truth.objects.light[truth.objects.row == row] for row in truth.rows]


def _masks(truth: Truth) -> list["Mask"]:
    """Return the pixels of each object in view, also if covered: uint8 of shape (N, H, W)."""
    from torchvision.tv_tensors import Mask  # slow to import

    masks = (truth.objects.mask[indices].to(torch.uint8) for indices in truth.in_view)
    return [Mask(mask, dtype=mask.dtype, device=mask.device) for mask in masks]


def _boxes(truth: Truth) -> list["BoundingBoxes"]:
    """Return the smallest box round each mask, XYXY, float32 of shape (N, 4).

    Boxes are measured at pixel edges, as in torchvision: the first column is from 0 to 1.
    """
    from torchvision.tv_tensors import BoundingBoxes  # slow to import

    size = (truth.sample.image.shape[2], truth.sample.image.shape[3])
    batches = (mask_boxes(truth.objects.mask[indices]) for indices in truth.in_view)
    return [
        BoundingBoxes(
            boxes, format="XYXY", canvas_size=size, dtype=boxes.dtype, device=boxes.device
        )
        for boxes in batches
    ]


def _labels(truth: Truth) -> list[Tensor]:
    """Return the kind of each object in view, int64 of shape (N,), from 1 on; 0 is background."""
    return [truth.objects.kind[indices] + 1 for indices in truth.in_view]


def _slots(truth: Truth) -> list[Tensor]:
    """Return the slot of each object in view among those of its kind, int64 of shape (N,)."""
    return [truth.objects.slot[indices] for indices in truth.in_view]


def _snr(truth: Truth) -> list[Tensor]:
    """Return the signal-to-noise ratio of each object in view, float32 of shape (N,)."""
    ratios = signal_to_noise(truth.sample, truth.objects)
    return [ratios[indices] for indices in truth.in_view]


def mask_boxes(masks: Tensor) -> Tensor:
    """Return the smallest boxes round masks, XYXY, float32, shape (N, 4).

    Args:
        masks: Masks, bool, shape (N, H, W), none of them empty.
    """
    columns, rows = masks.any(1), masks.any(2)  # (N, W), (N, H)
    (left, right), (top, bottom) = _ends(columns), _ends(rows)
    return torch.stack((left, top, right, bottom), dim=1).float()


def _ends(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first index that is true, and one more than the last; shape (N,) each."""
    numbers = occupied.int()
    return numbers.argmax(1), numbers.shape[1] - numbers.flip(1).argmax(1)


def image_vectors(truth: Truth, name: str | None = None) -> list[Tensor]:
    """Return the columns of `recipe.vector`, of all parameters or of one, float32 of shape (D,)."""
    return vector_rows(truth.sample, name)


# Targets for which every object is rendered alone.
OBJECT_TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "boxes": _boxes,
    "masks": _masks,
    "labels": _labels,
    "slots": _slots,
    "snr": _snr,
    "components": _components,
}
TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "label": _label,
    "parameters": _parameters,
    "conditions": _conditions,
    "vector": image_vectors,
    **OBJECT_TARGETS,
    "clean": _clean,
    "index": _index,
}


def image_truths(sample: Sample, names: Collection[str]) -> Iterator[Truth]:
    """Yield what targets are computed from; in parts if objects are rendered alone."""
    if OBJECT_TARGETS.keys().isdisjoint(names):
        yield Truth(sample)
    else:
        yield from map(Truth, sample.parts(OBJECT_PIXELS))
