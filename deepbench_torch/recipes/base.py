"""What every recipe shares, whether its rows are images or time series."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

import yaml
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

from deepbench_torch.priors import Prior, prior_from_plain
from deepbench_torch.recipes.faults import find_faults
from deepbench_torch.recipes.frozen import freeze

if TYPE_CHECKING:
    from deepbench_torch.recipes.ladder import Rung

Content = Literal["image", "series"]
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

    @model_validator(mode="after")
    def _freeze(self) -> Self:
        """Make the mappings and lists within it immutable, so that it has a hash."""
        self.__dict__.update(freeze(self.__dict__))
        return self


class AbstractRecipe(Part, ABC):
    """What a catalogue's rows hold.

    Attributes:
        content: What a row is; also the name of the block of rows in a file.
        nouns: What rows are called.
        silent: The keys that decide no row and so do not count towards the digest.
        name: What the recipe is called.
        description: One line for people.
        size: How many rows a catalogue has where nobody says so.
        seed: The seed of a catalogue where nobody gives one.
    """

    content: ClassVar[Content]
    nouns: ClassVar[str]
    silent: ClassVar[frozenset[str]] = frozenset({"description", "size", "seed"})

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")
    description: str = ""
    size: Whole | None = Field(default=None, ge=1, le=1 << 62)
    seed: Whole | None = Field(default=None, ge=0, le=(1 << 63) - 1)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one row's data."""

    @property
    @abstractmethod
    def extent(self) -> str:
        """The same for people, with units."""

    @property
    @abstractmethod
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""

    @property
    @abstractmethod
    def single_label(self) -> bool:
        """Whether a label is one class, by its number; else it has a column for each."""

    @property
    @abstractmethod
    def annotations(self) -> dict[str, Any]:
        """What a file says of the block of rows, by name: texts, numbers or lists of them."""

    @abstractmethod
    def unit(self, path: str) -> str | None:
        """The unit of a table of `tables()`; None where there is none to speak of."""

    @abstractmethod
    def rungs(self) -> "list[Rung]":
        """The ladder from the simplest version of this recipe to the recipe itself."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a row but seed and index.

        Keys that decide no row are left out, and so is what stands at its default, so that a key
        added to recipes later leaves the digests of those without it as they were.
        """
        plain = self.model_dump(mode="json", exclude=set(self.silent), exclude_defaults=True)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_plain(self) -> dict[str, Any]:
        """The recipe as numbers, strings, lists and mappings."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The recipe as YAML, complete: every default is written out."""
        return yaml.safe_dump(self.to_plain(), sort_keys=False)

    def replace(self, **changes: object) -> Self:
        """A copy with some keys changed.

        Mappings are merged into those of the recipe, so
        `recipe.replace(objects={"star": {"gamma": 0.05}})` changes that prior alone; anything else
        replaces what was there.

        Raises:
            ValueError: If the changed recipe is not valid.
        """
        plain = merge(self.to_plain(), changes)
        return validated(type(self), plain, source=f"recipe {self.name}")


R = TypeVar("R", bound=AbstractRecipe)


def validated(kind: type[R], plain: object, *, source: str) -> R:
    """A recipe of a kind.

    Args:
        kind: Which recipe it is to be.
        plain: What a YAML file holds.
        source: Where it came from, for the error message.

    Raises:
        ValueError: Listing every fault with its place, what was found and what is allowed.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(f"{source} must be a mapping of keys to values, got {plain!r:.60}")
    try:
        return kind.model_validate(plain)
    except ValidationError:
        faults = find_faults(kind, plain, source=source)
        raise ValueError(f"{source} is not valid: " + "; ".join(faults)) from None


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `base` with `changes` put in, mapping by mapping; a prior is replaced whole."""
    merged = dict(base)
    for key, change in changes.items():
        if isinstance(change, BaseModel):
            change = change.model_dump(mode="json")
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(change, Mapping) and not _is_prior(old):
            change = merge(old, change)
        merged[key] = change
    return merged


def _is_prior(plain: Mapping[str, Any]) -> bool:
    try:
        prior_from_plain(plain)
    except ValueError:
        return False
    return True
