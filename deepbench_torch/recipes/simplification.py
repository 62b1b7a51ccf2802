"""What is made simpler in scenes that are drawn already, for the rungs of a ladder."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Fixed
from deepbench_torch.recipes.base import Flag, Number, Part, Whole
from deepbench_torch.recipes.checks import MOST_OBJECTS


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
    """The simplification, if it fits a recipe; its kinds in the recipe's order.

    Args:
        simplify: What is made simpler.
        kinds: The kinds of the recipe.
        counted: Whether the recipe counts each kind.

    Raises:
        ValueError: If a kind, a parameter or a value is not one of the recipe.
    """
    known = f"; the recipe has {', '.join(kinds)}"
    for kind in (*(simplify.kinds or ()), *simplify.values):
        if kind not in kinds:
            raise ValueError(f"simplify names the kind {kind!r}, got no such objects{known}")
    if simplify.balanced and not counted:
        raise ValueError(
            "simplify.balanced needs counts, got count: the kind of each object is drawn evenly "
            "already"
        )
    for kind, values in simplify.values.items():
        _check_values(kind, values)
    if simplify.kinds is None:
        return simplify
    return simplify.model_copy(
        update={"kinds": tuple(kind for kind in kinds if kind in simplify.kinds)}
    )


def _check_values(kind: str, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if name not in OBJECTS[kind].fields:
            raise ValueError(
                f"simplify: {kind} has no parameter {name}, got {value!r}; it has "
                f"{', '.join(OBJECTS[kind].parameters)}"
            )
        OBJECTS[kind].check_prior(name, Fixed(value))
