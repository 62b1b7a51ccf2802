"""Checks of arguments that several edges share."""

import operator


def whole(value: object, rule: str, *, least: int, most: int) -> int:
    """A whole number as int, whatever integer type it has; a bool is none.

    Args:
        value: What was given.
        rule: What must hold, as the beginning of the error message.
        least: Least number allowed.
        most: Largest number allowed.

    Raises:
        ValueError: With the rule and what was found.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{rule}, got {value!r}") from None
    if isinstance(value, bool) or not least <= number <= most:
        raise ValueError(f"{rule}, got {value!r}")
    return number
