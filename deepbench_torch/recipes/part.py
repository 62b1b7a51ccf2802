"""Base of all parts of a recipe, and the types of their fields."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import override

from deepbench_torch.priors import Prior, prior_from_plain
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.plain import UnitAt, left_out, plain_values, without_units

NAME = r"^[A-Za-z0-9_.-]+$"
PriorField = Annotated[
    Prior,
    BeforeValidator(prior_from_plain),
    PlainSerializer(lambda prior: prior.to_plain()),
    WithJsonSchema({}),  # recipes/schema.py says what a prior may be
]
# strict: a number in quotes, or a yes for a number, is a mistake
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
Flag = Annotated[bool, Field(strict=True)]


class Part(BaseModel):
    """Base of all parts of a recipe: no unknown keys, no change after it is read."""

    # constants: an infinite thickness stays infinite, where JSON would have null
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="constants"
    )

    def __init__(self, **values: Any) -> None:
        """Check values given by key, as those of a YAML file are checked.

        Args:
            values: The values.

        Raises:
            ValueError: Listing every fault with its location, the value found and the remedy.
        """
        try:
            super().__init__(**values)
        except ValidationError:
            raise _refusal(type(self), values) from None
        self._announce()

    # so that pydantic fills nested parts without calling it, as it does for its own
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    if not TYPE_CHECKING:  # for type checkers an assignment stays an error

        def __setattr__(self, name: str, value: object) -> NoReturn:
            raise ValueError(
                f"{type(self).__name__}.{name}: expected no change of a frozen recipe, got "
                f"{value!r:.60}; make a changed copy with recipe.replace(...)"
            )

        def __delattr__(self, name: str) -> NoReturn:
            raise ValueError(
                f"{type(self).__name__}.{name}: expected no change of a frozen recipe, got del; "
                "make a changed copy with recipe.replace(...)"
            )

    @override
    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return an instance made of plain values; see `__init__`.

        Args:
            obj: A mapping of keys to values, or an instance.
            options: Those of pydantic.

        Raises:
            ValueError: Listing every fault with its location, the value found and the remedy.
        """
        try:
            made = super().model_validate(obj, **options)
        except ValidationError:
            raise _refusal(cls, obj) from None
        made._announce()
        return made

    def _announce(self) -> None:
        """Warn of what a user should know about values that are valid."""

    @override
    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return an instance made of the text of a JSON object; see `model_validate`."""
        try:
            plain = json.loads(json_data)
        except ValueError as error:
            raise ValueError(
                f"{cls.__name__}: expected JSON, got {json_data[:40]!r}; {error}"
            ) from None
        return cls.model_validate(plain, **options)

    @model_validator(mode="before")
    @classmethod
    def _take(cls, plain: object) -> object:
        """Make the values plain; an optional key whose value is None counts as left out."""
        if not isinstance(plain, Mapping):
            return plain
        optional = [name for name, field in cls.model_fields.items() if not field.is_required()]
        return left_out(plain_values(plain, cls._units(plain)), optional)

    @classmethod
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        """Return the function that knows the unit of each number of some plain values."""
        return without_units

    @model_validator(mode="after")
    def _freeze(self) -> Self:
        """Make the mappings and lists within it immutable, so that it has a hash."""
        self.__dict__.update(freeze(self.__dict__))
        return self


def _refusal(kind: type[Part], plain: object) -> ValueError:
    """Return the error with every fault of some values."""
    name = plain.get("name") if isinstance(plain, Mapping) else None
    named = isinstance(name, str) and re.fullmatch(NAME, name) is not None
    source = f"recipe {name:.60}" if named else kind.__name__
    faults = find_faults(kind, plain, source=source)
    if not isinstance(plain, Mapping):
        return ValueError(faults[0])
    return ValueError(f"{source} is not valid: " + "; ".join(faults))
