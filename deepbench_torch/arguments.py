"""Checks of arguments that several edges share."""

import operator
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

Location = tuple[int | str, ...]


class Fault(NamedTuple):
    """One fault of a nested value.

    Attributes:
        location: The keys that lead to it.
        message: The rule, the value found and the remedy.
    """

    location: Location
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(_shown_key, self.location)) or 'recipe'}: {self.message}"


def _shown_key(key: int | str) -> str:
    """Return a key as messages show it: short, without characters that move a terminal."""
    text = str(key)
    return f"{text if text.isprintable() else ascii(text):.60}"


@final
class FaultsError(ValueError):
    """Several faults, their places relative to the value that is checked."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type["FaultsError"], tuple[list[Fault]]]:
        return type(self), (self.faults,)


def as_tensor(value: Any) -> Tensor:
    """Return a tensor as it is and any other numbers as a new one on the CPU.

    NumPy's numbers keep their dtype; Python's become float32 or int64, whatever torch's default is.

    Example:
        >>> as_tensor([1.0, 2.0]).dtype
        torch.float32
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return torch.as_tensor(value, dtype=None, device="cpu")
    dtype = torch.float32 if np.asarray(value).dtype.kind == "f" else None
    return torch.as_tensor(value, dtype=dtype, device="cpu")


def check_integer(value: object, rule: str, *, least: int, most: int) -> int:
    """Return an integer of any type as int; a bool is rejected.

    Args:
        value: The value to check.
        rule: The rule, as the beginning of the error message.
        least: Least number allowed.
        most: Largest number allowed.

    Raises:
        ValueError: With the rule and the value found.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{rule}, got {value!r}") from None
    if isinstance(value, bool) or not least <= number <= most:
        raise ValueError(f"{rule}, got {value!r}")
    return number


def nearest(name: object, names: Iterable[object]) -> str:
    """A hint at the name that was meant, to go into an error message; empty if none is near."""
    known = [str(other) for other in names]
    meant = (
        get_close_matches(str(name).lower(), known, n=1, cutoff=0.65)
        if isinstance(name, str)
        else []
    )
    return f"did you mean {meant[0]!r}? " if meant else ""


def is_number(text: object) -> bool:
    """Whether a text is a number, as 1e-3 is, which YAML takes for a text."""
    if not isinstance(text, str):
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
