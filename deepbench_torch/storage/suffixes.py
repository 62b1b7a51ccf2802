"""Endings of names: each promises a format."""

import re
from pathlib import Path

from deepbench_torch.storage.formats import DEFAULT, FORMATS

# endings by which other programs know files that none of our formats is
OTHER_SUFFIXES = re.compile(
    r"\.(7z|arrow|asdf|avi|bin|bmp|bz2|ckpt|csv|db|dcm|ecsv|feather|fts|fz|gif|gz|html|ipynb|json"
    r"|jsonl|lmdb|mat|md|mds|mp4|nc|npz|onnx|orc|parquet|pdf|pickle|pkl|png|ppm|pt|pth|py|rar"
    r"|safetensors|sqlite|svg|tar|tbz|tex|tfrecord|tgz|tiff?|toml|tsv|txt|webp|wds|xlsx?|xml|xz"
    r"|ya?ml|zarr|zip|zst)"
)


_FILES = [form for form in FORMATS.values() if not form.is_folder]


def is_file_name(path: Path) -> bool:
    """Return whether a path names a file rather than a folder, by its ending."""
    return any(path.suffix.lower() in form.suffixes for form in _FILES)


def check_suffix(path: Path, format: str | None) -> None:  # noqa: A002
    """Refuse a name that promises another format than the one that is written.

    Args:
        path: The file or folder.
        format: The format; None for HDF5 where nobody chose one.

    Raises:
        ValueError: If the ending of the name is that of another format.
    """
    suffix, chosen = path.suffix.lower(), format or DEFAULT
    meant = _format_of(suffix)
    if meant == chosen or (meant is None and not OTHER_SUFFIXES.fullmatch(suffix)):
        return
    usual = "" if FORMATS[chosen].is_folder else FORMATS[chosen].suffixes[0]
    shape = f"a file whose name ends in {usual}" if usual else "a folder"
    other = f"{path.stem}{usual}"
    remedy = f"name it {other!r}"
    if meant is not None and format is None:
        remedy += f", or pass format={meant!r} for a folder of that format"
    raise ValueError(
        f"path: expected {shape}, because the format is {chosen!r}, got {path.name!r}; {remedy}"
    )


def check_folder_name(path: Path, what: str) -> None:
    """Refuse the name of a file where a folder is written.

    Raises:
        ValueError: If the name ends as that of a file does.
    """
    suffix = path.suffix.lower()
    if _format_of(suffix) is not None or OTHER_SUFFIXES.fullmatch(suffix):
        raise ValueError(
            f"path: expected the name of a folder for {what}, got {path.name!r}; leave out the "
            f"ending {path.suffix!r}"
        )


def _format_of(suffix: str) -> str | None:
    """Return the name of the format that an ending promises; None if it promises none."""
    return next((name for name, form in FORMATS.items() if suffix in form.suffixes), None)
