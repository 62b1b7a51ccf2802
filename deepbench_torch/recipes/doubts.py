"""Doubts about valid recipes of images: pixels where fractions are meant, degrees for radians."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from deepbench_torch.arguments import Fault, Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import Role
from deepbench_torch.priors import Fixed, Prior
from deepbench_torch.priors.converted import converted, quartiles, short_text

if TYPE_CHECKING:
    from deepbench_torch.recipes.recipe import Recipe

Priors = Mapping[str, Prior]
OUTSIDE = 3.0  # images that a position may lie outside of the image
LARGEST_BLUR = 0.5  # of the shorter side; more leaves nothing to see
TURN = 2 * math.pi * (1 + 1e-6)
RULES: Mapping[Role, tuple[str, str]] = {
    "column": ("a fraction of the width", "lies outside every image"),
    "row": ("a fraction of the height", "lies outside every image"),
    "length": ("a fraction of the image's shorter side", "is longer than the image"),
    "angle": ("radians", "is more than a turn"),
}


class Scale(NamedTuple):
    """The sizes by which one parameter of an object is judged.

    Attributes:
        role: What the parameter measures.
        pixels: The pixels of which it is a fraction; 1 for an angle.
        longest: The largest length that is not doubted.
        reach: How far outside the image a position may lie.
    """

    role: Role
    pixels: int
    longest: float
    reach: float

    def doubts(self, prior: Prior) -> bool:
        """Return whether half of a prior's values are out of proportion."""
        _, median, _ = quartiles(prior)
        return math.isfinite(median) and self._odd(median)

    def _odd(self, value: float) -> bool:
        match self.role:
            case "column" | "row":
                return max(value - 1, -value) > self.reach
            case "length":
                return value > self.longest
            case "angle":
                return abs(value) > TURN
        return False

    def meant(self, value: float) -> float:
        """Return the fraction for a number of pixels, or the radians for degrees."""
        if self.role == "angle":
            return math.radians(value)
        return (value + (0.5 if self.role in ("column", "row") else 0.0)) / self.pixels


def image_doubts(recipe: "Recipe") -> Iterator[Fault]:
    """Yield the numbers of a recipe that are pixels or degrees by their size; all are valid.

    A position is doubted if its median lies outside the image by more than three images and
    the object's own size, a length if its median exceeds the image, an angle if it exceeds a turn.
    """
    for location, kind, priors in _objects(recipe):
        complete = recipe.objects[kind] | dict(priors)
        for name, prior in priors.items():
            scale = _scale(recipe, kind, name, complete)
            if scale.doubts(prior):
                yield Fault((*location, name), _message(scale, prior))
    blur, shorter = recipe.degrade.blur, recipe.grid.shorter
    if blur is not None and blur.sigma >= LARGEST_BLUR:
        yield Fault(
            ("degrade", "blur", "sigma"),
            f"expected a fraction of the image's shorter side, got {blur.sigma:g}, which smears "
            f"the image; at {shorter} pixels {blur.sigma / shorter:.3g} was probably meant",
        )


def _objects(recipe: "Recipe") -> Iterator[tuple[Location, str, Priors]]:
    """Yield location, kind and priors of all objects, each prior where the user wrote it."""
    listed = {kind for part in recipe.scene or () for kind in part}
    for kind, priors in recipe.objects.items():
        if recipe.scene is None or kind in listed:
            yield ("objects", kind), kind, priors
    for number, part in enumerate(recipe.scene or ()):
        for kind, priors in part.items():
            usual = recipe.objects[kind]
            own = {name: prior for name, prior in priors.items() if prior != usual[name]}
            yield ("scene", number, kind), kind, own
    if recipe.simplify is not None:
        for kind, values in recipe.simplify.values.items():
            fixed = {name: Fixed(value) for name, value in values.items()}
            yield ("simplify", "values", kind), kind, fixed


def _scale(recipe: "Recipe", kind: str, name: str, priors: Priors) -> Scale:
    fields, grid = OBJECTS[kind].fields, recipe.grid
    diagonal = math.hypot(grid.height, grid.width) / grid.shorter
    sizes = [
        quartiles(prior)[1]
        for other, prior in priors.items()
        if fields[other].role == "length" and other != "thickness"
    ]
    size = max((size for size in sizes if size <= diagonal), default=0.0)
    # a shape may be as long as the image; light and a line as wide as that leave it even
    shape = "thickness" in fields and name != "thickness"
    longest = diagonal if shape else math.nextafter(1.0, 0.0)
    role = fields[name].role
    pixels = {"column": grid.width, "row": grid.height, "length": grid.shorter}.get(role, 1)
    return Scale(role, pixels, longest, reach=OUTSIDE + size * grid.shorter / pixels)


def _message(scale: Scale, prior: Prior) -> str:
    rule, problem = RULES[scale.role]
    unit = "in degrees" if scale.role == "angle" else f"at {scale.pixels} pixels"
    remedy = probably(prior, scale.meant, doubts=scale.doubts)
    return f"expected {rule}, got {short_text(prior)}, which {problem}; {unit} {remedy}"


def probably(
    prior: Prior, meant: Callable[[float], float], *, doubts: Callable[[Prior], bool]
) -> str:
    """Return what was probably meant, or that nothing likely was.

    Args:
        prior: The prior that is doubted.
        meant: Converts its values to the right unit.
        doubts: Whether the converted prior is doubted too.
    """
    other = converted(prior, meant)
    if doubts(other):
        return f"{short_text(other)} is out of proportion too, so write a smaller number"
    return f"{short_text(other)} was probably meant"
