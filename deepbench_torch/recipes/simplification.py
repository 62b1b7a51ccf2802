"""What is made simpler in scenes that are drawn already, for the rungs of a ladder."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from deepbench_torch.arguments import Fault, FaultsError, nearest
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import prior_fault
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes.checks import MOST_OBJECTS, name_faults
from deepbench_torch.recipes.messages import shown
from deepbench_torch.recipes.part import Flag, Number, Part, Whole


class Simplification(Part):
    """What is made simpler once a scene and its layout are drawn; all else stays as it was.

    Attributes:
        objects: The most objects that an image keeps, the first of them; of each kind, where kinds
            are counted.
        kinds: The kinds that are kept. Where the kind of each object is drawn, one of these stands
            in for an object of another kind; where kinds are counted, the others are left out.
        balanced: Whether each kind is there in half of the images; only where kinds are counted.
        values: By kind and name, the value that a parameter always has, in the units of a recipe.
    """

    objects: Whole | None = Field(default=None, ge=1, le=MOST_OBJECTS)
    kinds: tuple[str, ...] | None = Field(default=None, min_length=1)
    balanced: Flag = False
    values: dict[str, dict[str, Number]] = Field(default_factory=dict)


def check_simplification(
    simplify: Simplification, kinds: Sequence[str], *, counted: bool
) -> Simplification:
    """Return the simplification, if it fits a recipe, with its kinds in the recipe's order.

    Args:
        simplify: What is made simpler.
        kinds: The kinds of the recipe.
        counted: Whether the recipe counts each kind.

    Raises:
        FaultsError: If a kind, a parameter or a value is not one of the recipe.
    """
    faults = [
        *_kind_faults(simplify, kinds),
        *_balance_faults(simplify, counted=counted),
        *_value_faults(simplify, kinds),
    ]
    if faults:
        raise FaultsError(faults)
    if simplify.kinds is None:
        return simplify
    return simplify.model_copy(
        update={"kinds": tuple(kind for kind in kinds if kind in simplify.kinds)}
    )


def _kind_faults(simplify: Simplification, kinds: Sequence[str]) -> Iterator[Fault]:
    named = [(("kinds",), kind) for kind in simplify.kinds or ()]
    named += [(("values",), kind) for kind in simplify.values]
    for location, kind in named:
        if kind not in kinds:
            hint = nearest(kind, kinds).strip() or "write one of them"
            yield Fault(
                location,
                f"expected kinds of objects, {', '.join(kinds)}, got {shown(kind)}; {hint}",
            )


def _balance_faults(simplify: Simplification, *, counted: bool) -> Iterator[Fault]:
    if simplify.balanced and not counted:
        yield Fault(
            ("balanced",),
            "expected false where count is given, got True; kinds are then balanced already, so "
            "leave it out, or give counts",
        )


def _value_faults(simplify: Simplification, kinds: Sequence[str]) -> Iterator[Fault]:
    for kind in (kind for kind in simplify.values if kind in kinds):
        values, fields = simplify.values[kind], OBJECTS[kind].fields
        yield from name_faults(kind, values, ("values", kind))
        for name, value in values.items():
            fault = prior_fault(fields[name], Fixed(value)) if name in fields else None
            if fault is not None:
                yield Fault(("values", kind, name), fault)
