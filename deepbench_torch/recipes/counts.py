"""Checks of the rules that set how many objects an image holds."""

import math
from collections.abc import Iterator, Mapping

from deepbench_torch.numerics.checks import Fault, Location, nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Choice, Fixed, Integer, Prior
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.object_rules import MOST_OBJECTS


def count_faults(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the faults of the numbers of objects, and of a label that does not fit them."""
    rules = {
        "count": recipe.count,
        "counts": recipe.counts,
        "groups": recipe.groups,
        "scene": recipe.scene,
    }
    keys = [key for key, rule in rules.items() if rule is not None]
    if len(keys) != 1:
        yield Fault(
            (),
            f"expected one of count, counts, groups and scene, got {' and '.join(keys) or 'none'}; "
            "set count for objects of any kind, counts for a number of each kind, groups for "
            "classes of images, or scene for a list of objects",
        )
        return
    if recipe.counts is not None and set(recipe.counts) != set(recipe.objects):
        yield Fault(
            ("counts",),
            f"expected the kinds of objects, {', '.join(recipe.objects)}, got "
            f"{', '.join(recipe.counts) or 'none'}; set a count for each kind, or remove it from "
            "objects",
        )
    yield from _group_faults(recipe)
    if recipe.weights is not None:
        yield from _weight_faults(recipe, recipe.weights)
    fault = _number_fault(recipe) or _label_fault(recipe)
    if fault is not None:
        yield fault


def _group_faults(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the fault of groups that leave a kind out, or have another."""
    named = {kind for counts in (recipe.groups or {}).values() for kind in counts}
    if recipe.groups is not None and named != set(recipe.objects):
        yield Fault(
            ("groups",),
            f"expected the kinds of objects, {', '.join(recipe.objects)}, got "
            f"{', '.join(sorted(named)) or 'none'}; set a number of each kind in a group, or "
            "remove it from objects",
        )


def _weight_faults(recipe: AbstractImageRecipe, weights: Mapping[str, float]) -> Iterator[Fault]:
    """Yield the faults of the weights of kinds or groups."""
    if recipe.count is None and recipe.groups is None:
        yield Fault(
            ("weights",),
            "expected weights with count or groups only, got counts or scene; remove weights",
        )
    noun, names = (
        ("kinds of objects", recipe.objects) if recipe.groups is None else ("groups", recipe.groups)
    )
    if set(weights) != set(names):
        yield Fault(
            ("weights",),
            f"expected the {noun}, {', '.join(names)}, got {', '.join(weights) or 'none'}; set a "
            f"weight for each {noun.split()[0].removesuffix('s')}, 0 for none",
        )
    elif not 0 < math.fsum(weights.values()) < math.inf:
        yield Fault(
            ("weights",), f"expected a positive sum, got {dict(weights)!r}; set a weight above 0"
        )


def label_faults(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the faults of a label that names parameters."""
    if isinstance(recipe.label, str):
        return
    known = [f"{kind}.{name}" for kind in recipe.kinds for name in OBJECTS[kind].fields]
    for place, name in enumerate(recipe.label):
        if name not in known:
            hint = nearest(name, known).strip() or f"write one such as {known[0]}"
            rule = "expected a kind and a parameter of it"
            yield Fault(("label", place), f"{rule}, got {short_repr(name)}; {hint}")
        elif name in recipe.label[:place]:
            yield Fault(("label", place), f"expected each name once, got {name} again; remove it")


def shared_faults(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the faults of the parameters that an image's objects share."""
    if recipe.shared and recipe.scene is not None:
        yield Fault(
            ("shared",),
            "expected shared with count or counts, got scene; write the value in each object",
        )
    for kind, names in (recipe.shared or {}).items():
        if kind not in recipe.objects:
            rule = f"expected a kind of objects, {', '.join(recipe.objects)}"
            hint = nearest(kind, recipe.objects).strip() or "remove it"
            yield Fault(("shared", kind), f"{rule}, got {kind!r}; {hint}")
            continue
        for place, name in enumerate(names):
            if name not in recipe.objects[kind]:
                rule = f"expected a parameter of {kind}, one of {', '.join(recipe.objects[kind])}"
                hint = nearest(name, recipe.objects[kind]).strip() or "remove it"
                yield Fault(("shared", kind, place), f"{rule}, got {name!r}; {hint}")


def _number_fault(recipe: AbstractImageRecipe) -> Fault | None:
    """Return the fault of the first prior that is no number of objects, if there is one."""
    locations: dict[Location, Prior] = (
        {("count",): recipe.count} if recipe.count is not None else {}
    )
    locations |= {("counts", kind): prior for kind, prior in (recipe.counts or {}).items()}
    for group, counts in (recipe.groups or {}).items():
        locations |= {("groups", group, kind): prior for kind, prior in counts.items()}
    for location, prior in locations.items():
        if not _is_object_count(prior):
            return Fault(
                location,
                f"expected whole numbers from 0 to {MOST_OBJECTS}, got {prior.to_plain()!r}; "
                "write a whole number, integer or choice",
            )
    return None


def _label_fault(recipe: AbstractImageRecipe) -> Fault | None:
    """Return the fault of a class label on images that do not hold exactly one object."""
    if recipe.label != "class" or _is_one(recipe) or recipe.groups is not None:
        return None
    return Fault(
        ("label",),
        "expected present if an image can hold no object or several, got class with "
        f"{_rule_text(recipe)}; set count: 1 or label: present",
    )


def _is_one(recipe: AbstractImageRecipe) -> bool:
    """Return whether every image holds exactly one object, of any kind."""
    exactly_one = recipe.count is not None and recipe.count.support == (1, 1)
    return exactly_one or len(recipe.scene or ()) == 1


def _rule_text(recipe: AbstractImageRecipe) -> str:
    """Return the key that sets the number of objects, as the user wrote it."""
    if recipe.count is not None:
        return f"count: {recipe.count.to_plain()!r}"
    if recipe.counts is not None:
        return f"counts: { {kind: prior.to_plain() for kind, prior in recipe.counts.items()}!r}"
    return f"scene: {len(recipe.scene or ())} objects"


def _is_object_count(prior: Prior) -> bool:
    low, high = prior.support
    values = prior.values if isinstance(prior, Choice) else (low, high)
    integral = isinstance(prior, Fixed | Integer | Choice) and all(
        float(value).is_integer() for value in values
    )
    return integral and low >= 0 and high <= MOST_OBJECTS
