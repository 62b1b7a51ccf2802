"""Parameters of an old configuration: numbers, which noise or a missing value widens to a range."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple


class Span(NamedTuple):
    """A number from low to high, both the same where it is fixed."""

    low: float
    high: float

    def linear(self, factor: float, shift: float = 0.0) -> "Span":
        """The span of factor * value + shift."""
        ends = sorted((self.low * factor + shift, self.high * factor + shift))
        return Span(*ends)

    def turned(self, period: float) -> "Span":
        """An angle moved by whole periods, so that it begins in [0, period)."""
        begin = self.low % period
        return Span(begin, begin + self.high - self.low)

    @property
    def middle(self) -> float:
        """The number half-way."""
        return (self.low + self.high) / 2

    @property
    def plain(self) -> object:
        """The prior as it stands in a recipe."""
        low, high = (float(f"{end:.9g}") for end in self)
        return low if low == high else {"uniform": [low, high]}


class Parameters:
    """The parameters of one old object; remembers which were asked for.

    Args:
        owner: What they belong to, for messages.
        values: As the configuration gives them.
        noise: What the configuration adds to each of them at most.
        notes: Where to say what could not be carried over.
    """

    def __init__(
        self, owner: str, values: Mapping[str, Any], *, noise: float, notes: list[str]
    ) -> None:
        self.owner = owner
        self.values = values
        self.noise = noise
        self.notes = notes
        self._known: set[str] = set()

    def number(self, name: str, default: Span | float) -> Span:
        """A parameter, or what the released package takes where it is left out."""
        self._known.add(name)
        if self.values.get(name) is None:
            return self._usual(name, default)
        value = number(f"{self.owner}.{name}", self.values[name])
        return Span(value, value + self.noise)

    def pair(self, name: str, default: Span) -> tuple[Span, Span]:
        """A parameter of two numbers, along the first and the second axis of an array."""
        self._known.add(name)
        value = self.values.get(name)
        if value is None:
            usual = self._usual(name, default)
            return usual, usual
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(f"{self.owner}.{name} must be two numbers, got {value!r:.60}")
        first, second = (number(f"{self.owner}.{name}", part) for part in value)
        return Span(first, first + self.noise), Span(second, second + self.noise)

    def flag(self, name: str, default: bool) -> bool:
        """A parameter that is true or false."""
        self._known.add(name)
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self.owner}.{name} must be true or false, got {value!r:.60}")
        return value

    def given(self, name: str) -> bool:
        """Whether a parameter was given that has no counterpart; it counts as known."""
        self._known.add(name)
        return self.values.get(name) not in (None, 0)

    def finish(self) -> None:
        """Note the parameters that nobody asked for."""
        for name in self.values:
            if name not in self._known:
                self.notes.append(f"{self.owner}.{name} is not a parameter of the released package")

    def _usual(self, name: str, default: Span | float) -> Span:
        if not isinstance(default, Span):
            return Span(default, default)
        self.notes.append(
            f"{self.owner}.{name} is left out: the released package draws it from {default.low:g} "
            f"to {default.high:g} once for all images, the recipe for each image anew"
        )
        return default


def number(place: str, value: object) -> float:
    """A finite number.

    Raises:
        ValueError: If it is none.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{place} must be a finite number, got {value!r:.60}")
    return float(value)  # type: ignore[arg-type]
