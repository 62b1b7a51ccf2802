"""Difficulty of an object, from the truth: signal to noise, size and overlap."""

from typing import NamedTuple

import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.images.instances import Instances, render_instances, signal_to_noise

BATCH = 200  # images in a batch; bounds the memory


class Factors(NamedTuple):
    """Factors of M objects; all fields have shape (M,).

    Attributes:
        place: Index of its image among the requested rows, int64.
        kind: Index of its kind among the recipe's classes, int64.
        signal: Signal to noise with optimal weights: sqrt(sum over pixels of light^2 / variance).
            The variance is that of all noise in the pixel; without noise the value is infinite.
        size: Diameter of a disc with as many pixels as the object's mask in the frame [pixel].
        overlap: Share of its mask in the frame where all others together are at least as bright.
    """

    place: Tensor
    kind: Tensor
    signal: Tensor
    size: Tensor
    overlap: Tensor


def factors(recipe: db.Recipe, seed: int, rows: Tensor) -> Factors:
    """Return the factors of all objects in rows of a catalogue, int64 of shape (N,)."""
    parts = []
    for start in range(0, len(rows), BATCH):
        found = of_sample(db.generate(recipe, seed, rows[start : start + BATCH]))
        parts.append(found._replace(place=found.place + start))
    return Factors(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def of_sample(sample: db.Sample) -> Factors:
    """Return the factors of all objects of a sample."""
    objects = render_instances(sample)
    mask = objects.mask
    pixels = mask.sum((1, 2))
    return Factors(
        place=objects.row,
        kind=objects.kind,
        signal=signal_to_noise(sample, objects),
        size=2 * (pixels / torch.pi).sqrt(),
        overlap=1
        - (mask & _outshines(objects, len(sample.index))).sum((1, 2)) / pixels.clamp_min(1),
    )


def _outshines(objects: Instances, images: int) -> Tensor:
    """Return the pixels where an object outshines all others together, bool (M, H, W)."""
    light = objects.light
    total = torch.zeros(images, *light.shape[1:]).index_add_(0, objects.row, light)
    return light > total[objects.row] - light
