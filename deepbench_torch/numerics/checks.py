"""Checks of arguments that several entrances share."""

import operator
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, final

import numpy as np
import torch
from torch import Tensor

Location = tuple[int | str, ...]


class Fault(NamedTuple):
    """One fault of a nested value.

    Attributes:
        location: Keys that lead to it.
        message: Rule, value found and remedy.
    """

    location: Location
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(_key_text, self.location)) or 'recipe'}: {self.message}"


def _key_text(key: int | str) -> str:
    """Return a key for messages: short and without control characters."""
    text = str(key)
    return f"{text if text.isprintable() else ascii(text):.60}"


@final
class FaultsError(ValueError):
    """Several faults; their locations are relative to the checked value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type["FaultsError"], tuple[list[Fault]]]:
        return type(self), (self.faults,)


def as_tensor(value: Any) -> Tensor:
    """Return a tensor unchanged, and other numbers as a new tensor on the CPU.

    NumPy numbers keep their dtype. Python numbers become float32 or int64; torch's default dtype
    has no effect.

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


def real_tensor(value: Any, *, where: str) -> Tensor:
    """Return real numbers as a tensor; see `as_tensor`.

    Raises:
        ValueError: If it holds texts, truth values, complex numbers or rows of unequal length.
    """
    try:
        tensor = as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        tensor = None
    if tensor is None or tensor.is_complex() or tensor.dtype == torch.bool:
        found = repr(value)[:60] if tensor is None else f"{tensor.dtype}"
        raise ValueError(
            f"{where}: expected real numbers, got {found}; pass a number or a float tensor"
        ) from None
    return tensor


def check_integer(
    value: object, rule: str, *, least: int, most: int, remedy: str | None = None
) -> int:
    """Return an integer of any type as int; a bool is rejected.

    Args:
        value: The value to check.
        rule: The rule, as the beginning of the error message.
        least: Least number allowed.
        most: Largest number allowed.
        remedy: The end of the error message, if any.

    Raises:
        ValueError: With the rule, the value found and the remedy.
    """
    ending = "" if remedy is None else f"; {remedy}"
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{rule}, got {value!r}{ending}") from None
    if isinstance(value, bool) or not least <= number <= most:
        raise ValueError(f"{rule}, got {value!r}{ending}")
    return number


def check_flag(value: object, *, where: str) -> bool:
    """Return True or False; texts and numbers are rejected, because "no" would be true.

    Raises:
        ValueError: If it is another value.

    Example:
        >>> check_flag(np.bool_(True), where="overwrite")
        True
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{where}: expected True or False, got {value!r:.60}; set one of them")
    return bool(value)


def check_device(device: object) -> torch.device:
    """Return a device of this machine.

    Raises:
        ValueError: If torch has no such device here, or the device holds no values.
    """
    ending = "use device='cpu', or a GPU that torch.cuda.is_available() confirms"
    chosen: torch.device | None = None
    try:
        chosen = torch.device(device)  # type: ignore[call-overload]
        if chosen.type not in ("cpu", "meta"):
            torch.empty(0, dtype=torch.float32, device=chosen)
    except (TypeError, RuntimeError, AssertionError, NotImplementedError):
        chosen = None
    if isinstance(device, bool) or chosen is None or chosen.type == "meta":
        raise ValueError(
            f"device: expected a device of this machine, got {device!r:.60}; {ending}"
        ) from None
    return chosen


def numbers_of_each(
    names: Sequence[str], values: Any, *, where: str, integers: bool = False
) -> list[Any] | None:
    """Return one number for each name.

    Args:
        names: What the numbers belong to.
        values: Numbers in any sequence, array or tensor; None for no numbers.
        where: The argument, for the message.
        integers: Whether the numbers are integers; otherwise they become float.

    Raises:
        ValueError: If it is a text, a mapping or a single number, or another number of them.
    """
    if values is None:
        return None
    plain = values.tolist() if isinstance(values, Tensor | np.ndarray) else values
    listed: list[Any] = (
        list(plain) if isinstance(plain, Sequence) and not isinstance(plain, str) else [None]
    )
    kinds: Any = (int, np.integer) if integers else (int, float, np.number)
    valid = all(isinstance(each, kinds) and not isinstance(each, bool) for each in listed)
    if not valid or len(listed) != len(names):
        raise ValueError(
            f"{where}: expected a number for each of {', '.join(names)}, got {values!r:.80}; pass "
            "a list of numbers in this order"
        )
    return [(int if integers else float)(each) for each in listed]


def nearest(name: object, names: Iterable[object]) -> str:
    """Return a hint at the most similar name for an error message; empty if none is similar."""
    known = [str(other) for other in names]
    similar = (
        get_close_matches(str(name).lower(), known, n=1, cutoff=0.65)
        if isinstance(name, str)
        else []
    )
    return f"did you mean {similar[0]!r}? " if similar else ""


def is_number(text: object) -> bool:
    """Return whether a string is a number, such as 1e-3, which YAML reads as a string."""
    if not isinstance(text, str):
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
