"""Augmentation of training images: the eight symmetries of the square."""

import torch
from torch import Tensor


def flip_and_turn(image: Tensor) -> Tensor:
    """The image mirrored or turned by quarters, each of the eight ways equally likely.

    Drawn from torch's global generator, which Lightning seeds in every process.

    Args:
        image: Shape (C, H, H).

    Returns:
        Shape (C, H, H).
    """
    across, down, over = torch.randint(2, (3,)).tolist()
    if across:
        image = image.flip(-1)
    if down:
        image = image.flip(-2)
    return image.transpose(-1, -2) if over else image
