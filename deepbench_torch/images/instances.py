"""Each object of an image alone, for its box, its mask and its share of the light."""

from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.degrade import Values
from deepbench_torch.images.compose import RenderedObjects, render_objects
from deepbench_torch.images.render import conditions_table
from deepbench_torch.images.scene import Scene
from deepbench_torch.images.spread import (
    render_points,
    rendered_grid,
    spread_light,
    without_points,
)
from deepbench_torch.native import run
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import per_pixel
from deepbench_torch.objects.point import POINT
from deepbench_torch.recipes import Recipe
from deepbench_torch.samples import Sample


class Instances(NamedTuple):
    """The objects of B images, each alone: image after image, kind after kind, slot after slot.

    Attributes:
        row: The image of each, int64, shape (N,).
        kind: The place of its kind among the recipe's classes, int64, shape (N,).
        slot: Its slot, int64, shape (N,).
        light: Its own noiseless light, spread as the image's, float32, shape (N, H, W).
        mask: The pixels that belong to it, bool, shape (N, H, W): those in which its own light,
            before it is spread, is at least that of its edge. The edge of a star has a tenth of the
            light of its centre, and so have those of a spiral and of a point, which is the point
            spread; that of a galaxy is the ellipse that holds half of its light; that of a shape is
            its own.
    """

    row: Tensor
    kind: Tensor
    slot: Tensor
    light: Tensor
    mask: Tensor


@independent_of_settings
def render_instances(sample: Sample) -> Instances:
    """Return each object of a sample alone; together their light is that of the clean images.

    But shapes that unite do so before they are spread: spread one by one they unite to less. And
    the gradient of the background belongs to no object.
    """
    if sample.image.device.type == "cpu":
        return _instances_by_kernels(sample)
    scene = Scene.from_parameters(sample.scene, sample.present)
    recipe, device = sample.recipe, sample.image.device
    conditions = {name: values.to(device) for name, values in sample.conditions.items()}
    spread = without_points(recipe, scene)
    found = [
        _resolved(rendered, recipe, conditions)
        for rendered in render_objects(spread, rendered_grid(recipe), device=device)
    ]
    found += [
        _points(rendered, recipe, conditions)
        for rendered in render_points(recipe, scene, conditions, device=device)
    ]
    if not found:
        return _none(sample)
    together = Instances(*(torch.cat(column) for column in zip(*found, strict=True)))
    # objects of one image by kind and slot, whatever the order in which they were rendered
    order = (together.row * len(recipe.kinds) + together.kind).argsort(stable=True)
    return Instances(*(column[order] for column in together))


def signal_to_noise(sample: Sample, objects: Instances) -> Tensor:
    """Return the signal-to-noise ratio of objects, float32, shape (N,).

    That of a matched filter: the root of the sum over pixels of light**2 / variance. Infinite
    without noise, and 0 for an object without light in the frame.

    Args:
        sample: The images.
        objects: Their objects, as `render_instances` returns them.
    """
    variance = sample.recipe.degrade.variance(sample.clean[:, 0], sample.conditions)
    squares = objects.light.square() / variance[objects.row]
    return squares.nan_to_num(nan=0.0, posinf=torch.inf).sum((1, 2)).sqrt()


def _resolved(rendered: RenderedObjects, recipe: Recipe, conditions: Values) -> Instances:
    """Return objects of one kind whose light is spread."""
    own = {name: values[rendered.row] for name, values in conditions.items()}
    edge = OBJECTS[rendered.kind].edge(rendered.record)
    mask = rendered_grid(recipe).inner(_mask(rendered.light, edge))
    return _instances(rendered, recipe, spread_light(recipe, rendered.light, own), mask=mask)


def _points(rendered: RenderedObjects, recipe: Recipe, conditions: Values) -> Instances:
    """Return points, whose light is the point spread."""
    own = {name: values[rendered.row] for name, values in conditions.items()}
    edge = OBJECTS[rendered.kind].edge(rendered.record)
    if recipe.degrade.spread is not None:
        edge = edge * recipe.degrade.spread.peak(own)
    return _instances(rendered, recipe, rendered.light, mask=_mask(rendered.light, edge))


def _instances(
    rendered: RenderedObjects, recipe: Recipe, light: Tensor, *, mask: Tensor
) -> Instances:
    return Instances(
        row=rendered.row,
        kind=torch.full_like(rendered.row, recipe.kinds.index(rendered.kind)),
        slot=rendered.slot.to(rendered.row.device),
        light=light,
        mask=mask,
    )


def _instances_by_kernels(sample: Sample) -> Instances:
    """Return the same, on the CPU."""
    classes, objects = sample.recipe.kinds, list(sample.recipe.objects)
    spread = sample.recipe.degrade.spread
    present = torch.stack([sample.present[kind] for kind in classes], dim=1)  # (B, K, slots)
    row, kind, slot = present.nonzero().unbind(1)
    edges = torch.stack(
        [OBJECTS[name].edge(OBJECTS[name].record(**sample.scene[name])) for name in classes], dim=1
    )  # (B, K, slots)
    if spread is not None and POINT.name in classes:
        edges[:, classes.index(POINT.name)] *= spread.peak(sample.conditions)[:, None]
    nothing = torch.zeros(len(present), present.shape[2], dtype=torch.float32, device="cpu")
    table = [
        sample.scene[name][field] if name in classes else nothing
        for name in objects
        for field in OBJECTS[name].parameters
    ]
    numbers = torch.tensor(
        [objects.index(name) for name in classes], dtype=torch.int64, device="cpu"
    )
    sharp, light = run.make_lights(
        sample.recipe,
        torch.stack(table),
        conditions=conditions_table(sample.conditions, len(present)),
        row=row,
        kind=numbers[kind],
        slot=slot,
    )
    mask = _mask(sharp, edges[row, kind, slot])
    return Instances(row=row, kind=kind, slot=slot, light=light, mask=mask)


def _mask(light: Tensor, edge: Tensor) -> Tensor:
    """Return the pixels of each object by its light and the brightness at its edge, (N, H, W)."""
    return (light >= per_pixel(edge)) & (light > 0)


def _none(sample: Sample) -> Instances:
    """Return the instances of a sample without objects."""
    light = sample.clean[:0, 0]
    nothing = sample.index[:0]
    return Instances(row=nothing, kind=nothing, slot=nothing, light=light, mask=light > 0)
