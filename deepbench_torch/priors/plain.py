"""Priors as they stand in a recipe."""

from collections.abc import Callable, Mapping

from deepbench_torch.priors.continuous import LogUniform, Normal, Uniform
from deepbench_torch.priors.discrete import Choice, Integer
from deepbench_torch.priors.prior import Fixed, Prior

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
        raise ValueError(
            f"a prior is a number or one of {', '.join(names)} with its arguments, as in "
            f"{{uniform: [0, 1]}}, got {plain!r}"
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
        raise ValueError(f"{kind.name} does not take {arguments!r}: {error}") from None


def _numbers(value: object) -> object:
    """A number as it is, a list of numbers as a tuple of floats."""
    if isinstance(value, list | tuple):
        return tuple(float(_number(part)) for part in value)
    return _number(value)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    remedy = "; YAML takes 1e-3 for text, write 1.0e-3" if isinstance(value, str) else ""
    raise TypeError(f"{value!r} is not a number{remedy}")
