"""Total light or magnitude of objects in a recipe, in place of the amplitude."""

from collections.abc import Iterable, Iterator, Mapping

from deepbench_torch.numerics.checks import Fault, Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter

AMPLITUDE, FLUX, MAGNITUDE = "amplitude", "flux", "magnitude"
# flux: in brightness times the square of the image's shorter side, as a recipe has no resolution;
# magnitude: zero_point - 2.5 log10(flux in pixels). Neither has a default prior.
STAND_INS: Mapping[str, Parameter] = {
    FLUX: Parameter("flux", Fixed(1.0), above=0.0, closed=True),
    MAGNITUDE: Parameter("brightness", Fixed(0.0)),
}
NAMES = (AMPLITUDE, *STAND_INS)


def stand_ins(kind: str) -> tuple[str, ...]:
    """Return the names that may replace the amplitude of a kind.

    A kind has them if its light is proportional to its amplitude, and its flux is known.

    Example:
        >>> stand_ins("star"), stand_ins("spiral")
        (('flux', 'magnitude'), ())
    """
    definition = OBJECTS[kind]
    bright = [name for name, field in definition.fields.items() if field.role == "brightness"]
    return tuple(STAND_INS) if definition.flux is not None and bright == [AMPLITUDE] else ()


def fields_of(kind: str) -> dict[str, Parameter]:
    """Return the parameters of a kind by name, and what may replace its amplitude."""
    return {**OBJECTS[kind].fields, **{name: STAND_INS[name] for name in stand_ins(kind)}}


def parameter_of(kind: str, name: str) -> str:
    """Return the name of the parameter that a prior decides.

    Example:
        >>> parameter_of("star", "magnitude"), parameter_of("star", "gamma")
        ('amplitude', 'gamma')
    """
    return name if name in OBJECTS[kind].fields else AMPLITUDE


def given_name(kind: str, names: Iterable[str]) -> str:
    """Return the name under which some priors have the brightness of a kind."""
    return next((name for name in stand_ins(kind) if name in names), AMPLITUDE)


def magnitude_locations(
    objects: Mapping[str, Iterable[str]],
    scene: Iterable[Mapping[str, Iterable[str]]],
    held: Mapping[str, Iterable[str]],
) -> Iterator[Location]:
    """Yield the location of each magnitude in a recipe.

    Args:
        objects: Names by kind, in `objects`.
        scene: Names by kind, in each entry of `scene`.
        held: Names by kind, in `simplify.values`.
    """
    parts: list[tuple[Location, Mapping[str, Iterable[str]]]] = [(("objects",), objects)]
    parts += [(("scene", number), part) for number, part in enumerate(scene)]
    parts.append((("simplify", "values"), held))
    for location, kinds in parts:
        for kind, names in kinds.items():
            if MAGNITUDE in names:
                yield (*location, kind, MAGNITUDE)


def brightness_fault(kind: str, names: Iterable[str], location: Location) -> Iterator[Fault]:
    """Yield the fault of names that state the brightness of a kind more than once."""
    given = [name for name in names if name in NAMES]
    if stand_ins(kind) and len(given) > 1:
        yield Fault(
            (*location, given[1]),
            f"expected one of {', '.join(NAMES)}, got {' and '.join(given)}; remove all but one",
        )
