"""Batches of rows whose number of objects differs, for torchvision's detection networks."""

from collections.abc import Sequence
from typing import Any

from torch.utils.data._utils.collate import default_collate_fn_map


class DetectionRow(tuple[Any, Any]):
    """Row with detection targets: data and target, which torch's `default_collate` recognises."""

    __slots__ = ()


def collate_detection(batch: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    """Return a batch for torchvision's detection networks: lists of images and of targets.

    Images of one batch may hold different numbers of objects, so their targets are not stacked.
    A stock DataLoader uses this for rows with boxes, masks, labels, slots or components.

    Args:
        batch: Rows of data and target, of a target with boxes, masks, labels, slots or components.

    Returns:
        Images, each of shape (C, H, W), and their targets, each a dict of tensors.

    Example:
        >>> import deepbench_torch as db
        >>> data = db.Catalogue("sky", size=4, target=["boxes", "labels"])
        >>> images, targets = db.collate_detection([data[0], data[1]])
        >>> len(images), sorted(targets[0])
        (2, ['boxes', 'labels'])
    """
    images, targets = zip(*batch, strict=True)
    return list(images), list(targets)


def _collate_rows(
    batch: Sequence[tuple[Any, Any]], *, collate_fn_map: object = None
) -> tuple[list[Any], list[Any]]:
    """Call `collate_detection` with the arguments that `default_collate` passes."""
    return collate_detection(batch)


# torch's documented way to extend `default_collate`; no other type is touched
default_collate_fn_map[DetectionRow] = _collate_rows
