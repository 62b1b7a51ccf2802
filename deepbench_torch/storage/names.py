"""Names of stored catalogues, and of what is written beside them for a time."""

import hashlib
import os
import re
from pathlib import Path

# files in the folder of a catalogue
METADATA = "metadata.json"
RECIPE = "recipe.yaml"
PARAMETERS = "parameters.csv"
EXTENSIONS = ("clean", "variance", "masks")  # of FITS files
LABELS = "labels.csv"
LIST = "collection.yaml"  # in the folder of a collection
LONGEST_NAME = 255  # bytes of a file name, on nearly every file system
KEY = re.compile("[0-9a-f]{12}")  # of `Metadata.key`


def beside(path: Path, end: str, *, hidden: bool = False) -> Path:
    """Return a path next to another whose name is the other's name and an end.

    The name of the other is cut, and its digest added, where the result would be too long.

    Args:
        path: The other path.
        end: The end of the name.
        hidden: Whether the name begins with a dot.

    Example:
        >>> beside(Path("sky.h5"), ".lock", hidden=True).name
        '.sky.h5.lock'
    """
    name, dot = os.fsencode(path.name), b"." if hidden else b""
    room = LONGEST_NAME - len(dot) - len(os.fsencode(end))
    if len(name) > room:
        digest = hashlib.sha256(name).hexdigest()[:12]
        name = _cut(name, room - 13) + b"~" + digest.encode()
    return path.with_name(os.fsdecode(dot + name) + end)


def _cut(name: bytes, length: int) -> bytes:
    """Return the beginning of a name, without half a character at its end."""
    while length and name[length] & 0xC0 == 0x80:  # a byte that continues a character of UTF-8
        length -= 1
    return name[:length]


def keyed(path: Path, end: str, *, hidden: bool = False) -> list[Path]:
    """Return the paths beside a path with its name, a key of twelve digits and an end.

    Names are compared as they are, never as patterns.
    """
    sample = beside(path, f".{'0' * 12}{end}", hidden=hidden).name
    start, tail = sample[: -12 - len(end)], end
    found = []
    for name in sorted(os.listdir(path.parent)):
        key = name[len(start) : len(start) + 12]
        if name == start + key + tail and KEY.fullmatch(key):
            found.append(path.with_name(name))
    return found
