"""Names of stored catalogues, and of what is written beside them for a time."""

import hashlib
import os
import re
from pathlib import Path

# files in the folder of a catalogue
METADATA = "metadata.json"
RECIPE = "recipe.yaml"
PARAMETERS = "parameters.csv"
LABELS = "labels.csv"
LIST = "collection.yaml"  # in the folder of a collection
LONGEST_NAME = 255  # bytes of a file name, on nearly every file system
KEY = re.compile("[0-9a-f]{12}")  # of `Metadata.key`
H5_SUFFIXES = (".h5", ".hdf5", ".he5", ".hdf")
SUFFIX_FORMATS = {".npy": "npy", ".jpg": "jpeg", ".jpeg": "jpeg", ".fits": "fits", ".fit": "fits"}
# endings by which other programs know files that none of our formats is
OTHER_SUFFIXES = re.compile(
    r"\.(7z|arrow|asdf|avi|bin|bmp|bz2|ckpt|csv|db|dcm|ecsv|feather|fts|fz|gif|gz|html|ipynb|json"
    r"|jsonl|lmdb|mat|md|mds|mp4|nc|npz|onnx|orc|parquet|pdf|pickle|pkl|png|ppm|pt|pth|py|rar"
    r"|safetensors|sqlite|svg|tar|tbz|tex|tfrecord|tgz|tiff?|toml|tsv|txt|webp|wds|xlsx?|xml|xz"
    r"|ya?ml|zarr|zip|zst)"
)


def is_file_name(path: Path) -> bool:
    """Whether a path names a file rather than a folder, by its ending."""
    return path.suffix.lower() in (".h5", ".hdf5")


def check_suffix(path: Path, format: str | None) -> None:  # noqa: A002
    """Refuse a name that promises another format than the one that is written.

    Args:
        path: The file or folder.
        format: The format; None for HDF5 where nobody chose one.

    Raises:
        ValueError: If the ending of the name is that of another format.
    """
    suffix, mine = path.suffix.lower(), format or "h5"
    meant = "h5" if suffix in H5_SUFFIXES else SUFFIX_FORMATS.get(suffix)
    if meant == mine or (meant is None and not OTHER_SUFFIXES.fullmatch(suffix)):
        return
    shape = "a file whose name ends in .h5" if mine == "h5" else "a folder"
    other = f"{path.stem}.h5" if mine == "h5" else path.stem
    remedy = f"name it {other!r}"
    if meant is not None and format is None:
        remedy += f", or pass format={meant!r} for a folder of that format"
    raise ValueError(
        f"path: expected {shape}, because the format is {mine!r}, got {path.name!r}; {remedy}"
    )


def check_folder_name(path: Path, what: str) -> None:
    """Refuse the name of a file where a folder is written.

    Raises:
        ValueError: If the name ends as that of a file does.
    """
    suffix = path.suffix.lower()
    other = OTHER_SUFFIXES.fullmatch(suffix)
    if suffix in H5_SUFFIXES or suffix in SUFFIX_FORMATS or other:
        raise ValueError(
            f"path: expected the name of a folder for {what}, got {path.name!r}; leave out the "
            f"ending {path.suffix!r}"
        )


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
    """Return what stands beside a path under its name, a key of twelve digits and an end.

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
