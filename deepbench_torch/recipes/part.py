"""The base of all parts of a recipe, and the types of their fields."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import override

from deepbench_torch.priors import Prior, prior_from_plain
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.plain import UnitAt, drop_null, plain_values, without_units

NAME = r"^\.*[A-Za-z0-9_-][A-Za-z0-9_.-]*$"  # not of dots only: it becomes the name of a folder
PriorField = Annotated[
    Prior,
    BeforeValidator(prior_from_plain),
    PlainSerializer(lambda prior: prior.to_plain()),
    WithJsonSchema({}),  # recipes/schema.py defines the forms of a prior
]


class Part(BaseModel):
    """Base of all parts of a recipe: immutable and without unknown keys."""

    # constants: an infinite thickness stays infinite, where JSON would have null
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="constants"
    )

    def __init__(self, **values: Any) -> None:
        """Check values and store them, as for a YAML file.

        Args:
            values: Values by key.

        Raises:
            ValueError: If the values are not valid; it lists every fault with its remedy.
        """
        try:
            super().__init__(**values)
        except ValidationError:
            raise _all_faults(type(self), values) from None
        self._warn()

    # pydantic then fills nested parts without a call of this method, as for its own
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
        """Return an instance built from plain values; see `__init__`.

        Args:
            obj: A mapping of keys to values, or an instance.
            options: Options of pydantic.

        Raises:
            ValueError: If the values are not valid; it lists every fault with its remedy.
        """
        try:
            instance = super().model_validate(obj, **options)
        except ValidationError:
            raise _all_faults(cls, obj) from None
        instance._warn()
        return instance

    def _warn(self) -> None:
        """Warn of values that are valid but doubtful."""

    @override
    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return an instance built from the text of a JSON object; see `model_validate`."""
        try:
            plain = json.loads(json_data)
        except ValueError as error:
            raise ValueError(
                f"{cls.__name__}: expected JSON, got {json_data[:40]!r}; {error}"
            ) from None
        return cls.model_validate(plain, **options)

    @model_validator(mode="before")
    @classmethod
    def _make_plain(cls, plain: object) -> object:
        """Return plain values; an optional key whose value is None is left out."""
        if not isinstance(plain, Mapping):
            return plain
        optional = [name for name, field in cls.model_fields.items() if not field.is_required()]
        return drop_null(plain_values(plain, cls._units(plain)), optional)

    @classmethod
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        """Return the function that returns the unit of each number of some plain values."""
        return without_units

    @model_validator(mode="after")
    def _freeze(self) -> Self:
        """Make all nested mappings and lists immutable, so that the part has a hash."""
        self.__dict__.update(freeze(self.__dict__))
        return self


def _all_faults(kind: type[Part], plain: object) -> ValueError:
    """Return the error that lists every fault of some values."""
    name = plain.get("name") if isinstance(plain, Mapping) else None
    named = isinstance(name, str) and re.fullmatch(NAME, name) is not None
    source = f"recipe {name:.60}" if named else kind.__name__
    faults = find_faults(kind, plain, source=source)
    if not isinstance(plain, Mapping):
        return ValueError(faults[0])
    return ValueError(f"{source} is not valid: " + "; ".join(faults))
