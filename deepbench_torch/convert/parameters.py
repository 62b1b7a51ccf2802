"""Parameters of an old configuration: numbers, or ranges if they have noise or are missing."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple


class Span(NamedTuple):
    """Range of a number; low equals high if the number is fixed."""

    low: float
    high: float

    def linear(self, factor: float, shift: float = 0.0) -> "Span":
        """Return the range of factor * value + shift."""
        ends = sorted((self.low * factor + shift, self.high * factor + shift))
        return Span(*ends)

    def wrapped(self, period: float) -> "Span":
        """Return an angle shifted by multiples of the period, so that low is in [0, period)."""
        low = self.low % period
        return Span(low, low + self.high - self.low)

    @property
    def middle(self) -> float:
        """Midpoint of the range."""
        return (self.low + self.high) / 2

    @property
    def plain(self) -> object:
        """Prior as a recipe writes it."""
        low, high = (float(f"{end:.9g}") for end in self)
        return low if low == high else {"uniform": [low, high]}


class Parameters:
    """Parameters of one old object; records the names that were read.

    Args:
        owner: Name of the object, for messages.
        values: Values of the configuration.
        noise: Largest number that the configuration adds to each parameter.
        notes: List that receives the differences from the released package.
    """

    def __init__(
        self, owner: str, values: Mapping[str, Any], *, noise: float, notes: list[str]
    ) -> None:
        self.owner = owner
        self.values = values
        self.noise = noise
        self.notes = notes
        self._read_names: set[str] = set()

    def number(self, name: str, default: Span | float) -> Span:
        """Return a parameter, or the default of the released package if it is missing."""
        self._read_names.add(name)
        if self.values.get(name) is None:
            return self._default(name, default)
        value = number(f"{self.owner}.{name}", self.values[name])
        return Span(value, value + self.noise)

    def pair(self, name: str, default: Span) -> tuple[Span, Span]:
        """Return a parameter of two numbers, along the first and the second axis of an array."""
        self._read_names.add(name)
        value = self.values.get(name)
        if value is None:
            both = self._default(name, default)
            return both, both
        if not isinstance(value, list | tuple) or len(value) != 2:
            found = f"got {value!r:.60}; write [row, column]"
            raise ValueError(f"{self.owner}.{name}: expected two numbers, {found}")
        first, second = (number(f"{self.owner}.{name}", part) for part in value)
        return Span(first, first + self.noise), Span(second, second + self.noise)

    def flag(self, name: str, default: bool) -> bool:
        """Return a parameter that is true or false."""
        self._read_names.add(name)
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            found = f"got {value!r:.60}; write one of these without quotes"
            raise ValueError(f"{self.owner}.{name}: expected true or false, {found}")
        return value

    def is_set(self, name: str) -> bool:
        """Return whether a parameter without counterpart has a value other than 0."""
        self._read_names.add(name)
        return self.values.get(name) not in (None, 0)

    def note_unknown(self) -> None:
        """Add a note for each parameter that was not read."""
        for name in self.values:
            if name not in self._read_names:
                self.notes.append(f"{self.owner}.{name} is not a parameter of the released package")

    def _default(self, name: str, default: Span | float) -> Span:
        if not isinstance(default, Span):
            return Span(default, default)
        self.notes.append(
            f"{self.owner}.{name} is missing: the recipe samples it from {default.low:g} "
            f"to {default.high:g} for each image; the released package, once for all images"
        )
        return default


def number(key: str, value: object) -> float:
    """Return a finite number.

    Raises:
        ValueError: If the value is no finite number.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not math.isfinite(value):  # type: ignore[arg-type]
        remedy = "write a number as in 1 or 0.5"
        raise ValueError(f"{key}: expected a finite number, got {value!r:.60}; {remedy}")
    return float(value)  # type: ignore[arg-type]
