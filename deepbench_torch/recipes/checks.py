"""What must hold within a recipe of images; all that does not is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from deepbench_torch.arguments import nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Choice, Fixed, Integer, Prior
from deepbench_torch.recipes.faults import Fault, FaultsError

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
                    f"must be one object, as in {{star: {{x: 0.5}}}}, got {', '.join(part)!r}",
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
            "give either count, for objects of any kind, or counts, for each kind its own, or "
            f"scene, for each object alone; got {' and '.join(given) or 'neither'}",
        )
        return
    if recipe.counts is not None and set(recipe.counts) != set(recipe.objects):
        yield Fault(
            ("counts",),
            f"must name the kinds of objects, {', '.join(recipe.objects)}; "
            f"got {', '.join(recipe.counts)}",
        )
    numbers = {("count",): recipe.count} if recipe.count is not None else {}
    places = numbers | {("counts", kind): prior for kind, prior in (recipe.counts or {}).items()}
    for place, prior in places.items():
        if not _is_number(prior):
            yield Fault(
                place,
                f"must give whole numbers of objects from 0 to {MOST_OBJECTS}, and sometimes at "
                f"least 1, got {prior.to_plain()!r}",
            )
            return
    exactly_one = recipe.count is not None and recipe.count.bounds == (1, 1)
    if recipe.label == "class" and not exactly_one and len(recipe.scene or ()) != 1:
        found = [prior.to_plain() for prior in places.values()] or len(recipe.scene or ())
        yield Fault(
            ("label",),
            f"'class' needs exactly one object an image, got counts {found!r}; "
            "set count: 1 or label: present",
        )


def _is_number(prior: Prior) -> bool:
    low, high = prior.bounds
    values = prior.values if isinstance(prior, Choice) else (low, high)
    whole = isinstance(prior, Fixed | Integer | Choice) and all(
        float(value).is_integer() for value in values
    )
    return whole and low >= 0 and 1 <= high <= MOST_OBJECTS


def _faults(kind: str, priors: Priors, place: tuple[str | int, ...]) -> Iterator[Fault]:
    """What is wrong with the priors of an object."""
    if kind not in OBJECTS:
        hint = nearest(kind, OBJECTS)
        yield Fault(place, f"unknown kind {kind!r}; {hint}the kinds are {', '.join(OBJECTS)}")
        return
    definition = OBJECTS[kind]
    for name, prior in priors.items():
        if name not in definition.fields:
            yield Fault(
                (*place, name),
                f"{kind} has no parameter {name}; {nearest(name, definition.fields)}it has "
                f"{', '.join(definition.parameters)}, got {prior.to_plain()!r}",
            )
            continue
        try:
            definition.check_prior(name, prior)
        except ValueError as error:
            yield Fault((*place, name), str(error))


def _filled(kind: str, priors: Priors, usual: Priors) -> Priors:
    """The priors of an object, those left out taken from `usual` or the kind, in order."""
    complete = OBJECTS[kind].prior | usual | priors
    return {name: complete[name] for name in OBJECTS[kind].fields}
