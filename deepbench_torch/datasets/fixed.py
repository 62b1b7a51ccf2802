"""Attributes of datasets that a user cannot set."""

from typing import Any

# not attributes that a constructor sets, but names of its arguments or of what follows from them
DERIVED = frozenset({"classes", "class_to_idx", "image_size", "statistics", "targets"})


def check_not_fixed(
    owner: object,
    name: str,
    *,
    value: Any,
    fixed: frozenset[str],
    derived: frozenset[str] = DERIVED,
) -> None:
    """Refuse a change of what decides the rows; the constructor sets it once.

    Args:
        owner: The dataset.
        name: The attribute.
        value: The value that a user sets.
        fixed: The attributes that decide the rows.
        derived: Names that no constructor sets either.

    Raises:
        AttributeError: If a user cannot set the attribute.
    """
    if name in derived or (name in fixed and name in vars(owner)):
        raise AttributeError(
            f"{type(owner).__name__}.{name}: expected no change after it is made, got "
            f"{value!r:.60}; make a new one with other arguments"
        )
