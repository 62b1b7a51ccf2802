"""The base of all recipes, whether their rows are images or time series."""

import hashlib
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

import yaml
from pydantic import Field, StrictInt, ValidationError
from typing_extensions import override

from deepbench_torch.numerics.checks import Fault, FaultsError, Location, nearest
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.changes import apply_changes
from deepbench_torch.recipes.faults import find_faults, validate
from deepbench_torch.recipes.messages import user_stacklevel
from deepbench_torch.recipes.part import NAME, Part
from deepbench_torch.recipes.vector import Vector
from deepbench_torch.systems import Channel

Content = Literal["image", "series"]


class Rung(NamedTuple):
    """One rung of a difficulty ladder.

    Attributes:
        name: The step that leads to it; "simplest" for the lowest.
        adds: Short description of what the step adds.
        recipe: The recipe of this rung.
    """

    name: str
    adds: str
    recipe: Any


class Calibration(NamedTuple):
    """Magnitudes and angles of images; None where a recipe does not define them.

    Attributes:
        zero_point: Magnitude of an object whose pixels sum to 1.
        pixel_scale: Side of a pixel [arcsec].
    """

    zero_point: float | None = None
    pixel_scale: float | None = None


class AbstractRecipe(Part, ABC):
    """Definition of a catalogue's rows.

    Attributes:
        content: Kind of row; also the name of the block of rows in a file.
        plural: Noun for several rows.
        array_name: Name of the rows, as an array or as a folder of files.
        shape_remedy: How to make the rows of several recipes have one shape.
        not_hashed: The keys that change no row, and so do not count towards the digest.
        name: Name of the recipe.
        description: One line for people.
        size: Default number of rows of a catalogue.
        seed: Default seed of a catalogue.
        realization: Number of the noise, from 0 on: another number gives the same scenes with
            independent noise.
    """

    content: ClassVar[Content]
    plural: ClassVar[str]
    array_name: ClassVar[str]
    shape_remedy: ClassVar[str]
    not_hashed: ClassVar[frozenset[str]] = frozenset({"description", "size", "seed"})

    name: str = Field(min_length=1, pattern=NAME)
    description: str = ""
    size: StrictInt | None = Field(default=None, ge=1, le=1 << 62)
    seed: StrictInt | None = Field(default=None, ge=0, le=(1 << 63) - 1)

    realization: StrictInt = Field(default=0, ge=0, le=(1 << 31) - 1)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one row's data."""

    @property
    @abstractmethod
    def size_text(self) -> str:
        """The shape as text with units."""

    @property
    @abstractmethod
    def classes(self) -> list[str]:
        """The names of the labels, in their order."""

    @property
    @abstractmethod
    def single_label(self) -> bool:
        """True if a label is the number of one class; False if it has a column for each class."""

    @property
    @abstractmethod
    def class_labels(self) -> bool:
        """Whether labels are classes, as an index or as 0 or 1 for each, or else numbers."""

    @property
    @abstractmethod
    def label_name(self) -> str:
        """The name of the labels in lists of recipes."""

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the images [pixel]; None for rows that are no images."""
        return None

    @property
    def calibration(self) -> Calibration:
        """Zero point and pixel scale of images."""
        return Calibration()

    @property
    def channels(self) -> list[Channel]:
        """The columns of a time series, in order; none for other rows."""
        return []

    @property
    @abstractmethod
    def owners(self) -> list[str]:
        """The names of what has parameters: the kinds of objects, or the system."""

    @abstractmethod
    def priors_of(self, owner: str) -> Mapping[str, Prior] | None:
        """Return the priors of a kind of object or of a system by parameter.

        None if the objects of one kind have different priors.
        """

    @property
    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """The attributes of the block of rows in a file: strings, numbers or lists of them."""

    @property
    @abstractmethod
    def vector(self) -> Vector:
        """The parameters that vary, as a row of numbers for a network; see `Vector`."""

    @property
    def condition_priors(self) -> dict[str, Prior]:
        """The prior of each condition of a row by name, in recipe units; none by default."""
        return {}

    @abstractmethod
    def _units_by_path(self) -> dict[str, str | None]:
        """Return the unit of each array of a sample, by path."""

    def unit(self, path: str) -> str | None:
        """Return the unit of an array of a sample; None for an array without unit, as a label.

        Args:
            path: Name of the array in `tables()` and in files.

        Raises:
            ValueError: If there is no such array; the message shows the nearest path.

        Example:
            >>> import deepbench_torch as db
            >>> db.load_recipe("sky").unit("parameters/star/gamma")
            'pixel'
        """
        units = self._units_by_path()
        if path not in units:
            hint = nearest(path, units).strip()
            remedy = hint or f"use one such as {', '.join([*units][:3])} or {[*units][-1]}"
            raise ValueError(f"unit: expected the path of an array, got {path!r}; {remedy}")
        return units[path]

    @abstractmethod
    def rungs(self) -> list[Rung]:
        """Return the difficulty ladder, from the simplest version to the recipe itself."""

    @abstractmethod
    def doubts(self) -> Iterator[Fault]:
        """Yield the numbers that are valid but were probably meant in another unit."""

    @override
    def _warn(self) -> None:
        warn_of(self)

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the values of some keys replaced, checked as any recipe is.

        Args:
            update: New values by key.
            deep: Has no effect: recipes are immutable.

        Raises:
            ValueError: If the changed recipe is not valid.
        """
        plain = self.to_plain() | dict(update or {})
        return build_recipe(type(self), plain, source=f"recipe {self.name}")

    @property
    def unhashed(self) -> frozenset[str]:
        """The keys of this recipe that change no row."""
        return self.not_hashed

    @property
    def digest(self) -> str:
        """SHA-256 of everything that determines a row except seed and index.

        Keys that change no row are left out, and so are default values. A key that a later version
        adds therefore does not change the digests of recipes without it.
        """
        plain = self.model_dump(mode="json", exclude=set(self.unhashed), exclude_defaults=True)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def scene_digest(self) -> str:
        """The digest of the recipe's first realization: equal if the scenes are."""
        return self.digest if not self.realization else self.replace(realization=0).digest

    def to_plain(self) -> dict[str, Any]:
        """Return the recipe as numbers, strings, lists and mappings."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """Return the recipe as complete YAML: every default is written out."""
        return yaml.safe_dump(self.to_plain(), sort_keys=False)

    def replace(self, **changes: object) -> Self:
        """Return a copy with some keys changed, by the rules of `extends` in YAML.

        Mappings are merged: `recipe.replace(objects={"star": {"gamma": 0.05}})` changes only that
        prior. Any other value replaces the old one. None resets a key to its default:
        `objects={"spiral": None}` removes a kind, `degrade=None` all blur and noise.

        Args:
            changes: New values by key.

        Raises:
            ValueError: If the changed recipe is not valid, or a change is an empty mapping where
                the recipe has a mapping with entries.

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
        changed = build_recipe(type(self), plain, source=source)
        warn_of(changed, known=[fault.location for fault in self.doubts()])
        return changed


def warn_of(recipe: AbstractRecipe, *, known: Collection[Location] = ()) -> None:
    """Warn of numbers that were probably meant in another unit.

    Args:
        recipe: The recipe.
        known: Locations that an earlier warning named.
    """
    for fault in recipe.doubts():
        if fault.location not in known:
            message = f"recipe {recipe.name}: {fault}"
            warnings.warn(message, UserWarning, stacklevel=user_stacklevel())


R = TypeVar("R", bound=AbstractRecipe)


def build_recipe(kind: type[R], plain: object, *, source: str) -> R:
    """Return a recipe built from plain values.

    Args:
        kind: The class of the recipe.
        plain: The values of a YAML file, or the values that a user wrote in Python.
        source: Origin of the values, for the error message.

    Raises:
        ValueError: If the values are not valid; it lists every fault with its remedy.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(find_faults(kind, plain, source=source)[0])
    try:
        recipe: R = validate(kind, plain)
    except ValidationError:
        faults = find_faults(kind, plain, source=source)
        raise ValueError(f"{source} is not valid: " + "; ".join(faults)) from None
    return recipe
