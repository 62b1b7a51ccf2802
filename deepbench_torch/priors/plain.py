"""Priors as a recipe writes them."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from itertools import zip_longest
from typing import Any

from deepbench_torch.numerics.checks import Fault, FaultsError, is_number, nearest
from deepbench_torch.numerics.quantities import is_quantity, plain_number
from deepbench_torch.priors.continuous import LogUniform, Normal, PowerLaw, Uniform
from deepbench_torch.priors.discrete import Choice, Integer
from deepbench_torch.priors.prior import LARGEST, NUMBER_TEXT, Fixed, Prior, checked_number

REMEDY = NUMBER_TEXT
PRIORS: tuple[type[Prior], ...] = (Uniform, LogUniform, PowerLaw, Normal, Integer, Choice, Fixed)
NAMES = {prior.name: prior for prior in PRIORS}


def prior_from_plain(plain: object) -> Prior:
    """Return the prior that a value of a recipe describes.

    Args:
        plain: A number for `Fixed`, or a mapping of one name to its arguments, as
            `{uniform: [0, 1]}`, `{normal: {mean: 2, std: 1, low: 0}}` or `{choice: [2, 4]}`.

    Raises:
        FaultsError: If it describes no prior; the message lists the names.
    """
    if isinstance(plain, Prior):
        return plain
    number = checked_number(plain, ()) if is_quantity(plain) else plain_number(plain)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return Fixed(float(checked_number(number, ())))
    if isinstance(plain, Mapping) and len(plain) == 1 and next(iter(plain)) in NAMES:
        name, arguments = next(iter(plain.items()))
        return _build(NAMES[name], arguments)
    raise FaultsError([Fault((), _no_prior(plain))])


def _no_prior(plain: object) -> str:
    wrong = [key for key in plain if key not in NAMES] if isinstance(plain, Mapping) else []
    remedy = REMEDY if is_number(plain) else nearest(wrong[0] if wrong else None, NAMES).strip()
    rule = f"a number or one of {', '.join(NAMES)} with its arguments, as in {{uniform: [0, 1]}}"
    found = " ".join(repr(plain).split())
    return f"expected {rule}, got {found:.200}; {remedy or 'write one of these'}"


def is_prior(plain: object) -> bool:
    """Return whether a value of a recipe describes a prior."""
    try:
        prior_from_plain(plain)
    except ValueError:
        return False
    return True


def _build(kind: type[Prior], arguments: object) -> Prior:
    """Return a prior of arguments by name, in order, or of one number.

    Raises:
        FaultsError: If the prior does not have these arguments.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    named = _by_name(kind, arguments, names=names)
    required = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    unknown = [name for name in named if name not in names]
    if unknown or not set(required).issubset(named):
        hint = nearest(unknown[0], names).strip() if unknown else ""
        rule = f"the arguments {', '.join(names)}"
        rule += f" ({', '.join(required)} at least)" if required != names else ""
        message = f"expected {rule}, got {shortened(arguments)}; {hint or f'write {_form(kind)}'}"
        raise FaultsError([Fault((kind.name,), message)])
    build: Callable[..., Prior] = kind
    return build(**{name: _numbers(value) for name, value in named.items()})


def _by_name(kind: type[Prior], arguments: object, *, names: list[str]) -> dict[Any, object]:
    """Return arguments by name; surplus arguments have the name None."""
    if isinstance(arguments, Mapping):
        return dict(arguments)
    if isinstance(arguments, list | tuple) and kind is not Choice:
        return dict(zip_longest(names[: len(arguments)], arguments, fillvalue=None))
    return {names[0]: arguments}


def _form(kind: type[Prior]) -> str:
    return f"{{{kind.name}: {FORMS[kind.name]}}}"


FORMS = {
    "uniform": "[0, 1]",
    "log_uniform": "[0.1, 1]",
    "power_law": "[0.1, 1, -2.5]",
    "normal": "{mean: 2, std: 1}",
    "integer": "[1, 4]",
    "choice": "[2, 4]",
    "fixed": "0.5",
}


def shortened(value: object) -> str:
    """Return a value as messages show it: one short line."""
    return f"{' '.join(repr(value).split()):.100}"


def _numbers(value: Any) -> Any:
    """Convert the numbers of a list to float; return any other value unchanged."""
    if isinstance(value, list | tuple):
        plain = [plain_number(part) for part in value]
        return [
            float(part) if type(part) in (int, float) and abs(part) < LARGEST else part
            for part in plain
        ]
    return value
