"""Augmentation of training images: the eight symmetries of the square."""

import torch
from torch import Tensor


def flip_and_turn(image: Tensor) -> Tensor:
    """Return the image in one of its eight orientations, all equally likely.

    The orientation comes from the global generator of torch, which Lightning seeds in every
    process.

    Args:
        image: Image, shape (C, H, H).

    Returns:
        Flipped and rotated image, shape (C, H, H).
    """
    flip_columns, flip_rows, transpose = torch.randint(2, (3,)).tolist()
    if flip_columns:
        image = image.flip(-1)
    if flip_rows:
        image = image.flip(-2)
    return image.transpose(-1, -2) if transpose else image
