"""Animations of time series: a GIF in which paths and energies grow with time."""

import base64
import io
from pathlib import Path
from typing import cast, final

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from typing_extensions import override

from deepbench_torch.datasets import PairDataset
from deepbench_torch.datasets.any_dataset import AnyRows, recipes_of
from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.plotting.gallery import GALLERIES
from deepbench_torch.plotting.series_gallery import MOTION
from deepbench_torch.plotting.show import show
from deepbench_torch.plotting.style import check_suffix
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.samples import AbstractSample
from deepbench_torch.storage.outputs import MARK, output_file

SUFFIXES = (".gif",)
MOST_FRAMES = 60  # other times are skipped
FRAMES_PER_SECOND = 15
DPI = 100


@final
class Animation:
    """Animation of time series, which a notebook shows by itself.

    Attributes:
        gif: Bytes of a GIF.
    """

    def __init__(self, gif: bytes) -> None:
        self.gif = gif

    def save(self, path: str | Path) -> Path:
        """Write the animation to a file that ends in .gif, and return its path.

        Raises:
            FileExistsError: If the path is a file that this package did not write.
            OSError: If the file cannot be written.
            ValueError: If the suffix is another.
        """
        path = user_path(path)
        check_suffix(path, SUFFIXES)
        with output_file(path, "the animation") as new:
            new.write_bytes(self.gif)
        return path

    def __repr__(self) -> str:
        return f"Animation of {len(self.gif)} bytes; save('a.gif') writes it"

    def _repr_html_(self) -> str:
        text = base64.b64encode(self.gif).decode()
        return f'<img alt="animation" src="data:image/gif;base64,{text}">'


def animate(
    data: PairDataset | AbstractSample,
    *,
    columns: int | None = None,
    rows: int | None = None,
    frames: int = MOST_FRAMES,
    dpi: int = DPI,
) -> Animation:
    """Return an animation in which the paths and energies of time series grow with time.

    It shows itself in a notebook, and `save("a.gif")` writes it. The command
    `deepbench-torch show nbody --output a.gif` writes the same.

    Args:
        data: Dataset of time series, of which the first are shown, or a SeriesSample.
        columns: Number of time series side by side; 3 if None, fewer of a smaller sample.
        rows: Number of lines; 1 if None.
        frames: Most frames; other times are skipped.
        dpi: Pixels of an inch; fewer make a smaller file.

    Raises:
        ValueError: If the rows are images, or a number is out of range.

    Example:
        >>> import deepbench_torch as db, torch
        >>> motion = db.animate(db.generate("nbody", 0, torch.arange(1)), frames=3, dpi=40)
        >>> motion.gif[:6]
        b'GIF89a'
    """
    frames = check_integer(frames, "frames: expected a whole number from 1", least=1, most=10_000)
    dpi = check_integer(dpi, "dpi: expected a whole number from 10 to 1000", least=10, most=1000)
    if not isinstance(data, AbstractSample | PairDataset) or ".gif" not in _suffixes(data):
        raise ValueError(
            "animate: expected time series, got images; use db.show, or write a .png instead"
        )
    if columns is None:
        columns = min(3, len(data.index)) if isinstance(data, AbstractSample) else 3
    figure = show(data, columns=columns, rows=1 if rows is None else rows)
    return Animation(_gif(figure, frames=frames, dpi=dpi))


def _suffixes(data: PairDataset | AbstractSample) -> tuple[str, ...]:
    """Return the endings of the files of figures of some data."""
    if isinstance(data, AbstractSample):
        return GALLERIES[data.recipe.content].suffixes
    return GALLERIES[recipes_of(cast("AnyRows", data))[0].content].suffixes


def save_animation(
    dataset: AnyRows,
    path: str | Path,
    *,
    columns: int | None = None,
    rows: int | None = None,
) -> Path:
    """Write an animation of a dataset's first time series to a GIF; see `animate`.

    Raises:
        FileExistsError: If the path is a file that this package did not write.
        OSError: If the file cannot be written.
        ValueError: If the suffix is another, or the rows are images.
    """
    path = user_path(path)
    check_suffix(path, SUFFIXES)
    return animate(dataset, columns=columns, rows=rows).save(path)


def _gif(figure: Figure, *, frames: int, dpi: int) -> bytes:
    """Return a GIF of a figure whose lines grow with time."""
    lines = _time_lines(figure)
    heads = [(_head(line), data) for line, data in lines if line.get_gid() == MOTION]
    figure.draw_without_rendering()  # the layout of the last frame holds for all frames
    figure.set_layout_engine("none")
    writer = _GifWriter(fps=FRAMES_PER_SECOND)
    with writer.saving(figure, "memory.gif", dpi):  # no file of this name is written
        for time in frame_times(max(data.shape[1] for _, data in lines), most=frames):
            for line, data in lines:
                line.set_data(data[:, : time + 1])
            for head, data in heads:
                head.set_data(data[:, time : time + 1])
            writer.grab_frame()
    return writer.gif


@final
class _GifWriter(PillowWriter):
    """Writer of a GIF in memory that contains the mark of this package in a comment."""

    gif = b""

    @override
    def finish(self) -> None:
        first, *others = self._frames  # type: ignore[attr-defined]  # of PillowWriter
        file = io.BytesIO()
        first.save(
            file,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=int(1000 / self.fps),
            loop=0,
            comment=MARK,
        )
        self.gif = file.getvalue()


def _time_lines(figure: Figure) -> list[tuple[Line2D, NDArray[np.float64]]]:
    """Return every line of a figure that follows time, with its points, shape (2, T)."""
    lines = [line for axis in figure.axes for line in axis.lines if axis.get_visible()]
    points = [(line, np.asarray(line.get_data(), dtype=np.float64)) for line in lines]
    return [(line, data) for line, data in points if data.shape[1] > 2]


def _head(line: Line2D) -> Line2D:
    """Add the body at the end of a line, and return it."""
    head = Line2D([], [], ls="", marker="o", ms=4, color=line.get_color())
    if line.axes is not None:
        line.axes.add_line(head)
    return head


def frame_times(count: int, *, most: int = MOST_FRAMES) -> list[int]:
    """Return the indices of the times of all frames: evenly spread, including the last."""
    frames = min(count, most)
    return [round((number + 1) * count / frames) - 1 for number in range(frames)]
