"""Targets: values that a dataset returns beside the image or series, computed from a sample."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from deepbench_torch.images.instances import Instances, render_instances
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes import Content
from deepbench_torch.samples import AbstractSample, Sample, SeriesSample, own_rows

if TYPE_CHECKING:
    from torchvision.tv_tensors import BoundingBoxes, Mask

Target = str | Sequence[str]

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
        _row_dicts(dict(parameters) | {"present": sample.present[kind]}, len(truth.rows))
        for kind, parameters in sample.scene.items()
    ]
    return [
        {kind: kinds[number][row] for number, kind in enumerate(sample.scene)} for row in truth.rows
    ]


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


# Targets for which every object is rendered alone.
OBJECT_TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "boxes": _boxes,
    "masks": _masks,
    "labels": _labels,
    "slots": _slots,
    "components": _components,
}
# "labels" is a frequent mistake for "label", so it needs one of these beside it
LABELS_BESIDE = {"boxes", "masks", "slots", "components", "label"}
TARGETS: dict[str, Callable[[Truth], list[Any]]] = {
    "label": _label,
    "parameters": _parameters,
    **OBJECT_TARGETS,
    "clean": _clean,
    "index": _index,
}


def _series_parameters(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return each parameter, float32 of shape () or (slots,), and `present` if there are slots.

    `data.samples(...)` returns them in float64, as the simulators used them.
    """
    return _named_rows(sample, sample.parameters)


def _series_used(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return the parameters with noise; those with noise at every step have shape (T,) first."""
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
    """Return rows of columns (count, ...) as dicts of tensors with memory of their own."""
    rows = {name: own_rows(values) for name, values in columns.items()}
    return [{name: values[row] for name, values in rows.items()} for row in range(count)]


def _series_energy(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return kinetic, potential and total energy without noise, float32 of shape (T,) each."""
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
    """Return the target if all its names are targets of the content.

    Raises:
        ValueError: With the first unknown name and all known names.
    """
    table: Mapping[str, object] = TARGETS if content == "image" else SERIES_TARGETS
    if not isinstance(target, str | Sequence) or not target:
        raise _unknown_target(target, content, known=table)
    names = [target] if isinstance(target, str) else list(target)
    for name in names:
        if not isinstance(name, str) or name not in table:
            raise _unknown_target(name, content, known=table)
    if "labels" in names and LABELS_BESIDE.isdisjoint(names):
        raise ValueError(
            f'target "labels": expected "boxes", "masks" or "slots" beside it, got {target!r}; '
            'use "label" for the class of the image, or add "boxes" to detect objects'
        )
    if not {"boxes", "masks"}.isdisjoint(names):
        import_module("torchvision.tv_tensors")  # once, before a loader forks its workers
    return target if isinstance(target, str) else tuple(names)


def _unknown_target(name: object, content: Content, *, known: Iterable[str]) -> ValueError:
    rows = "images" if content == "image" else "time series"
    return ValueError(
        f"target: expected a target of {rows}, got {name!r}; use one of {', '.join(known)}, or a "
        "list of them for a dict by name"
    )


@independent_of_settings
def target_rows(sample: AbstractSample, target: Target) -> list[Any]:
    """Return the target of each row of a sample: a value, or a dict for several names."""
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
    """Return a function from a target's name to its values, one a row."""
    if isinstance(sample, SeriesSample):
        return lambda name: SERIES_TARGETS[name](sample)
    if isinstance(sample, Sample):
        truth = Truth(sample)
        return lambda name: TARGETS[name](truth)
    raise TypeError(
        f"target: expected a sample of images or time series, got a {type(sample).__name__}; use "
        "db.generate"
    )


def is_detection(target: Target) -> bool:
    """Return whether a target differs in shape from row to row, with the number of objects."""
    return not OBJECT_TARGETS.keys().isdisjoint({target} if isinstance(target, str) else target)
