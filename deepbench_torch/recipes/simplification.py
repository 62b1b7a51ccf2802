"""Simplifications of sampled scenes, for the rungs of a difficulty ladder."""

from collections.abc import Iterator, Sequence

from pydantic import Field, StrictBool, StrictInt

from deepbench_torch.numerics.checks import Fault, FaultsError, nearest
from deepbench_torch.numerics.fields import Number
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import prior_fault
from deepbench_torch.recipes.brightness import fields_of
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.object_rules import MOST_OBJECTS, name_faults
from deepbench_torch.recipes.part import Part


class Simplification(Part):
    """Simplifications of a scene after its layout is chosen; everything else is unchanged.

    Attributes:
        objects: Largest number of objects that an image keeps, from the first; of each kind, if
            the recipe has `counts`.
        kinds: Kinds that are kept. With `count`, an object of another kind becomes one of these;
            with `counts`, objects of other kinds are left out.
        balanced: Whether each kind is present in half of the images; only with `counts`.
        values: Fixed values of parameters by kind and name, in recipe units.
    """

    objects: StrictInt | None = Field(default=None, ge=1, le=MOST_OBJECTS)
    kinds: tuple[str, ...] | None = Field(default=None, min_length=1)
    balanced: StrictBool = False
    values: dict[str, dict[str, Number]] = Field(default_factory=dict)


def check_simplification(
    simplify: Simplification, kinds: Sequence[str], *, counted: bool
) -> Simplification:
    """Check a simplification against its recipe, and return it with the kinds in recipe order.

    Args:
        simplify: The simplification.
        kinds: The kinds of the recipe.
        counted: Whether the recipe has `counts`.

    Raises:
        FaultsError: If a kind or a parameter is not in the recipe, or a value is out of range.
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
                f"expected kinds of objects, {', '.join(kinds)}, got {short_repr(kind)}; {hint}",
            )


def _balance_faults(simplify: Simplification, *, counted: bool) -> Iterator[Fault]:
    if simplify.balanced and not counted:
        yield Fault(
            ("balanced",),
            "expected false in a recipe with count, got True; its kinds are already balanced, so "
            "omit it, or use counts",
        )


def _value_faults(simplify: Simplification, kinds: Sequence[str]) -> Iterator[Fault]:
    for kind in (kind for kind in simplify.values if kind in kinds):
        values, fields = simplify.values[kind], fields_of(kind)
        yield from name_faults(kind, values, ("values", kind))
        for name, value in values.items():
            fault = prior_fault(fields[name], Fixed(value)) if name in fields else None
            if fault is not None:
                yield Fault(("values", kind, name), fault)
