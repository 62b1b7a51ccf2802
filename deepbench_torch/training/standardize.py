"""Preparation of images for a network with weights."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Standardize:
    """Prepare images as in the training of a network.

    Attributes:
        standardize: Whether to scale each image to mean 0 and variance 1, so that the unit of its
            pixels has no effect. An image of one value becomes 0.
        least_side: Images whose shorter side has fewer pixels are enlarged to it; None for none.

    Example:
        >>> import torch
        >>> Standardize()(torch.tensor([[[0.0, 2.0]]])).tolist()
        [[[-1.0, 1.0]]]
    """

    standardize: bool = True
    least_side: int | None = None

    def __call__(self, image: Tensor) -> Tensor:
        """Return prepared images, float32, shape (B, 1, H, W) or (1, H, W) as given.

        Raises:
            ValueError: If the images have another shape or are not numbers.
        """
        _check(image)
        batch = image.float() if image.dim() == 4 else image.float()[None]
        if self.least_side is not None and min(batch.shape[2:]) < self.least_side:
            batch = _enlarge(batch, self.least_side)
        if self.standardize:
            batch = batch - batch.mean((1, 2, 3), keepdim=True)
            spread = batch.square().mean((1, 2, 3), keepdim=True).sqrt()
            batch = batch / torch.where(spread > 0, spread, 1.0)
        return batch if image.dim() == 4 else batch[0]


def _check(image: object) -> None:
    rule = "transforms: expected grey images (B, 1, H, W) or (1, H, W)"
    if not isinstance(image, Tensor):
        raise ValueError(f"{rule} as a tensor, got {type(image).__name__}; use torch.as_tensor")
    if image.is_complex() or image.dtype == torch.bool:
        raise ValueError(f"{rule} of real numbers, got {image.dtype}; convert them to float32")
    if image.dim() not in (3, 4) or image.shape[-3] != 1 or not all(image.shape[-2:]):
        raise ValueError(
            f"{rule}, got shape {tuple(image.shape)}; average colours by "
            "image.mean(-3, keepdim=True), add a missing channel by image.unsqueeze(-3)"
        )


def _enlarge(image: Tensor, side: int) -> Tensor:
    factor = side / min(image.shape[2:])
    size = [max(side, round(factor * length)) for length in image.shape[2:]]
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)
