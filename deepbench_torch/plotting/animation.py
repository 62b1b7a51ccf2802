"""Animations of time series: a GIF in which paths and energies grow with time."""

from pathlib import Path
from typing import final

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from typing_extensions import override

from deepbench_torch.datasets.any_dataset import AnyDataset
from deepbench_torch.plotting.gallery import gallery
from deepbench_torch.plotting.series_gallery import MOTION
from deepbench_torch.plotting.style import check_suffix
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.storage.outputs import MARK, output_file

SUFFIXES = (".gif",)
MOST_FRAMES = 60  # other times are skipped
FRAMES_PER_SECOND = 15
DPI = 100


def save_animation(
    dataset: AnyDataset,
    path: str | Path,
    *,
    columns: int | None = None,
    rows: int | None = None,
) -> Path:
    """Write an animation of a dataset's first time series to a GIF.

    Args:
        dataset: Dataset with the target that `gallery.gallery_target` returns.
        path: Output file, which ends in .gif.
        columns: Number of time series side by side; 3 if None.
        rows: Number of lines; 1 if None.

    Returns:
        The path.

    Raises:
        FileExistsError: If the path is a file that this package did not write.
        OSError: If the file cannot be written.
        ValueError: If the suffix is another, or the rows are images.
    """
    path = user_path(path)
    check_suffix(path, SUFFIXES)
    columns, rows = 3 if columns is None else columns, 1 if rows is None else rows
    figure = gallery(dataset, columns=columns, rows=rows)
    lines = _time_lines(figure)
    if not lines:
        raise ValueError(f"{path.name}: expected time series, got images; write a .png instead")
    heads = [(_head(line), data) for line, data in lines if line.get_gid() == MOTION]
    figure.draw_without_rendering()  # the layout of the last frame holds for all frames
    figure.set_layout_engine("none")
    writer = _GifWriter(fps=FRAMES_PER_SECOND)
    with output_file(path, "the animation") as new, writer.saving(figure, str(new), DPI):
        for time in frame_times(max(data.shape[1] for _, data in lines)):
            for line, data in lines:
                line.set_data(data[:, : time + 1])
            for head, data in heads:
                head.set_data(data[:, time : time + 1])
            writer.grab_frame()
    return path


@final
class _GifWriter(PillowWriter):
    """Writer of GIF files that contain the mark of this package in a comment."""

    @override
    def finish(self) -> None:
        first, *others = self._frames  # type: ignore[attr-defined]  # of PillowWriter
        first.save(
            self.outfile,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=int(1000 / self.fps),
            loop=0,
            comment=MARK,
        )


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


def frame_times(count: int) -> list[int]:
    """Return the indices of the times of all frames: evenly spread, including the last."""
    frames = min(count, MOST_FRAMES)
    return [round((number + 1) * count / frames) - 1 for number in range(frames)]
