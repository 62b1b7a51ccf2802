"""Pictures of catalogues."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepbench_torch.datasets import RowDataset

TILE = 1.2  # [inch]


def gallery(dataset: RowDataset, *, columns: int = 10, rows: int | None = None) -> Figure:
    """A labelled table of a dataset's first images.

    Where the label is a class, every class has rows of its own; else the images come in their order
    and each says what it holds.

    Args:
        dataset: A dataset whose target is "label".
        columns: Images side by side.
        rows: Rows of images; one for each class, or four, if None.

    Returns:
        The figure; `save` writes it.

    Raises:
        ValueError: If rows or columns are not positive, or the target is another.
    """
    rows = rows if rows is not None else _usual_rows(dataset)
    if rows < 1 or columns < 1:
        raise ValueError(f"a gallery needs positive rows and columns, got {rows} and {columns}")
    if dataset.target != "label":
        raise ValueError(f"a gallery needs a dataset with target='label', got {dataset.target!r}")
    chosen = _by_class if dataset.recipe.label == "class" else _in_order
    titles, images = chosen(dataset, rows, columns)
    size = dataset.recipe.image
    figure = Figure((columns * TILE, rows * TILE * size.height / size.width + 0.35))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place < len(images):
            _draw(axis, images[place])
            axis.set_title(titles[place], fontsize=8, pad=2, loc="left")
        else:
            axis.axis("off")
    figure.tight_layout(pad=0.4, h_pad=0.3, w_pad=0.2)
    return figure


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure; the ending of the path tells the format.

    Raises:
        OSError: If it cannot be written.
        ValueError: If the format is not known.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def stretched(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image for the eye: linear in the noise, logarithmic in the light (asinh).

    The scale is the typical deviation from the median, or the largest value where there is none.
    """
    level = np.median(image)
    spread = 1.48 * np.median(np.abs(image - level)) or float(np.abs(image).max()) or 1.0
    return np.asarray(np.arcsinh((image - level) / (2 * spread)), dtype=np.float32)


def _usual_rows(dataset: RowDataset) -> int:
    return len(dataset.classes) if dataset.recipe.label == "class" else 4


def _by_class(
    dataset: RowDataset, rows: int, columns: int
) -> tuple[list[str], list[NDArray[np.float32]]]:
    """Images class after class, each class filling whole rows; the first of a row is titled."""
    classes = dataset.classes
    want = {
        kind: columns * len(range(place, rows, len(classes))) for place, kind in enumerate(classes)
    }
    found: dict[str, list[NDArray[np.float32]]] = {kind: [] for kind in classes}
    for place in range(len(dataset)):
        if all(len(found[kind]) >= want[kind] for kind in classes):
            break
        image, label = dataset[place]
        if len(found[classes[label]]) < want[classes[label]]:
            found[classes[label]].append(image[0].numpy())
    titles, images = [], []
    for kind in classes:
        for place in range(want[kind]):
            here = place < len(found[kind])
            titles.append(kind if place % columns == 0 and here else "")
            images.append(found[kind][place] if here else np.zeros((1, 1), np.float32))
    return titles, images


def _in_order(
    dataset: RowDataset, rows: int, columns: int
) -> tuple[list[str], list[NDArray[np.float32]]]:
    """The first images, each titled with the kinds it holds."""
    titles, images = [], []
    for image, label in dataset.__getitems__(list(range(min(rows * columns, len(dataset))))):
        there = [kind for kind, flag in zip(dataset.classes, label, strict=True) if flag]
        titles.append(", ".join(there) or "empty")
        images.append(image[0].numpy())
    return titles, images


def _draw(axis: Axes, image: NDArray[np.float32]) -> None:
    axis.imshow(stretched(image), cmap="magma", interpolation="nearest")
    axis.set_axis_off()
