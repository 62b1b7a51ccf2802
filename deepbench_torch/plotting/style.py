"""The style of all figures: colours, the stretch of brightness, and files."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import ExifTags, Image

from deepbench_torch.paths import user_path
from deepbench_torch.storage.outputs import MARK, output_file

TILE = 1.2  # [inch]
# Okabe & Ito (2008): eight colours that colour-blind people tell apart, without black
COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps", ".ps")
FILMS = (".gif", ".mp4", ".mov", ".avi", ".webm", ".apng")


def stretched(
    image: NDArray[np.float32], *, like: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """An image for the eye: linear in the noise, logarithmic in the light (asinh).

    The scale is the typical deviation from the median, or the largest value where there is none;
    of another image, to compare with it, where `like` is given.
    """
    scale = image if like is None else like
    level = np.median(scale)
    spread = 1.48 * np.median(np.abs(scale - level)) or float(np.abs(scale).max()) or 1.0
    return np.asarray(np.arcsinh((image - level) / (2 * spread)), dtype=np.float32)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure in the format that the suffix of the path names.

    Raises:
        FileExistsError: If a file of that name was not written by this package.
        OSError: If it cannot be written.
        ValueError: If no picture can be written under the suffix.
    """
    path = user_path(path)
    check_suffix(path, SUFFIXES)
    kind = path.suffix.lower()[1:]
    with output_file(path, "the picture") as new:
        figure.savefig(new, dpi=110, format=kind, **_marks(kind))
    return path


def _marks(kind: str) -> dict[str, Any]:
    """Return the arguments with which a file of some format names the package that wrote it."""
    mark = MARK.decode()
    match kind:
        case "png":
            return {"metadata": {"Software": mark}}
        case "pdf" | "svg" | "eps" | "ps":
            return {"metadata": {"Creator": mark}}
        case "jpg" | "jpeg":
            return {"pil_kwargs": {"comment": MARK}}
        case "tif" | "tiff":
            return {"pil_kwargs": {"software": mark}}
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = mark
    return {"pil_kwargs": {"exif": exif}}


def check_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse the name of a picture whose suffix names none of some formats.

    Raises:
        ValueError: If the suffix is another, or missing.
    """
    if path.suffix.lower() not in suffixes:
        films = path.suffix.lower() in FILMS and ".gif" not in suffixes
        raise ValueError(
            f"{path.name}: expected the name of a picture that ends in {', '.join(suffixes)}, "
            f"got {repr(path.suffix) if path.suffix else 'no suffix'}; change the name, as to "
            f"gallery.png{'; only time series move, in a .gif' if films else ''}"
        )
