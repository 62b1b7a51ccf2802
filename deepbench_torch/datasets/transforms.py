"""Checks of the transforms of a dataset, and of what they return."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

GEOMETRY = {  # the transforms of torchvision, of both versions, that move pixels
    "CenterCrop",
    "ElasticTransform",
    "FiveCrop",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomIoUCrop",
    "RandomPerspective",
    "RandomResize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomShortestSize",
    "RandomVerticalFlip",
    "RandomZoomOut",
    "Resize",
    "ScaleJitter",
    "TenCrop",
}
PLACED = {"boxes", "masks"}  # targets that hold for the pixels of the image


def check_transform(value: Any, *, name: str) -> None:
    """Check one of the transform arguments of a dataset.

    Raises:
        TypeError: If it is neither None nor a function.
    """
    if value is None:
        return
    if isinstance(value, type) and issubclass(value, nn.Module):
        shown = value.__name__
        raise TypeError(
            f"{name}: expected a function or an instance, got the class {shown}; "
            f"make an instance, as in {shown}()"
        )
    if not callable(value):
        raise TypeError(
            f"{name}: expected None or a function, got {value!r:.80}; join several transforms "
            "with torchvision.transforms.v2.Compose([...])"
        )


def check_moves_nothing(transform: Any, target: Any) -> None:
    """Check that a transform of the image alone leaves boxes and masks in place.

    Raises:
        ValueError: If it is a transform of torchvision that moves pixels.
    """
    beside = placed(target)
    moving = next((each for each in _parts(transform) if _moves(each)), None)
    if beside and moving is not None:
        raise ValueError(_misplaced(f"{type(moving).__name__}", beside))


def check_shape(before: Any, after: Any, target: Any) -> None:
    """Check that a transform of the image alone kept the size for boxes and masks.

    Raises:
        ValueError: If height or width changed.
    """
    if not (isinstance(before, Tensor) and isinstance(after, Tensor)):
        return
    if before.shape[-2:] != after.shape[-2:] and (beside := placed(target)):
        shapes = f"{tuple(before.shape)} made {tuple(after.shape)}"
        raise ValueError(_misplaced(shapes, beside))


def check_data(data: Any, *, name: str) -> Any:
    """Return what a transform returned.

    Raises:
        TypeError: If that is None.
    """
    if data is None:
        raise TypeError(
            f"{name}: expected a function that returns the image, got None; add a return statement"
        )
    return data


def check_pair(pair: Any) -> tuple[Any, Any]:
    """Return the image and the target that `transforms` returned.

    Raises:
        TypeError: If it returned anything else.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        found = f"{len(pair)} values" if isinstance(pair, tuple | list) else type(pair).__name__
        raise TypeError(
            f"transforms: expected a function that returns the image and the target, got {found}; "
            "pass a function of the image alone as transform"
        )
    return check_data(pair[0], name="transforms"), pair[1]


def placed(target: Any) -> list[str]:
    """Return those names of a target that hold for the pixels of the image."""
    return sorted(PLACED & {target} if isinstance(target, str) else PLACED & set(target))


def _misplaced(found: str, beside: list[str]) -> str:
    return (
        f"transform: expected no change of size or place beside the target {' and '.join(beside)}, "
        f"got {found}; pass it as transforms, which changes the image and its target together"
    )


def _parts(transform: Any) -> Iterator[Any]:
    """Yield a transform of torchvision and those inside it."""
    yield transform
    module = type(transform).__module__
    if isinstance(transform, nn.Sequential):
        inside: Any = list(transform)
    else:
        inside = vars(transform).get("transforms", []) if module.startswith("torchvision.") else []
    for each in inside if isinstance(inside, list | tuple | nn.ModuleList) else []:
        yield from _parts(each)


def _moves(transform: Any) -> bool:
    kind = type(transform)
    return kind.__module__.startswith("torchvision.transforms") and kind.__name__ in GEOMETRY
