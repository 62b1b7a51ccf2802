"""Priors as they stand in a recipe."""

from collections.abc import Callable, Mapping
from dataclasses import fields

from deepbench_torch.arguments import is_number, nearest
from deepbench_torch.priors.continuous import LogUniform, Normal, Uniform
from deepbench_torch.priors.discrete import Choice, Integer
from deepbench_torch.priors.prior import Fixed, Prior

REMEDY = "YAML takes 1e-3 and -.3 for text, write 1.0e-3 and -0.3"
PRIORS: tuple[type[Prior], ...] = (Uniform, LogUniform, Normal, Integer, Choice, Fixed)


def prior_from_plain(plain: object) -> Prior:
    """Read a prior as it stands in a recipe.

    A number alone is `Fixed`; otherwise a mapping of one name to its arguments, as
    `{uniform: [0, 1]}`, `{normal: {mean: 2, std: 1, low: 0}}` or `{choice: [2, 4]}`.

    Raises:
        ValueError: If it is none of these; the message lists the names.
    """
    if isinstance(plain, Prior):
        return plain
    if isinstance(plain, int | float) and not isinstance(plain, bool):
        return Fixed(float(plain))
    names = {prior.name: prior for prior in PRIORS}
    if not isinstance(plain, Mapping) or len(plain) != 1 or next(iter(plain)) not in names:
        wrong = [key for key in plain if key not in names] if isinstance(plain, Mapping) else []
        remedy = (
            REMEDY if is_number(plain) else nearest(wrong[0] if wrong else None, names).rstrip()
        )
        raise ValueError(
            f"a prior is a number or one of {', '.join(names)} with its arguments, as in "
            f"{{uniform: [0, 1]}}, got {plain!r}" + (f"; {remedy}" if remedy else "")
        )
    name, arguments = next(iter(plain.items()))
    return _build(names[name], arguments)


def _build(kind: type[Prior], arguments: object) -> Prior:
    """A prior from the arguments of a recipe: a mapping by name, a list in order, or one number."""
    build: Callable[..., Prior] = kind
    try:
        if isinstance(arguments, Mapping):
            return build(**{key: _numbers(value) for key, value in arguments.items()})
        if isinstance(arguments, list | tuple) and kind is not Choice:
            return build(*(_number(value) for value in arguments))
        return build(_numbers(arguments))
    except TypeError as error:
        takes = ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]
        reason = f"; {error}" if "__init__" not in str(error) else ""
        raise ValueError(f"{kind.name} takes {takes}, got {arguments!r}{reason}") from None


def _numbers(value: object) -> object:
    """A number as it is, a list of numbers as a tuple of floats."""
    if isinstance(value, list | tuple):
        return tuple(float(_number(part)) for part in value)
    return _number(value)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is not a number" + (f"; {REMEDY}" if is_number(value) else ""))
