"""Checks of the arguments of a classifier, and of the data for it."""

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Subset

from deepbench_torch.datasets import PairDataset, RowDataset
from deepbench_torch.datasets.collection import Collection
from deepbench_torch.datasets.streams import CatalogueStream
from deepbench_torch.datasets.view import DatasetView
from deepbench_torch.numerics.checks import is_number
from deepbench_torch.recipes import require_images

REMEDY = "use Classifier(classes=data.classes, multilabel={multilabel})"


def class_names(classes: object, *, multilabel: object) -> list[str]:
    """Return the names of classes as a list.

    Args:
        classes: Names, in the order of the labels.
        multilabel: Whether an image may have several labels.

    Raises:
        ValueError: If the names have no order, repeat, or are too few to learn.
    """
    if not isinstance(multilabel, bool):
        raise ValueError(
            f"Classifier.multilabel: expected True or False, got {multilabel!r}; write True if an "
            "image may have several labels"
        )
    rule = "Classifier.classes: expected the names of the labels in their order"
    if isinstance(classes, str):
        raise ValueError(f"{rule}, got the text {classes!r}; write [{classes!r}, ...]")
    if isinstance(classes, Set | Mapping) or not isinstance(classes, Sequence):
        raise ValueError(f"{rule}, got {classes!r}; use a list such as data.classes")
    if not all(isinstance(name, str) for name in classes):
        raise ValueError(f"{rule}, got {classes!r}; use texts, such as data.classes")
    names = [str(name) for name in classes]
    if len(set(names)) < len(names):
        raise ValueError(f"{rule}, each once, got {names}; remove the repeated names")
    if len(names) < (1 if multilabel else 2):
        raise ValueError(
            f"{rule}, at least {'one' if multilabel else 'two'}, got {names}; add names, "
            "as in data.classes"
        )
    return names


def rate(value: object, name: str, *, zero: bool) -> float:
    """Return a rate as float.

    Args:
        value: Rate.
        name: Name of the argument, for the error message.
        zero: Whether zero is allowed.

    Raises:
        ValueError: If it is not a finite number above (or at) zero.
    """
    rule = f"{name}: expected a {'number >= 0' if zero else 'positive number'}"
    if isinstance(value, str):
        remedy = f"write {value} without quotes" if is_number(value) else "write a number"
        raise ValueError(f"{rule}, got the text {value!r}; {remedy} (YAML reads 1e-3 as a text)")
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        number = math.nan
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ValueError(f"{rule}, got {value!r}; the paper uses lr=0.524 and weight_decay=0.00125")
    return number


def check_dataset(dataset: object, *, classes: list[str], multilabel: bool) -> None:
    """Check that a dataset has the labels of a classifier.

    A dataset of another package is compared by its attribute `classes` only, if it exists.

    Raises:
        ValueError: If one of both has several labels an image, or the names or their order differ.
    """
    if isinstance(dataset, DatasetView) and dataset.has_transforms:
        return
    if isinstance(dataset, Subset | DatasetView):
        check_dataset(dataset.dataset, classes=classes, multilabel=multilabel)
    elif isinstance(dataset, ConcatDataset):
        for part in dataset.datasets:
            check_dataset(part, classes=classes, multilabel=multilabel)
    elif isinstance(dataset, CatalogueStream):
        check_dataset(dataset.source, classes=classes, multilabel=multilabel)
    elif isinstance(dataset, RowDataset | Collection):
        if dataset.target_transform is None and dataset.transforms is None:
            _check_labels(dataset, classes=classes, multilabel=multilabel)
    elif not isinstance(dataset, PairDataset):
        names = getattr(dataset, "classes", None)
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            _check_names(names, classes=classes, multilabel=multilabel)


def _check_labels(
    dataset: RowDataset | Collection, *, classes: list[str], multilabel: bool
) -> None:
    members: list[Any] = dataset.members if isinstance(dataset, Collection) else [dataset]
    remedy = "write a LightningModule of your own for other rows"
    require_images(members[0].recipe, "Classifier", remedy=remedy)
    if isinstance(dataset, Collection) and dataset.target == "domain":
        names, several = dataset.domains, False
    elif dataset.target == "label":
        measured = [m.recipe.name for m in members if not m.recipe.class_labels]
        if measured:
            raise ValueError(
                f"Classifier: expected labels that are classes, got numbers of {measured[0]}; use "
                'recipe.replace(label="class"), or write a LightningModule of your own'
            )
        names, several = dataset.classes, not all(m.recipe.single_label for m in members)
    else:
        raise ValueError(
            f"Classifier: expected data with target='label', got target={dataset.target!r}; omit "
            "target"
        )
    if several != multilabel:
        labels = "several labels" if several else "one label"
        recipes = " and ".join(member.recipe.name for member in members)
        raise ValueError(
            f"Classifier.multilabel: expected {several} for {labels} an image of {recipes}, "
            f"got {multilabel}; " + REMEDY.format(multilabel=several)
        )
    _check_names(names, classes=classes, multilabel=multilabel)


def _check_names(names: list[str], *, classes: list[str], multilabel: bool) -> None:
    """Check the number of names, and the position of each name that both have."""
    moved = any(name in names and names.index(name) != i for i, name in enumerate(classes))
    if len(names) != len(classes) or moved:
        raise ValueError(
            f"Classifier.classes: expected the {len(names)} classes of the data in their order, "
            f"{names}, got {classes}; " + REMEDY.format(multilabel=multilabel)
        )


def check_images(image: object, *, where: str = "Classifier", channels: int | None = 3) -> Tensor:
    """Return a batch of images.

    Args:
        image: Images.
        where: Name of the module, for the error message.
        channels: Number of channels that the network reads; None for any.

    Raises:
        ValueError: If it is not a tensor of shape (B, 1, H, W) or (B, channels, H, W).
    """
    if isinstance(image, Tensor) and not image.is_floating_point():
        raise ValueError(
            f"{where}: expected images of float32, got {image.dtype}; convert them with "
            "image.float(), or omit to_uint8 among the transforms"
        )
    if isinstance(image, Tensor) and image.dim() == 4 and image.shape[1] in (1, channels):
        return image
    if isinstance(image, Tensor) and image.dim() == 4 and channels is None:
        return image
    found = (
        f"shape {tuple(image.shape)}" if isinstance(image, Tensor) else f"{type(image).__name__}"
    )
    shapes = "(B, 1, H, W)" + (f" or (B, {channels}, H, W)" if channels not in (1, None) else "")
    raise ValueError(
        f"{where}: expected images as a tensor {shapes}, got {found}; use batches (image, label) "
        "of a DataLoader"
    )


def check_batch(
    batch: object,
    *,
    classes: list[str],
    multilabel: bool,
    values: bool,
    channels: int | None = 3,
) -> tuple[Tensor, Tensor]:
    """Return images and labels of a batch.

    Args:
        batch: Images and labels, as the loader returns them.
        classes: Names of the labels.
        multilabel: Whether an image may have several labels.
        values: Whether to check the values of the labels too.
        channels: Number of channels that the network reads; None for any.

    Returns:
        Images, and labels: int64 (B,), or float (B, K) for several labels or mixed images.

    Raises:
        ValueError: If images or labels have another type, shape or range.
    """
    if not isinstance(batch, Sequence) or len(batch) != 2 or not isinstance(batch[1], Tensor):
        raise ValueError(
            f"Classifier: expected batches (image, label), got {_kinds(batch)}; use data with "
            "target='label'"
        )
    image, label = check_images(batch[0], channels=channels), batch[1]
    count, images = len(classes), len(image)
    several, one = tuple(label.shape) == (images, count), tuple(label.shape) == (images,)
    if multilabel and several:
        _check_range(label, 1, values=values)
        return image, label if label.is_floating_point() else label.float()
    if not multilabel and one and not (label.is_floating_point() or label.is_complex()):
        _check_range(label, count - 1, values=values)
        return image, label.long()
    if not multilabel and several and label.is_floating_point() and _are_fractions(label, values):
        return image, label
    rule = f"(B, {count}) of 0 and 1" if multilabel else "(B,) of whole numbers"
    raise ValueError(
        f"Classifier.multilabel={multilabel}: expected labels {rule}, got shape "
        f"{tuple(label.shape)} of {label.dtype}; " + REMEDY.format(multilabel=not multilabel)
    )


def _check_range(label: Tensor, largest: int, *, values: bool) -> None:
    if not values or not label.numel():
        return
    low, high = float(label.min()), float(label.max())
    if not 0 <= low <= high <= largest:
        raise ValueError(
            f"Classifier.classes: expected labels from 0 to {largest}, got {low:g} to {high:g}; "
            "use the classes of the data"
        )


def _are_fractions(label: Tensor, values: bool) -> bool:
    """Return whether labels are fractions of classes, as CutMix and MixUp return them."""
    return not values or bool(torch.all((label.sum(1) - 1).abs() < 1e-3))


def _kinds(batch: object) -> str:
    if isinstance(batch, Sequence) and not isinstance(batch, str):
        return f"{len(batch)} of {', '.join(type(part).__name__ for part in batch[:3])}"
    return type(batch).__name__
