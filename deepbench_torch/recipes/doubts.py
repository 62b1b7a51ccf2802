"""Doubtful numbers in valid image recipes: pixels instead of fractions, degrees for radians."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from deepbench_torch.degrade import ArraySpread
from deepbench_torch.numerics.checks import Fault, Location
from deepbench_torch.priors import Fixed, Prior
from deepbench_torch.priors.converted import converted, quartiles, short_text
from deepbench_torch.priors.parameter import Role
from deepbench_torch.recipes.brightness import fields_of
from deepbench_torch.recipes.image_fields import AbstractImageRecipe

Priors = Mapping[str, Prior]
OUTSIDE = 3.0  # largest distance of a position from the image, in images
LARGEST_BLUR = 0.5  # of the shorter side; a larger one leaves no structure
TURN = 2 * math.pi * (1 + 1e-6)
RULES: Mapping[Role, tuple[str, str]] = {
    "column": ("a fraction of the width", "is outside every image"),
    "row": ("a fraction of the height", "is outside every image"),
    "length": ("a fraction of the image's shorter side", "is longer than the image"),
    "angle": ("radians", "is more than a turn"),
}


class Scale(NamedTuple):
    """Limits of the plausible values of one parameter of an object.

    Attributes:
        role: Quantity that the parameter measures.
        pixels: Pixels of which the value is a fraction; 1 for an angle.
        longest: Largest plausible length.
        margin: Largest plausible distance of a position from the image.
    """

    role: Role
    pixels: int
    longest: float
    margin: float

    def doubts(self, prior: Prior) -> bool:
        """Return whether half of a prior's values are implausible."""
        _, median, _ = quartiles(prior)
        return math.isfinite(median) and self._is_implausible(median)

    def _is_implausible(self, value: float) -> bool:
        match self.role:
            case "column" | "row":
                return max(value - 1, -value) > self.margin
            case "length":
                return value > self.longest
            case "angle":
                return abs(value) > TURN
        return False

    def convert(self, value: float) -> float:
        """Return the fraction for a number of pixels, or the radians for degrees."""
        if self.role == "angle":
            return math.radians(value)
        return (value + (0.5 if self.role in ("column", "row") else 0.0)) / self.pixels


def image_doubts(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the numbers of a recipe that are valid, but as large as pixels or degrees.

    A position is doubtful if its median is farther from the image than three images plus the
    object's size. A length is doubtful if its median exceeds the image, an angle if it exceeds a
    full turn.
    """
    for location, kind, priors in _objects(recipe):
        complete = recipe.objects[kind] | dict(priors)
        for name, prior in priors.items():
            scale = _scale(recipe, kind, name, complete)
            if scale.doubts(prior):
                yield Fault((*location, name), _message(scale, prior))
    yield from _spread_doubts(recipe)
    yield from _angle_doubts(recipe)


def _angle_doubts(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the direction of a gradient in degrees."""
    if recipe.degrade.gradient is None:
        return
    prior = recipe.degrade.gradient.priors["gradient_angle"]
    scale = Scale("angle", 1, longest=math.inf, margin=math.inf)
    if scale.doubts(prior):
        yield Fault(("degrade", "gradient", "angle"), _message(scale, prior))


def _spread_doubts(recipe: AbstractImageRecipe) -> Iterator[Fault]:
    """Yield the widths of a point spread that leave no structure."""
    blur, psf, shorter = recipe.degrade.blur, recipe.degrade.psf, recipe.grid.shorter
    widths: dict[Location, float] = {}
    if blur is not None:
        widths["blur", "sigma"] = blur.sigma
    for key, spread in ({} if psf is None else psf.set_keys).items():
        if key != ArraySpread.key and "fwhm" in spread.priors:
            widths["psf", key, "fwhm"] = quartiles(spread.priors["fwhm"])[1]
    for location, size in widths.items():
        if size >= LARGEST_BLUR:
            yield Fault(
                ("degrade", *location),
                f"expected a fraction of the image's shorter side, got {size:g}, which blurs all "
                f"structure; at {shorter} pixels {size / shorter:.3g} was probably meant",
            )


def _objects(recipe: AbstractImageRecipe) -> Iterator[tuple[Location, str, Priors]]:
    """Yield location, kind and priors of all objects, each prior at the user's own location."""
    listed = {kind for part in recipe.scene or () for kind in part}
    for kind, priors in recipe.objects.items():
        if recipe.scene is None or kind in listed:
            yield ("objects", kind), kind, priors
    for number, part in enumerate(recipe.scene or ()):
        for kind, priors in part.items():
            defaults = recipe.objects[kind]
            own = {name: prior for name, prior in priors.items() if prior != defaults.get(name)}
            yield ("scene", number, kind), kind, own
    if recipe.simplify is not None:
        for kind, values in recipe.simplify.values.items():
            fixed = {name: Fixed(value) for name, value in values.items()}
            yield ("simplify", "values", kind), kind, fixed


def _scale(recipe: AbstractImageRecipe, kind: str, name: str, priors: Priors) -> Scale:
    fields, grid = fields_of(kind), recipe.grid
    diagonal = math.hypot(grid.height, grid.width) / grid.shorter
    sizes = [
        quartiles(prior)[1]
        for other, prior in priors.items()
        if fields[other].role == "length" and other != "thickness"
    ]
    size = max((size for size in sizes if size <= diagonal), default=0.0)
    # a shape may be as long as the image; light and lines as wide as the image make it uniform
    shape = "thickness" in fields and name != "thickness"
    longest = diagonal if shape else math.nextafter(1.0, 0.0)
    role = fields[name].role
    pixels = {"column": grid.width, "row": grid.height, "length": grid.shorter}.get(role, 1)
    return Scale(role, pixels, longest, margin=OUTSIDE + size * grid.shorter / pixels)


def _message(scale: Scale, prior: Prior) -> str:
    rule, problem = RULES[scale.role]
    unit = "in degrees" if scale.role == "angle" else f"at {scale.pixels} pixels"
    remedy = remedy_by(scale.convert, prior, doubts=scale.doubts)
    return f"expected {rule}, got {short_text(prior)}, which {problem}; {unit} {remedy}"


def remedy_by(
    convert: Callable[[float], float], prior: Prior, *, doubts: Callable[[Prior], bool]
) -> str:
    """Return the remedy for a doubtful prior: its conversion, if that is plausible.

    Args:
        convert: Function that converts a value to the expected unit.
        prior: The doubtful prior.
        doubts: Function that returns whether a prior is doubtful.
    """
    other = converted(prior, convert)
    if doubts(other):
        return f"{short_text(other)} is implausible too, so write a smaller number"
    return f"{short_text(other)} was probably meant"
