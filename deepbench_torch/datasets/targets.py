"""Targets: what a dataset hands out beside the image or series, row by row, from a sample."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.data._utils.collate import default_collate_fn_map
from torchvision import tv_tensors

from deepbench_torch.images import Objects, separate
from deepbench_torch.recipes import Content
from deepbench_torch.samples import AbstractSample, Sample, SeriesSample, own_rows
from deepbench_torch.settings import independent_of_settings

Target = str | Sequence[str]

OBJECT_PIXELS = 1 << 22  # of objects drawn alone at once: 16 MiB of light, whatever the batch


class Truth:
    """A sample and its objects, drawn one by one when a target first needs them.

    Boxes, masks and labels are of the objects in view, in one order: those that have a pixel of
    their mask in the frame. Components are of all objects.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    @cached_property
    def objects(self) -> Objects:
        """All objects, each alone."""
        return separate(self.sample)

    @cached_property
    def in_view(self) -> list[Tensor]:
        """For each row, the places of its objects in view among all objects."""
        seen = self.objects.mask.flatten(1).any(1)
        return [((self.objects.row == row) & seen).nonzero()[:, 0] for row in self.rows]

    @property
    def rows(self) -> range:
        """The rows of the sample."""
        return range(len(self.sample.index))


def _label(truth: Truth) -> list[Any]:
    """The class index as int, or which kinds are present as float32 of shape (K,)."""
    label = truth.sample.label
    return label.tolist() if label.dim() == 1 else own_rows(label)


def _index(truth: Truth) -> list[int]:
    """The row number as int."""
    return [int(index) for index in truth.sample.index.tolist()]


def _clean(truth: Truth) -> list[Tensor]:
    """The image without noise, float32 of shape (1, H, W)."""
    return own_rows(truth.sample.clean)


def _parameters(truth: Truth) -> list[dict[str, dict[str, Tensor]]]:
    """By kind: each parameter, in pixels and radians, and `present`; all of shape (slots,)."""
    sample = truth.sample
    kinds = [
        _row_dicts(parameters | {"present": sample.present[kind]}, len(truth.rows))
        for kind, parameters in sample.scene.items()
    ]
    return [
        {kind: kinds[number][row] for number, kind in enumerate(sample.scene)} for row in truth.rows
    ]


def _components(truth: Truth) -> list[Tensor]:
    """Each object's own noiseless light, float32 of shape (N, H, W)."""
    return [truth.objects.light[truth.objects.row == row] for row in truth.rows]


def _masks(truth: Truth) -> list[tv_tensors.Mask]:
    """The pixels of each object in view, whatever stands before it: uint8 of shape (N, H, W)."""
    masks = (truth.objects.mask[places].to(torch.uint8) for places in truth.in_view)
    return [tv_tensors.Mask(mask, dtype=mask.dtype, device=mask.device) for mask in masks]


def _boxes(truth: Truth) -> list[tv_tensors.BoundingBoxes]:
    """The smallest box round each mask, XYXY, float32 of shape (N, 4).

    Between pixel edges, as torchvision counts: the first column reaches from 0 to 1.
    """
    size = (truth.sample.image.shape[2], truth.sample.image.shape[3])
    found = (mask_boxes(truth.objects.mask[places]) for places in truth.in_view)
    return [
        tv_tensors.BoundingBoxes(
            boxes, format="XYXY", canvas_size=size, dtype=boxes.dtype, device=boxes.device
        )
        for boxes in found
    ]


def _labels(truth: Truth) -> list[Tensor]:
    """The kind of each object in view, int64 of shape (N,): from 1 on, for 0 is background."""
    return [truth.objects.kind[places] + 1 for places in truth.in_view]


def _slots(truth: Truth) -> list[Tensor]:
    """The slot of each object in view among the parameters of its kind, int64 of shape (N,)."""
    return [truth.objects.slot[places] for places in truth.in_view]


def mask_boxes(masks: Tensor) -> Tensor:
    """The smallest boxes round masks (N, H, W), none of them empty: XYXY, float32, shape (N, 4)."""
    columns, rows = masks.any(1), masks.any(2)  # (N, W), (N, H)
    (left, right), (top, bottom) = _ends(columns), _ends(rows)
    return torch.stack((left, top, right, bottom), dim=1).float()


def _ends(there: Tensor) -> tuple[Tensor, Tensor]:
    """The first place that is true, and the one after the last; shape (N,) each."""
    there = there.int()
    return there.argmax(1), there.shape[1] - there.flip(1).argmax(1)


# Those for which every object is drawn alone.
OBJECT_TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "boxes": _boxes,
    "masks": _masks,
    "labels": _labels,
    "slots": _slots,
    "components": _components,
}
LABELS_BESIDE = {"boxes", "masks", "slots", "components", "label"}  # one says that it is meant
TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "label": _label,
    "parameters": _parameters,
    **OBJECT_TARGETS,
    "clean": _clean,
    "index": _index,
}


def _series_parameters(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Each parameter by name, float32 of shape () or (slots,), and `present` if there are slots.

    `data.samples(...)` returns them in float64, as the simulators used them.
    """
    return _named_rows(sample, sample.parameters)


def _series_used(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """The same with noise; those with noise for every step of shape (T,) or (T, slots)."""
    return _named_rows(sample, sample.used)


def _named_rows(sample: SeriesSample, named: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    columns = dict(named)
    if sample.recipe.system in sample.present:
        columns["present"] = sample.present[sample.recipe.system]
    single = {name: _single(values) for name, values in columns.items()}
    return _row_dicts(single, len(sample.index))


def _single(values: Tensor) -> Tensor:
    return values.float() if values.is_floating_point() else values


def _row_dicts(columns: Mapping[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    """The rows of some columns (count, ...) as dicts of tensors with memory of their own."""
    rows = {name: own_rows(values) for name, values in columns.items()}
    return [{name: values[row] for name, values in rows.items()} for row in range(count)]


def _series_energy(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Kinetic, potential and total energy of the clean motion, float32 of shape (T,) each."""
    kinetic, potential = sample.kinetic, sample.potential
    return _row_dicts(
        {"kinetic": kinetic, "potential": potential, "total": kinetic + potential},
        len(sample.index),
    )


SERIES_TARGETS: dict[str, Callable[[SeriesSample], list[Any]]] = {
    "label": lambda sample: own_rows(sample.label),
    "parameters": _series_parameters,
    "used": _series_used,
    "clean": lambda sample: own_rows(sample.clean),
    "energy": _series_energy,
    "index": lambda sample: sample.index.tolist(),
}


def check_target(target: Target, content: Content = "image") -> Target:
    """The target if every name in it is one of rows of such content.

    Raises:
        ValueError: Naming the first that is not, and all that are.
    """
    table: Mapping[str, object] = TARGETS if content == "image" else SERIES_TARGETS
    known = (
        f"a target of {'images' if content == 'image' else 'time series'} is one of "
        f"{', '.join(table)}, or a list of them for a dict by name"
    )
    if not isinstance(target, str | Sequence) or not target:
        raise ValueError(f"there is no target {target!r}; {known}")
    names = [target] if isinstance(target, str) else list(target)
    for name in names:
        if not isinstance(name, str) or name not in table:
            raise ValueError(f"there is no target {name!r}; {known}")
    if "labels" in names and LABELS_BESIDE.isdisjoint(names):
        raise ValueError(
            f'target "labels": expected "boxes", "masks" or "slots" beside it, got {target!r}; '
            'use "label" for the class of the image, or add "boxes" to detect objects'
        )
    return target if isinstance(target, str) else tuple(names)


@independent_of_settings
def target_rows(sample: AbstractSample, target: Target) -> list[Any]:
    """The target of each row of a sample: a value, or a dict by name for several names."""
    names = {target} if isinstance(target, str) else set(target)
    if isinstance(sample, Sample) and names & OBJECT_TARGETS.keys():
        return [row for part in sample.parts(OBJECT_PIXELS) for row in _rows(part, target)]
    return _rows(sample, target)


def _rows(sample: AbstractSample, target: Target) -> list[Any]:
    column = _columns(sample)
    if isinstance(target, str):
        return column(target)
    columns = [column(name) for name in target]
    return [dict(zip(target, row, strict=True)) for row in zip(*columns, strict=True)]


def _columns(sample: AbstractSample) -> Callable[[str], list[Any]]:
    """From a target's name to its values, one a row."""
    if isinstance(sample, SeriesSample):
        return lambda name: SERIES_TARGETS[name](sample)
    if isinstance(sample, Sample):
        truth = Truth(sample)
        return lambda name: TARGETS[name](truth)
    raise TypeError(f"there are no targets of a {type(sample).__name__}")


class DetectionRow(tuple[Any, Any]):
    """A row with detection targets: data and target, which torch's `default_collate` recognises."""

    __slots__ = ()


def is_detection(target: Target) -> bool:
    """Return whether a target differs in shape from row to row, with the number of objects."""
    return not OBJECT_TARGETS.keys().isdisjoint({target} if isinstance(target, str) else target)


def collate_detection(batch: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    """Return a batch as torchvision's detection networks take it: lists of images and of targets.

    Images of one batch may hold different numbers of objects, so their targets are not stacked.
    A stock DataLoader uses this for rows with boxes, masks, labels, slots or components.

    Args:
        batch: Rows of data and target.
    """
    images, targets = zip(*batch, strict=True)
    return list(images), list(targets)


def _collate_rows(
    batch: Sequence[tuple[Any, Any]], *, collate_fn_map: object = None
) -> tuple[list[Any], list[Any]]:
    """`collate_detection`, as `default_collate` calls what is registered for a type."""
    return collate_detection(batch)


# torch's documented way to extend `default_collate`; no other type is touched
default_collate_fn_map[DetectionRow] = _collate_rows
