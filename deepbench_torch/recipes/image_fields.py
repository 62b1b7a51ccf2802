"""The keys of an image recipe: size, objects, layout and label."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StrictInt
from typing_extensions import override

from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.numerics.checks import Fault, FaultsError, nearest
from deepbench_torch.numerics.fields import Number, Positive
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.nodes import MOST_SAMPLES
from deepbench_torch.priors import Prior
from deepbench_torch.recipes.base import AbstractRecipe, Content
from deepbench_torch.recipes.degradation import Degradation
from deepbench_torch.recipes.messages import short_repr
from deepbench_torch.recipes.object_rules import MOST_OBJECTS
from deepbench_torch.recipes.part import Part, PriorField
from deepbench_torch.recipes.simplification import Simplification

LABELS = ("class", "present", "brightness")


def _read_label(label: object) -> object:
    """Return a label that is one of LABELS or a list of names."""
    named = isinstance(label, list | tuple) and label and all(isinstance(n, str) for n in label)
    if not named and not (isinstance(label, str) and label in LABELS):
        rule = f"expected {', '.join(LABELS)} or a list of parameters as [galaxy.radius]"
        hint = nearest(label, LABELS).strip() or "write one of them"
        raise FaultsError([Fault((), f"{rule}, got {short_repr(label)}; {hint}")])
    return label


Label = Annotated[
    Literal["class", "present", "brightness"] | tuple[str, ...], BeforeValidator(_read_label)
]
Weight = Annotated[Number, Field(ge=0)]
LARGEST_SIDE = 16_384  # [pixel]; one such image takes a gibibyte


class ImageSize(Part):
    """Size of the images [pixel], and how the light of a pixel is sampled.

    Attributes:
        height: Rows.
        width: Columns.
        samples: Points along each axis of a pixel (Gauss-Legendre) over which its light is
            averaged; 1 for the centre of the pixel alone.
    """

    height: StrictInt = Field(ge=1, le=LARGEST_SIDE)
    width: StrictInt = Field(ge=1, le=LARGEST_SIDE)
    samples: StrictInt = Field(default=1, ge=1, le=MOST_SAMPLES)


class Layout(Part):
    """Rule that keeps every object of an image visible.

    Several candidate layouts of an image are sampled. The first in which each object shows at least
    `visible` of its pixels is used, or the best of them if none does. A pixel of an object is
    visible if it is in the frame and the object is brighter there than all others together. Pixels
    are counted on a small grid without noise, so the layout is the same at every image size.

    Attributes:
        visible: Least visible fraction of each object.
        least_pixels: Pixels of the grid that an object is expected to have; the fraction of one
            with fewer is of this number.
        candidates: Number of layouts to choose from.
        grid: Pixels along the shorter side of the grid.
    """

    visible: Number = Field(gt=0, le=1)
    least_pixels: StrictInt = Field(default=1, ge=1, le=1024)
    candidates: StrictInt = Field(default=8, ge=1, le=64)
    grid: StrictInt = Field(default=32, ge=8, le=256)


class AbstractImageRecipe(AbstractRecipe):
    """Keys of an image recipe, without the checks across keys.

    Attributes:
        image: Size of the images.
        label: "class" for the kind of the one object, or the group of the image; "present" for the
            set of kinds in the image; "brightness" for the light of all its pixels without noise;
            or names of parameters, as `[galaxy.radius, galaxy.ellip]`, for their values in pixels
            and radians in the first object of the kind, NaN without one.
        compose: "sum" to add the light of objects, "union" to unite shapes so that they never add.
        count: Number of objects in an image; each has any of the kinds with equal probability, or
            with the probability that `weights` states.
        weights: Relative frequency of each kind among the objects of `count`, or of each of
            `groups`; None for equal ones.
        counts: Number of objects by kind, instead of `count`.
        groups: Classes of images, instead of `count`: by name, the number of objects by kind in an
            image of that class. Each class is equally frequent, or as `weights` states.
        shared: By kind, the parameters that have one value in all of an image's objects of it.
        scene: List of the objects of every image, instead of `count`: the kind of each, and the
            priors of its parameters. A parameter left out has its prior in `objects`.
        layout: Rule that keeps every object visible; None for no rule.
        objects: Priors of the parameters by kind, in recipe units: lengths are fractions of the
            image's shorter side, positions of its width and height. A parameter left out, and a
            kind that only `scene` names, have the priors of `OBJECTS`. In place of `amplitude`,
            stars, galaxies and shapes take `flux`, the total light in brightness times the square
            of the image's shorter side, or `magnitude`, which is zero_point - 2.5 log10 of the sum
            of the object's pixels; the amplitude follows from the other parameters.
        degrade: Point spread, background gradient and noise.
        simplify: Simplifications of a sampled scene; None for none.
        zero_point: Magnitude of an object whose pixels sum to 1, at the recipe's own image size;
            None for no magnitudes. It changes no pixel, unless magnitudes are sampled.
        pixel_scale: Side of a pixel on the sky, at the recipe's own image size [arcsec / pixel];
            None for no sky. It changes no pixel.
    """

    content: ClassVar[Content] = "image"
    plural: ClassVar[str] = "images"

    image: ImageSize
    label: Label
    compose: Literal["sum", "union"] = "sum"
    count: PriorField | None = None
    weights: dict[str, Weight] | None = None
    counts: dict[str, PriorField] | None = None
    groups: dict[str, dict[str, PriorField]] | None = Field(default=None, min_length=1)
    shared: dict[str, tuple[str, ...]] | None = None
    scene: tuple[dict[str, dict[str, PriorField]], ...] | None = Field(
        default=None, min_length=1, max_length=MOST_OBJECTS
    )
    layout: Layout | None = None
    objects: dict[str, dict[str, PriorField]] = Field(min_length=1)
    degrade: Degradation = Degradation()
    simplify: Simplification | None = None
    zero_point: Number | None = None
    pixel_scale: Positive | None = None

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
        """The names of the labels in order: kinds, groups, or what the numbers of a label are."""
        if self.label == "class" and self.groups is not None:
            return list(self.groups)
        if self.label == "brightness":
            return ["brightness"]
        return self.kinds if isinstance(self.label, str) else list(self.label)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the objects that images hold, in order."""
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

    @property
    @override
    def condition_priors(self) -> dict[str, Prior]:
        return self.degrade.conditions

    @override
    def _units_by_path(self) -> dict[str, str | None]:
        units: dict[str, str | None] = dict.fromkeys(("image", "clean", "label", "index"))
        for kind in self.objects:
            units[f"present/{kind}"] = None
            for name, field in OBJECTS[kind].fields.items():
                units[f"parameters/{kind}/{name}"] = field.unit
        for name in self.degrade.conditions:
            units[f"conditions/{name}"] = CONDITIONS[name].parameter.unit
        return units

    @property
    def slots(self) -> int:
        """The largest number of objects of one kind in an image; all objects of a listed scene."""
        if self.scene is not None:
            return len(self.scene)
        groups = (self.groups or {}).values()
        priors = [prior for counts in (self.counts or {}, *groups) for prior in counts.values()]
        priors += [] if self.count is None else [self.count]
        return max(1, *(int(prior.support[1]) for prior in priors))

    @property
    def kind_weights(self) -> list[float]:
        """The relative frequency of each kind for an object of `count`, as `objects` has them."""
        weights = self.weights if self.groups is None else None
        return [1.0 if weights is None else weights[kind] for kind in self.objects]

    @property
    def group_weights(self) -> list[float]:
        """The relative frequency of each group, in order."""
        return [1.0 if self.weights is None else self.weights[name] for name in self.groups or {}]

    @property
    def grid(self) -> Grid:
        """The pixel centres of the images."""
        return Grid(self.image.height, self.image.width, samples=self.image.samples)
