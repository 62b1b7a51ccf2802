"""Cross-field checks of image recipes; reports every fault together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from deepbench_torch.arguments import Fault, FaultsError, Location, nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import prior_fault
from deepbench_torch.priors import Choice, Fixed, Integer, Prior
from deepbench_torch.recipes.messages import shown

if TYPE_CHECKING:
    from deepbench_torch.recipes.recipe import Recipe

MOST_OBJECTS = 1000  # of an image
Priors = dict[str, Prior]


def complete_objects(objects: Mapping[str, Priors]) -> dict[str, Priors]:
    """The priors of every kind, those left out taken from `OBJECTS`, in order.

    Raises:
        FaultsError: Of kinds and parameters that are unknown, and of priors that make no sense.
    """
    faults = [fault for kind, priors in objects.items() for fault in _faults(kind, priors, (kind,))]
    if faults:
        raise FaultsError(faults)
    return {kind: _filled(kind, priors, {}) for kind, priors in objects.items()}


def complete_scene(
    scene: Sequence[Mapping[str, Priors]], objects: Mapping[str, Priors]
) -> tuple[dict[str, Priors], ...]:
    """The objects of a scene, what they leave out taken from the priors of their kinds.

    Raises:
        FaultsError: As of `complete_objects`, and of parts that are not one object.
    """
    faults: list[Fault] = []
    for number, part in enumerate(scene):
        if len(part) != 1:
            faults.append(
                Fault(
                    ("scene", number),
                    f"expected one object, got {', '.join(part) or 'none'}; write one a line, as "
                    "in star: {x: 0.5}",
                )
            )
        for kind, priors in part.items():
            faults += _faults(kind, priors, ("scene", number, kind))
    if faults:
        raise FaultsError(faults)
    return tuple(
        {kind: _filled(kind, priors, objects[kind]) for kind, priors in part.items()}
        for part in scene
    )


def count_faults(recipe: "Recipe") -> Iterator[Fault]:
    """What is wrong with the numbers of objects, and whether they fit the label."""
    rules = {"count": recipe.count, "counts": recipe.counts, "scene": recipe.scene}
    given = [name for name, rule in rules.items() if rule is not None]
    if len(given) != 1:
        yield Fault(
            (),
            f"expected one of count, counts and scene, got {' and '.join(given) or 'none'}; give "
            "count for objects of any kind, counts for each kind its own, or scene for each object "
            "alone",
        )
        return
    if recipe.counts is not None and set(recipe.counts) != set(recipe.objects):
        yield Fault(
            ("counts",),
            f"expected the kinds of objects, {', '.join(recipe.objects)}, got "
            f"{', '.join(recipe.counts) or 'none'}; give each kind its count, or remove it from "
            "objects",
        )
    numbers = {("count",): recipe.count} if recipe.count is not None else {}
    locations = numbers | {("counts", kind): prior for kind, prior in (recipe.counts or {}).items()}
    for location, prior in locations.items():
        if not _is_number(prior):
            yield Fault(
                location,
                f"expected whole numbers from 0 to {MOST_OBJECTS} and at times at least 1, got "
                f"{prior.to_plain()!r}; write a whole number, integer or choice",
            )
            return
    if recipe.label == "class" and not _is_one(recipe):
        yield Fault(
            ("label",),
            "expected present where an image can hold no object or several, got class with "
            f"{_shown_rule(recipe)}; set count: 1 or label: present",
        )


def _is_one(recipe: "Recipe") -> bool:
    """Return whether every image holds exactly one object, its kind not counted."""
    exactly_one = recipe.count is not None and recipe.count.support == (1, 1)
    return exactly_one or len(recipe.scene or ()) == 1


def _shown_rule(recipe: "Recipe") -> str:
    """Return the key, as the user wrote it, that states how many objects there are."""
    if recipe.count is not None:
        return f"count: {recipe.count.to_plain()!r}"
    if recipe.counts is not None:
        return f"counts: { {kind: prior.to_plain() for kind, prior in recipe.counts.items()}!r}"
    return f"scene: {len(recipe.scene or ())} objects"


def _is_number(prior: Prior) -> bool:
    low, high = prior.support
    values = prior.values if isinstance(prior, Choice) else (low, high)
    whole = isinstance(prior, Fixed | Integer | Choice) and all(
        float(value).is_integer() for value in values
    )
    return whole and low >= 0 and 1 <= high <= MOST_OBJECTS


def name_faults(kind: str, names: Iterable[str], location: Location) -> Iterator[Fault]:
    """Yield the faults of a kind's name and of its parameters' names."""
    if kind not in OBJECTS:
        hint = nearest(kind, OBJECTS).strip() or "write one of them"
        yield Fault(location, f"expected one of {', '.join(OBJECTS)}, got {shown(kind)}; {hint}")
        return
    fields = OBJECTS[kind].fields
    for name in names:
        if name not in fields:
            hint = nearest(name, fields).strip() or "remove it"
            yield Fault(
                (*location, name),
                f"expected a parameter of {kind}, one of {', '.join(fields)}, got {shown(name)}; "
                f"{hint}",
            )


def _faults(kind: str, priors: Priors, location: Location) -> Iterator[Fault]:
    """Yield the faults of the priors of an object."""
    unknown = list(name_faults(kind, priors, location))
    yield from unknown
    if kind not in OBJECTS:
        return
    for name, prior in priors.items():
        field = OBJECTS[kind].fields.get(name)
        fault = None if field is None else prior_fault(field, prior)
        if fault is not None:
            yield Fault((*location, name), fault)


def _filled(kind: str, priors: Priors, usual: Priors) -> Priors:
    """The priors of an object, those left out taken from `usual` or the kind, in order."""
    complete = OBJECTS[kind].prior | usual | priors
    return {name: complete[name] for name in OBJECTS[kind].fields}
