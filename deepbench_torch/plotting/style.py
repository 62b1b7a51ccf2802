"""Style of all figures: colours, brightness scale and files."""

import io
from pathlib import Path
from typing import Any, final

import numpy as np
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import ExifTags, Image

from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.outputs import MARK, output_file
from deepbench_torch.storage.stretch import image_scale

TILE = 1.2  # width of an image in a table [inch]
DPI = 110
DARK = 8  # the brightest colour is at least this number of softenings, so that noise stays dark

# Okabe & Ito (2008): colours that colour-blind people can distinguish, without black
SKY, ORANGE, GREEN, YELLOW = "#56B4E9", "#E69F00", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
ON_DARK = (SKY, ORANGE, GREEN, YELLOW, BLUE, VERMILION, PURPLE)
ON_WHITE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
GREY = "#999999"

SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps", ".ps")
FILMS = (".gif", ".mp4", ".mov", ".avi", ".webm", ".apng")


@final
class Picture(Figure):
    """Figure that a notebook shows by itself, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def image_norm(image: NDArray[np.float32]) -> Normalize:
    """Return the colour scale of an image: linear in the noise, logarithmic in the light.

    The scale is that of `db.to_uint8(image)`, except that noise alone stays dark.

    Args:
        image: Brightness, shape (H, W).
    """
    low, high, softening = image_scale(image)
    if softening > 0:
        return AsinhNorm(softening, low, max(high, DARK * softening))
    return Normalize(low, high)


def check_table(columns: int, rows: int, *, most: int, noun: str) -> None:
    """Check the number of panels of a figure.

    Raises:
        ValueError: If a number is not positive or the product is larger than `most`.
    """
    if rows < 1 or columns < 1 or rows * columns > most:
        raise ValueError(
            f"gallery: expected positive rows and columns and at most {most} {noun}, got {rows} "
            f"and {columns}; change rows (--rows) or columns (--columns)"
        )


def table_size(count: int, *, columns: int | None, rows: int | None, usual: int) -> tuple[int, int]:
    """Return columns and rows of a table of `count` panels: all of them unless a number is set.

    Args:
        count: Number of panels.
        columns: Columns, or None.
        rows: Lines, or None.
        usual: Most columns where none are set.
    """
    if columns is None:
        columns = max(1, min(usual, count if rows is None else -(-count // max(1, rows))))
    return columns, max(1, -(-count // max(1, columns))) if rows is None else rows


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure to a file; the suffix of the path selects the format.

    Raises:
        FileExistsError: If the path is a file that this package did not write.
        OSError: If the file cannot be written.
        ValueError: If the suffix names no format of figures.
    """
    path = user_path(path)
    check_suffix(path, SUFFIXES)
    form = path.suffix.lower()[1:]
    with output_file(path, "the picture") as new:
        figure.savefig(new, dpi=DPI, format=form, **_mark_options(form))
    return path


def _mark_options(form: str) -> dict[str, Any]:
    """Return the options of `savefig` that store the mark of this package, and no date."""
    mark = MARK.decode()
    match form:
        case "png":
            return {"metadata": {"Software": mark}}
        case "pdf":
            return {"metadata": {"Creator": mark, "CreationDate": None}}
        case "svg":
            return {"metadata": {"Creator": mark, "Date": None}}
        case "eps" | "ps":
            return {"metadata": {"Creator": mark}}
        case "jpg" | "jpeg":
            return {"pil_kwargs": {"comment": MARK}}
        case "tif" | "tiff":
            return {"pil_kwargs": {"software": mark}}
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = mark
    return {"pil_kwargs": {"exif": exif}}


def check_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    """Check that the suffix of a path names a format.

    Raises:
        ValueError: If the suffix is missing or another.
    """
    if path.suffix.lower() not in suffixes:
        film = path.suffix.lower() in FILMS and ".gif" not in suffixes
        raise ValueError(
            f"{path.name}: expected the name of a picture that ends in {', '.join(suffixes)}, "
            f"got {repr(path.suffix) if path.suffix else 'no suffix'}; change the name, for "
            f"instance to gallery.png{'; only time series can be a .gif' if film else ''}"
        )
