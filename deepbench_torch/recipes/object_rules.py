"""Checks and defaults of the objects in an image recipe; every fault is reported together."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deepbench_torch.numerics.checks import Fault, FaultsError, Location, nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Prior
from deepbench_torch.priors.parameter import Parameter, prior_fault
from deepbench_torch.recipes.brightness import (
    MAGNITUDE,
    STAND_INS,
    brightness_fault,
    brightness_names,
    brightness_of,
    fields_of,
    given_name,
)
from deepbench_torch.recipes.messages import short_repr

MOST_OBJECTS = 1000  # in one image
MOST_LIGHT = 1e30  # of a brightness or a flux; single precision ends at 3e38
BRIGHTEST = -30.0  # magnitude; that of the sun is -26.7
Priors = dict[str, Prior]


def complete_objects(objects: Mapping[str, Priors]) -> dict[str, Priors]:
    """Return the priors of every kind in order, with the defaults of `OBJECTS` filled in.

    Raises:
        FaultsError: If a kind or a parameter is unknown, or a prior is out of range.
    """
    faults = [
        fault
        for kind, priors in objects.items()
        for fault in _faults(kind, priors, location=(kind,))
    ]
    if faults:
        raise FaultsError(faults)
    return {kind: _fill(kind, priors, defaults={}) for kind, priors in objects.items()}


def complete_scene(
    scene: Sequence[Mapping[str, Priors]], objects: Mapping[str, Priors]
) -> tuple[dict[str, Priors], ...]:
    """Return the objects of a scene, with the priors of their kinds filled in.

    Raises:
        FaultsError: As `complete_objects`, or if an entry is not exactly one object.
    """
    faults: list[Fault] = []
    for number, part in enumerate(scene):
        if len(part) != 1:
            faults.append(
                Fault(
                    ("scene", number),
                    f"expected one object, got {', '.join(part) or 'none'}; write one per line, "
                    "as in star: {x: 0.5}",
                )
            )
        for kind, priors in part.items():
            faults += _faults(kind, priors, location=("scene", number, kind))
    if faults:
        raise FaultsError(faults)
    return tuple(
        {kind: _fill(kind, priors, defaults=objects[kind]) for kind, priors in part.items()}
        for part in scene
    )


def name_faults(kind: str, names: Iterable[str], location: Location) -> Iterator[Fault]:
    """Yield the faults of a kind's name and of its parameters' names."""
    if kind not in OBJECTS:
        hint = nearest(kind, OBJECTS).strip() or "write one of them"
        yield Fault(
            location, f"expected one of {', '.join(OBJECTS)}, got {short_repr(kind)}; {hint}"
        )
        return
    fields, names = fields_of(kind), list(names)
    for name in names:
        if name not in fields:
            hint = nearest(name, fields).strip() or "remove it"
            if name in STAND_INS:
                hint = "no total light follows from one amplitude, so set its own parameters"
            rule = f"expected a parameter of {kind}, one of {', '.join(OBJECTS[kind].fields)}"
            yield Fault((*location, name), f"{rule}, got {short_repr(name)}; {hint}")
    yield from brightness_fault(kind, names, location)


def _faults(kind: str, priors: Priors, *, location: Location) -> Iterator[Fault]:
    """Yield the faults of the priors of an object."""
    unknown = list(name_faults(kind, priors, location))
    yield from unknown
    if kind not in OBJECTS:
        return
    for name, prior in priors.items():
        field = fields_of(kind).get(name)
        if field is None:
            continue
        fault = prior_fault(field, prior) or _extreme_fault(name, field, prior)
        if fault is not None:
            yield Fault((*location, name), fault)


def _extreme_fault(name: str, field: Parameter, prior: Prior) -> str | None:
    """Return the fault of a brightness that single precision cannot hold in an image."""
    if field.role not in ("brightness", "flux"):
        return None
    low, high = (end if math.isfinite(end) else 0.0 for end in prior.support)
    if name == MAGNITUDE and low < BRIGHTEST:
        return f"expected magnitudes from {BRIGHTEST:g} on, got {prior.to_plain()!r}; add to it"
    if name != MAGNITUDE and max(abs(low), abs(high)) > MOST_LIGHT:
        return (
            f"expected sizes up to {MOST_LIGHT:g}, got {prior.to_plain()!r}; choose another unit "
            "of brightness"
        )
    return None


def _fill(kind: str, priors: Priors, *, defaults: Priors) -> Priors:
    """Return the priors of an object in order; `defaults`, then the kind fill in the rest.

    A flux or a magnitude is in the place of the brightness.
    """
    complete = OBJECTS[kind].prior | defaults | priors
    is_given = any(name in priors for name in brightness_names(kind))
    given = given_name(kind, priors if is_given else defaults)
    bright = brightness_of(kind)
    names = [given if name == bright else name for name in OBJECTS[kind].fields]
    return {name: complete[name] for name in names if name is not None}
