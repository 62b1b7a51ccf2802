"""Targets: values that a dataset returns beside the image or series, computed from a sample."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from deepbench_torch.generate import CONTENTS
from deepbench_torch.images.targets import OBJECT_TARGETS
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.vector import Vector, unknown_parameter
from deepbench_torch.samples import AbstractSample

Target = str | Sequence[str]

VECTOR, PATH = "vector", "/"  # in the name of a parameter, as "galaxy/radius"
# "labels" is a frequent mistake for "label", so it needs one of these beside it
LABELS_BESIDE = {"boxes", "masks", "slots", "components", "label"}


def check_target(target: Target, recipe: AbstractRecipe) -> Target:
    """Return the target if all its names are targets of the recipe's rows.

    Raises:
        ValueError: With the first unknown name and all known names.
    """
    known = CONTENTS[recipe.content].targets
    if not isinstance(target, str | Sequence) or not target:
        raise _unknown_target(target, recipe, known=known)
    names = [target] if isinstance(target, str) else list(target)
    for name in names:
        if name == VECTOR and not len(recipe.vector):
            raise ValueError(
                f'target "vector": expected a recipe with parameters that vary, got {recipe.name} '
                "without; use another target"
            )
        if isinstance(name, str) and PATH in name:
            if name not in recipe.vector.parameters:
                raise ValueError(f"target: {unknown_parameter(recipe.vector, name)}")
        elif not isinstance(name, str) or name not in known:
            raise _unknown_target(name, recipe, known=known)
    if "labels" in names and LABELS_BESIDE.isdisjoint(names):
        raise ValueError(
            f'target "labels": expected "boxes", "masks" or "slots" beside it, got {target!r}; '
            'use "label" for the class of the image, or add "boxes" to detect objects'
        )
    if not {"boxes", "masks"}.isdisjoint(names):
        import_module("torchvision.tv_tensors")  # once, before a loader forks its workers
    return target if isinstance(target, str) else tuple(names)


def vector_of(recipe: AbstractRecipe, name: str) -> Vector:
    """Return the vector that a target of this name has."""
    return recipe.vector if name == VECTOR else recipe.vector.select(name)


def _unknown_target(name: object, recipe: AbstractRecipe, *, known: Iterable[str]) -> ValueError:
    return ValueError(
        f"target: expected a target of {recipe.plural}, got {name!r}; use one of "
        f"{', '.join(known)}, or a list of them for a dict by name"
    )


@independent_of_settings
def target_rows(sample: AbstractSample, target: Target) -> list[Any]:
    """Return the target of each row of a sample: a value, or a dict for several names."""
    content = CONTENTS[sample.recipe.content]
    names = [target] if isinstance(target, str) else target
    rows = []
    for truth in content.truths(sample, names):
        columns = [
            content.vector(truth, name) if PATH in name else content.targets[name](truth)
            for name in names
        ]
        if isinstance(target, str):
            rows += columns[0]
        else:
            rows += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return rows


def is_detection(target: Target) -> bool:
    """Return whether a target differs in shape from row to row, with the number of objects."""
    return not OBJECT_TARGETS.keys().isdisjoint({target} if isinstance(target, str) else target)
