"""Trust in metadata: the type of each attribute is checked before its use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

from deepbench_torch.storage.names import EXTENSIONS

MOST_TEXT = 200  # characters of a fact in one line


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).year >= 1970
    except ValueError:
        return False


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def orders_of(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every order of one or more of some names."""
    for number in range(1, len(names) + 1):
        yield from permutations(names, number)


def _is_extensions(value: object) -> bool:
    return value is None or value in [[*names] for names in orders_of(EXTENSIONS)]


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_digest, value.values()))


_EVERY: dict[str, tuple[Callable[[object], bool], str]] = {
    "digest": (_is_digest, "a SHA-256 in hexadecimal"),
    "seed": (_is_number, "a whole number"),
    "size": (_is_number, "a whole number"),
    "split": (_is_text, "the name of a split"),
    "package": (_is_text, "a short text"),
    "date": (_is_date, "a day as 2026-01-31"),
    "licence": (_is_text, "a short text"),
}
_FILE = {"sha256": _EVERY["digest"], "tables_sha256": _EVERY["digest"]}
_FOLDER = {
    "data_sha256": _EVERY["digest"],
    "format": (_is_text, "the name of a format"),
    "rows": (_is_number, "a whole number"),
    "files": (_is_files, "a SHA-256 for each file"),
    "extensions": (_is_extensions, "names of extensions, or none"),
}


def check_metadata(attributes: Mapping[str, Any], path: Path) -> None:
    """Check the type of every attribute that this package uses.

    Args:
        attributes: The attributes of an HDF5 file, or what metadata.json holds.
        path: The file, for messages.

    Raises:
        ValueError: If one is missing or of another type.
    """
    more = _FOLDER if "format" in attributes else _FILE
    for name, (holds, rule) in {**_EVERY, **more}.items():
        if not holds(attributes.get(name)):
            raise ValueError(
                f"{str(path)!r} is damaged: expected {rule} as {name}, got "
                f"{_short(attributes.get(name))}; write it again"
            )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < MOST_TEXT else f"{text[:MOST_TEXT]}..."
