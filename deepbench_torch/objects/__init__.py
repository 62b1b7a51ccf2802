"""The kinds of object that the package renders: one explicit table."""

import copyreg
from dataclasses import fields
from typing import Any

from deepbench_torch.numerics.checks import nearest
from deepbench_torch.objects.arc import ARC
from deepbench_torch.objects.circle import CIRCLE
from deepbench_torch.objects.ellipse import ELLIPSE
from deepbench_torch.objects.galaxy import GALAXY
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.objects.lensed import LENSED
from deepbench_torch.objects.line import LINE
from deepbench_torch.objects.point import POINT
from deepbench_torch.objects.polygon import POLYGON
from deepbench_torch.objects.rectangle import RECTANGLE
from deepbench_torch.objects.spiral import SPIRAL
from deepbench_torch.objects.star import STAR

OBJECTS: dict[str, ObjectKind[Any]] = {
    kind.name: kind
    for kind in (
        *(STAR, GALAXY, SPIRAL, LENSED, POINT),
        *(ELLIPSE, CIRCLE, RECTANGLE, POLYGON, ARC, LINE),
    )
}


def object_named(name: str) -> ObjectKind[Any]:
    """Return a kind of object by its name, as pickle does.

    Raises:
        ValueError: If there is no such kind; the message has the nearest name.
    """
    if name not in OBJECTS:
        hint = nearest(name, OBJECTS).strip() or f"the kinds are {', '.join(OBJECTS)}"
        raise ValueError(f"object: expected a kind, got {name!r}; {hint}")
    return OBJECTS[name]


def _reduced(kind: ObjectKind[Any]) -> tuple[Any, ...]:
    """Return how to pickle a kind: one of the table by its name, so that it comes back itself."""
    if OBJECTS.get(kind.name) is kind:
        return object_named, (kind.name,)
    return ObjectKind, tuple(getattr(kind, field.name) for field in fields(kind))


copyreg.pickle(ObjectKind, _reduced)
