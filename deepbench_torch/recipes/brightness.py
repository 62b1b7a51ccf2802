"""Total light or magnitude of objects in a recipe, in place of their brightness."""

from collections.abc import Iterable, Iterator, Mapping

from deepbench_torch.numerics.checks import Fault, Location
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter

FLUX, MAGNITUDE = "flux", "magnitude"
# flux: in brightness times the square of the image's shorter side, as a recipe has no resolution;
# magnitude: zero_point - 2.5 log10(flux in pixels). Neither has a default prior.
STAND_INS: Mapping[str, Parameter] = {
    FLUX: Parameter("flux", Fixed(1.0), ge=0.0),
    MAGNITUDE: Parameter("brightness", Fixed(0.0)),
}


def brightness_of(kind: str) -> str | None:
    """Return the parameter to which the light of a kind is proportional.

    None for a kind that has two such parameters, or whose flux is not known.

    Example:
        >>> brightness_of("star"), brightness_of("spiral")
        ('amplitude', None)
    """
    fields = OBJECTS[kind].fields
    bright = [name for name, field in fields.items() if field.role in ("brightness", "flux")]
    return bright[0] if OBJECTS[kind].flux is not None and len(bright) == 1 else None


def stand_ins(kind: str) -> tuple[str, ...]:
    """Return the names that may replace the brightness of a kind.

    Example:
        >>> stand_ins("star"), stand_ins("point"), stand_ins("spiral")
        (('flux', 'magnitude'), ('magnitude',), ())
    """
    return brightness_names(kind)[1:]


def brightness_names(kind: str) -> tuple[str, ...]:
    """Return the brightness of a kind, and what may replace it; none if nothing may."""
    bright = brightness_of(kind)
    return () if bright is None else tuple(dict.fromkeys((bright, *STAND_INS)))


def fields_of(kind: str) -> dict[str, Parameter]:
    """Return the parameters of a kind by name, and what may replace its brightness."""
    return {**OBJECTS[kind].fields, **{name: STAND_INS[name] for name in stand_ins(kind)}}


def parameter_of(kind: str, name: str) -> str:
    """Return the name of the parameter that a prior decides.

    Example:
        >>> parameter_of("star", "magnitude"), parameter_of("star", "gamma")
        ('amplitude', 'gamma')
    """
    return name if name in OBJECTS[kind].fields else brightness_names(kind)[0]


def given_name(kind: str, names: Iterable[str]) -> str | None:
    """Return the name under which some priors have the brightness of a kind."""
    return next((name for name in stand_ins(kind) if name in names), brightness_of(kind))


def given_in(priors: Iterable[str], kind: str, parameter: str) -> str:
    """Return the name under which some priors of a kind have a parameter.

    Example:
        >>> given_in(["x", "magnitude"], "star", "amplitude"), given_in(["x"], "star", "x")
        ('magnitude', 'x')
    """
    return next((name for name in priors if parameter_of(kind, name) == parameter), parameter)


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
    known = brightness_names(kind)
    given = [name for name in names if name in known]
    if len(given) > 1:
        yield Fault(
            (*location, given[1]),
            f"expected one of {', '.join(known)}, got {' and '.join(given)}; remove all but one",
        )
