"""A recipe of images: their contents, degradation and label, validated and frozen."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self, final

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from deepbench_torch.arguments import Fault, FaultsError, nearest
from deepbench_torch.grid import Grid
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.checks import (
    MOST_OBJECTS,
    complete_objects,
    complete_scene,
    count_faults,
    name_faults,
)
from deepbench_torch.recipes.doubts import image_doubts
from deepbench_torch.recipes.frozen import freeze
from deepbench_torch.recipes.ladder import STEPS, Rung, rungs
from deepbench_torch.recipes.messages import shown
from deepbench_torch.recipes.part import Number, Part, Positive, PriorField, Whole
from deepbench_torch.recipes.plain import UnitAt
from deepbench_torch.recipes.simplification import Simplification, check_simplification
from deepbench_torch.recipes.units import image_unit

LARGEST_SIDE = 16_384  # [pixel]; one such image takes a gibibyte


class ImageSize(Part):
    """The size of the images [pixel]."""

    height: Whole = Field(ge=1, le=LARGEST_SIDE)
    width: Whole = Field(ge=1, le=LARGEST_SIDE)


class Blur(Part):
    """Point spread: a Gaussian whose standard deviation is a fraction of the shorter side."""

    sigma: Positive


class Photons(Part):
    """Poisson noise of signal and background, the mean background subtracted.

    `exposure` is photons per unit of brightness; `background` is brightness per pixel.
    """

    exposure: Positive
    background: Number = Field(default=0.0, ge=0)


class ReadOut(Part):
    """Gaussian noise of constant standard deviation, in units of brightness."""

    sigma: Positive


class Degradation(Part):
    """What happens to a scene on its way to an image, in this order; each step is optional."""

    blur: Blur | None = None
    poisson: Photons | None = None
    gaussian: ReadOut | None = None


class Layout(Part):
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

    visible: Number = Field(gt=0, le=1)
    candidates: Whole = Field(default=8, ge=1, le=64)
    grid: Whole = Field(default=32, ge=8, le=256)


@final
class Recipe(AbstractRecipe):
    """What a catalogue's images hold.

    Attributes:
        image: The size of the images.
        label: "class" for the kind of the one object, "present" for which kinds there are.
        compose: "sum" where light adds up, "union" where shapes unite and never add.
        count: How many objects an image holds; the kind of each is drawn evenly.
        counts: Instead of that, for every kind, how many of it an image holds.
        scene: Instead of both, the objects of every image one by one: the kind of each, and the
            priors of its parameters; one left out has that of `objects`.
        layout: Which layouts of the objects will do; None for any.
        objects: For every kind, the priors of its parameters in the units of a recipe: lengths are
            fractions of the image's shorter side, positions of its width and height. A parameter
            left out has the prior of `OBJECTS`, and so has a kind that only `scene` names.
        degrade: Blur and noise.
        simplify: What is made simpler once a scene is drawn; None for nothing.
        ladder: The steps of `rungs`, in the order in which they are added.
    """

    content: ClassVar[Content] = "image"
    plural: ClassVar[str] = "images"
    not_hashed: ClassVar[frozenset[str]] = AbstractRecipe.not_hashed | {"ladder"}

    image: ImageSize
    label: Literal["class", "present"]
    compose: Literal["sum", "union"] = "sum"
    count: PriorField | None = None
    counts: dict[str, PriorField] | None = None
    scene: tuple[dict[str, dict[str, PriorField]], ...] | None = Field(
        default=None, min_length=1, max_length=MOST_OBJECTS
    )
    layout: Layout | None = None
    objects: dict[str, dict[str, PriorField]] = Field(min_length=1)
    degrade: Degradation = Degradation()
    simplify: Simplification | None = None
    ladder: tuple[str, ...] = tuple(STEPS)

    @model_validator(mode="before")
    @classmethod
    def _kinds_of_scene(cls, plain: object) -> object:
        """With the kinds that only the scene names."""
        if not isinstance(plain, dict) or not isinstance(plain.get("scene"), list | tuple):
            return plain
        objects = plain.get("objects", {})
        if not isinstance(objects, dict):
            return plain
        parts = [part for part in plain["scene"] if isinstance(part, dict)]
        listed: dict[object, object] = {kind: {} for part in parts for kind in part}
        return plain | {"objects": {kind: {} for kind in objects} | listed | objects}

    @field_validator("objects", mode="before")
    @classmethod
    def _known_names(cls, objects: object) -> object:
        """Refuse unknown kinds and parameters, whatever their values are."""
        if isinstance(objects, Mapping):
            named = {
                kind: priors if isinstance(priors, Mapping) else ()
                for kind, priors in objects.items()
            }
            faults = [fault for kind in named for fault in name_faults(kind, named[kind], (kind,))]
            if faults:
                raise FaultsError(faults)
        return objects

    @field_validator("objects")
    @classmethod
    def _complete(cls, objects: dict[str, dict[str, Prior]]) -> dict[str, dict[str, Prior]]:
        """Fill in the parameters that are left out, in order."""
        return complete_objects(objects)

    @classmethod
    @override
    def _units(cls, plain: Mapping[str, Any]) -> UnitAt:
        return image_unit

    @field_validator("ladder")
    @classmethod
    def _known_steps(cls, ladder: tuple[str, ...]) -> tuple[str, ...]:
        for location, step in enumerate(ladder):
            if step not in STEPS or step in ladder[:location]:
                rule = f"steps of {', '.join(STEPS)}, each once"
                hint = nearest(step, STEPS).strip() or "remove it"
                raise FaultsError(
                    [Fault((location,), f"expected {rule}, got {shown(step)}; {hint}")]
                )
        return ladder

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = list(count_faults(self))
        # frozen against others; these are the same values, complete and in order
        try:
            if self.scene is not None:
                self.__dict__["scene"] = freeze(complete_scene(self.scene, self.objects))
        except FaultsError as error:
            faults += error.faults
        try:
            if self.simplify is not None:
                self.__dict__["simplify"] = check_simplification(
                    self.simplify, list(self.objects), counted=self.counts is not None
                )
        except FaultsError as error:
            faults += [
                Fault(("simplify", *location), message) for location, message in error.faults
            ]
        if faults:
            raise FaultsError(faults)
        return self

    @property
    @override
    def shape(self) -> tuple[int, int, int]:
        return 1, self.image.height, self.image.width

    @property
    @override
    def size_text(self) -> str:
        return f"{self.image.height} x {self.image.width} pixels"

    @property
    @override
    def classes(self) -> list[str]:
        """The names of the labels, in their order: the kinds."""
        if self.simplify is not None and self.simplify.kinds is not None:
            return list(self.simplify.kinds)
        return list(self.objects)

    @property
    @override
    def single_label(self) -> bool:
        return self.label == "class"

    @property
    @override
    def attributes(self) -> dict[str, Any]:
        return {}

    @override
    def _units_by_path(self) -> dict[str, str | None]:
        units: dict[str, str | None] = dict.fromkeys(("image", "clean", "label", "index"))
        for kind in self.objects:
            units[f"present/{kind}"] = None
            for name, field in OBJECTS[kind].fields.items():
                units[f"parameters/{kind}/{name}"] = field.unit
        return units

    @property
    def slots(self) -> int:
        """The largest number of objects of one kind in an image; all that a scene lists."""
        if self.scene is not None:
            return len(self.scene)
        priors = [self.count] if self.count is not None else (self.counts or {}).values()
        return max(int(prior.support[1]) for prior in priors)

    @property
    def grid(self) -> Grid:
        """The pixel centres of its images."""
        return Grid(self.image.height, self.image.width)

    @override
    def doubts(self) -> Iterator[Fault]:
        return image_doubts(self)

    @override
    def rungs(self) -> list[Rung]:
        """The ladder from the simplest version of this recipe to the recipe itself."""
        return rungs(self)
