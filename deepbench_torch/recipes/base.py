"""What every recipe shares, whether its rows are images or time series."""

import hashlib
import json
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import yaml
from pydantic import Field, ValidationError
from typing_extensions import override

from deepbench_torch.arguments import Fault, FaultsError, Location, nearest
from deepbench_torch.recipes.changes import apply_changes
from deepbench_torch.recipes.faults import find_faults, validate
from deepbench_torch.recipes.part import NAME, Part, Whole

if TYPE_CHECKING:
    from deepbench_torch.recipes.ladder import Rung

Content = Literal["image", "series"]


class AbstractRecipe(Part, ABC):
    """What a catalogue's rows hold.

    Attributes:
        content: What a row is; also the name of the block of rows in a file.
        plural: What rows are called.
        not_hashed: The keys that decide no row and so do not count towards the digest.
        name: What the recipe is called.
        description: One line for people.
        size: How many rows a catalogue has where nobody says so.
        seed: The seed of a catalogue where nobody gives one.
    """

    content: ClassVar[Content]
    plural: ClassVar[str]
    not_hashed: ClassVar[frozenset[str]] = frozenset({"description", "size", "seed"})

    name: str = Field(min_length=1, pattern=NAME)
    description: str = ""
    size: Whole | None = Field(default=None, ge=1, le=1 << 62)
    seed: Whole | None = Field(default=None, ge=0, le=(1 << 63) - 1)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one row's data."""

    @property
    @abstractmethod
    def size_text(self) -> str:
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
    def attributes(self) -> dict[str, Any]:
        """What a file says of the block of rows, by name: texts, numbers or lists of them."""

    @abstractmethod
    def _units_by_path(self) -> dict[str, str | None]:
        """Return the unit of each array of a sample, by path."""

    def unit(self, path: str) -> str | None:
        """Return the unit of an array of a sample; None where it has none, as a label.

        Args:
            path: The array, as `tables()` and files name it.

        Raises:
            ValueError: If there is no such array; the message has the nearest path.

        Example:
            >>> import deepbench_torch as db
            >>> db.load_recipe("sky").unit("parameters/star/gamma")
            'pixel'
        """
        units = self._units_by_path()
        if path not in units:
            hint = nearest(path, units).strip()
            remedy = hint or f"some are {', '.join([*units][:3])} and {[*units][-1]}"
            raise ValueError(f"unit: expected the path of an array, got {path!r}; {remedy}")
        return units[path]

    @abstractmethod
    def rungs(self) -> "list[Rung]":
        """The ladder from the simplest version of this recipe to the recipe itself."""

    @abstractmethod
    def doubts(self) -> Iterator[Fault]:
        """Yield the numbers that are valid but were probably meant in another unit."""

    @override
    def _announce(self) -> None:
        warn_of(self)

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some keys replaced as a whole, checked as any recipe is.

        Args:
            update: New values by key.
            deep: No difference, as nothing in a recipe changes.

        Raises:
            ValueError: If the changed recipe is not valid.
        """
        plain = self.to_plain() | dict(update or {})
        return validated(type(self), plain, source=f"recipe {self.name}")

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a row but seed and index.

        Keys that decide no row are left out, and so is what stands at its default, so that a key
        added to recipes later leaves the digests of those without it as they were.
        """
        plain = self.model_dump(mode="json", exclude=set(self.not_hashed), exclude_defaults=True)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_plain(self) -> dict[str, Any]:
        """The recipe as numbers, strings, lists and mappings."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The recipe as YAML, complete: every default is written out."""
        return yaml.safe_dump(self.to_plain(), sort_keys=False)

    def replace(self, **changes: object) -> Self:
        """Return a copy with some keys changed, by the rules of `extends` in YAML.

        Mappings are merged into those of the recipe, so
        `recipe.replace(objects={"star": {"gamma": 0.05}})` changes that prior alone; any other
        value replaces what was there. None removes a key, so that it takes its default:
        `objects={"spiral": None}` removes a kind, `degrade=None` all blur and noise.

        Args:
            changes: New values by key.

        Raises:
            ValueError: If the changed recipe is not valid, or an empty mapping is to change a
                mapping that holds something.

        Example:
            >>> import deepbench_torch as db
            >>> db.load_recipe("sky").replace(objects={"spiral": None}, degrade=None).classes
            ['star', 'galaxy']
        """
        source = f"recipe {self.name}"
        try:
            plain = apply_changes(self.to_plain(), changes)
        except FaultsError as error:
            raise ValueError(f"{source} is not valid: {error}") from None
        changed = validated(type(self), plain, source=source)
        warn_of(changed, known=[fault.location for fault in self.doubts()])
        return changed


def warn_of(recipe: AbstractRecipe, *, known: Collection[Location] = ()) -> None:
    """Warn of numbers that were probably meant in another unit.

    Args:
        recipe: The recipe.
        known: Places of which the user was warned before.
    """
    for fault in recipe.doubts():
        if fault.location not in known:
            message = f"recipe {recipe.name}: {fault}"
            warnings.warn(message, UserWarning, stacklevel=_outside())


def _outside() -> int:
    """Return how many calls up the user's code is, seen from the caller."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("deepbench_torch."):
        frame, depth = frame.f_back, depth + 1
    return depth


R = TypeVar("R", bound=AbstractRecipe)


def validated(kind: type[R], plain: object, *, source: str) -> R:
    """Return a recipe of a kind.

    Args:
        kind: The class of the recipe.
        plain: The values of a YAML file, or what a user wrote in Python.
        source: Where they came from, for the error message.

    Raises:
        ValueError: Listing every fault with its location, the value found and the remedy.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(find_faults(kind, plain, source=source)[0])
    try:
        recipe: R = validate(kind, plain)
    except ValidationError:
        faults = find_faults(kind, plain, source=source)
        raise ValueError(f"{source} is not valid: " + "; ".join(faults)) from None
    return recipe
