"""A recipe: the contents of an image, its degradation and its label, validated and frozen."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from deepbench_torch.grid import Grid
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Choice, Fixed, Integer, Prior, prior_from_plain

PriorField = Annotated[
    Prior,
    BeforeValidator(prior_from_plain),
    PlainSerializer(lambda prior: prior.to_plain()),
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


LARGEST_SIDE = 16_384  # [pixel]; one such image takes a gibibyte


class _Part(BaseModel):
    """What all parts of a recipe share: no unknown keys, no change after reading."""

    # constants: an infinite thickness stays infinite, where JSON would have null
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="constants"
    )


class ImageSize(_Part):
    """The size of the images [pixel]."""

    height: int = Field(ge=1, le=LARGEST_SIDE)
    width: int = Field(ge=1, le=LARGEST_SIDE)


class Blur(_Part):
    """Point spread: a Gaussian whose standard deviation is a fraction of the shorter side."""

    sigma: Positive


class Photons(_Part):
    """Poisson noise of signal and background, the mean background subtracted.

    `exposure` is photons per unit of brightness; `background` is brightness per pixel.
    """

    exposure: Positive
    background: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class ReadOut(_Part):
    """Gaussian noise of constant standard deviation, in units of brightness."""

    sigma: Positive


class Degradation(_Part):
    """What happens to a scene on its way to an image, in this order; each step is optional."""

    blur: Blur | None = None
    poisson: Photons | None = None
    gaussian: ReadOut | None = None


class Layout(_Part):
    """Which layouts of an image will do.

    Of some candidate layouts of an image, the first in which every object shows enough of itself is
    taken, else the one that comes nearest. An object shows the pixels that it covers, that lie in
    the frame and where it is brighter than all others together. They are counted on a small grid of
    its own, without noise, so that an image's layout is the same at every size.

    Attributes:
        visible: The least share of each object that must be seen.
        candidates: How many layouts there are to choose from.
        grid: Pixels of the shorter side of the grid on which shares are counted.
    """

    visible: float = Field(gt=0, le=1)
    candidates: int = Field(default=8, ge=1, le=64)
    grid: int = Field(default=32, ge=8, le=256)


class Recipe(_Part):
    """What a catalogue's images hold.

    Attributes:
        name: What the recipe is called.
        description: One line for people; it does not count towards the digest.
        image: The size of the images.
        label: "class" for the kind of the one object, "present" for which kinds there are.
        compose: "sum" where light adds up, "union" where shapes unite and never add.
        count: How many objects an image holds; the kind of each is drawn evenly.
        counts: Instead of that, for every kind, how many of it an image holds.
        layout: Which layouts of the objects will do; None for any.
        objects: For every kind, the priors of its parameters in the units of a recipe: lengths are
            fractions of the image's shorter side, positions of its width and height. A parameter
            left out has the prior of `OBJECTS`.
        degrade: Blur and noise.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")
    description: str = ""
    image: ImageSize
    label: Literal["class", "present"]
    compose: Literal["sum", "union"] = "sum"
    count: PriorField | None = None
    counts: dict[str, PriorField] | None = None
    layout: Layout | None = None
    objects: dict[str, dict[str, PriorField]] = Field(min_length=1)
    degrade: Degradation = Degradation()

    @field_validator("objects")
    @classmethod
    def _complete(cls, objects: dict[str, dict[str, Prior]]) -> dict[str, dict[str, Prior]]:
        """Kinds and parameters known and sensible; what is left out is filled in, in order."""
        return {kind: _complete_object(kind, objects[kind]) for kind in objects}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.count is None) == (self.counts is None):
            raise ValueError(
                "give either count, for objects of any kind, or counts, for each kind its own; "
                f"got {'neither' if self.count is None else 'both'}"
            )
        if self.counts is not None and set(self.counts) != set(self.objects):
            raise ValueError(
                f"counts must name the kinds of objects, {', '.join(self.objects)}; "
                f"got {', '.join(self.counts)}"
            )
        numbers = {"count": self.count} if self.count is not None else self.counts or {}
        for name, prior in numbers.items():
            _check_count(name, prior)
        exactly_one = self.count is not None and self.count.bounds == (1, 1)
        if self.label == "class" and not exactly_one:
            raise ValueError(
                f"label 'class' needs exactly one object an image, got counts "
                f"{[prior.to_plain() for prior in numbers.values()]!r}; "
                "set count: 1 or label: present"
            )
        return self

    @property
    def classes(self) -> list[str]:
        """The names of the labels, in their order: the kinds."""
        return list(self.objects)

    @property
    def slots(self) -> int:
        """The largest number of objects of one kind in an image."""
        priors = [self.count] if self.count is not None else (self.counts or {}).values()
        return max(int(prior.bounds[1]) for prior in priors)

    @property
    def grid(self) -> Grid:
        """The pixel centres of its images."""
        return Grid(self.image.height, self.image.width)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides an image but seed and index.

        The description is left out, and so is what stands at its default, so that a key added to
        recipes later leaves the digests of those without it as they were.
        """
        plain = self.model_dump(mode="json", exclude={"description"}, exclude_defaults=True)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_plain(self) -> dict[str, Any]:
        """The recipe as numbers, strings, lists and mappings."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The recipe as YAML, complete: every default is written out."""
        return yaml.safe_dump(self.to_plain(), sort_keys=False)

    def replace(self, **changes: object) -> "Recipe":
        """A copy with some keys changed.

        Mappings are merged into those of the recipe, so
        `recipe.replace(objects={"star": {"gamma": 0.05}})` changes that prior alone; anything else
        replaces what was there.

        Raises:
            ValueError: If the changed recipe is not valid.
        """
        return recipe_from_plain(merge(self.to_plain(), changes), source=f"recipe {self.name}")


def recipe_from_plain(plain: object, *, source: str) -> Recipe:
    """Validate a recipe.

    Args:
        plain: What a YAML file holds.
        source: Where it came from, for the error message.

    Raises:
        ValueError: Listing every fault with its place, what was found and what is allowed.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(f"{source} must be a mapping of keys to values, got {plain!r:.60}")
    try:
        return Recipe.model_validate(plain)
    except ValidationError as error:
        faults = [
            _fault(detail["loc"], detail["msg"], detail["input"]) for detail in error.errors()
        ]
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


def _complete_object(kind: str, priors: dict[str, Prior]) -> dict[str, Prior]:
    if kind not in OBJECTS:
        raise ValueError(f"unknown kind {kind!r}; the kinds are {', '.join(OBJECTS)}")
    definition = OBJECTS[kind]
    unknown = [name for name in priors if name not in definition.fields]
    if unknown:
        raise ValueError(
            f"{kind} has no parameter {', '.join(unknown)}; it has "
            f"{', '.join(definition.parameters)}"
        )
    complete = {name: priors.get(name, prior) for name, prior in definition.prior.items()}
    for name, prior in complete.items():
        definition.check_prior(name, prior)
    return complete


def _check_count(name: str, prior: Prior) -> None:
    low, high = prior.bounds
    values = prior.values if isinstance(prior, Choice) else (low, high)
    whole = isinstance(prior, Fixed | Integer | Choice) and all(
        float(v).is_integer() for v in values
    )
    if not whole or low < 0 or not 1 <= high <= 1000:
        raise ValueError(
            f"{name} must give whole numbers of objects from 0 to 1000, and sometimes at least 1, "
            f"got {prior.to_plain()!r}"
        )


def _fault(place: tuple[int | str, ...], message: str, found: object) -> str:
    path = ".".join(str(part) for part in place) or "recipe"
    message = message.removeprefix("Value error, ")
    return f"{path}: {message}" if "got" in message else f"{path}: {message}, got {found!r:.60}"
