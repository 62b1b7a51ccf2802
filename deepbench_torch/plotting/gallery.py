"""Pictures of catalogues."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from deepbench_torch.plotting.series_gallery import (
    PORTRAIT,
    Rows,
    first_series,
    portraits,
    recipes_of,
)
from deepbench_torch.plotting.style import COLOURS, TILE, stretched
from deepbench_torch.recipes import AbstractRecipe

LARGEST = 1000  # images of a gallery
BATCH = 32  # images made at once
OVERLAY = ("label", "boxes", "masks", "labels")  # the targets that an overlay needs


class Panel(NamedTuple):
    """One image of a gallery: its title, its pixels (H, W) and its targets by name."""

    title: str
    image: NDArray[np.float32]
    targets: dict[str, Any]


def gallery(
    dataset: Rows,
    *,
    columns: int | None = None,
    rows: int | None = None,
    boxes: bool = False,
    masks: bool = False,
) -> Figure:
    """A labelled table of a dataset's first images, or the first of its time series.

    Where the label is a class, every class has rows of its own; else the images come in their order
    and each says what it holds. Of series their paths and energies are drawn: see `portraits`.

    Args:
        dataset: A dataset whose target is what `gallery_target` says.
        columns: Images side by side, ten if None; or series, four if None.
        rows: Rows of images; one for each class, or four, if None. Or of series, two if None.
        boxes: Whether to draw the box of each object.
        masks: Whether to outline the mask of each object.

    Returns:
        The figure; `save` writes it.

    Raises:
        ValueError: If rows or columns are not positive, or the target is another.
    """
    recipe = recipes_of(dataset)[0]
    wanted = gallery_target(recipe, overlay=boxes or masks)
    if dataset.target != wanted:
        raise ValueError(f"this gallery needs target={wanted!r}, got {dataset.target!r}")
    if recipe.content == "series":
        columns, rows = 4 if columns is None else columns, 2 if rows is None else rows
        return portraits(first_series(dataset, columns, rows), columns=columns, rows=rows)
    columns = 10 if columns is None else columns
    rows = rows if rows is not None else _usual_rows(dataset)
    if rows < 1 or columns < 1 or rows * columns > LARGEST:
        raise ValueError(
            f"a gallery needs positive rows and columns and at most {LARGEST} images, "
            f"got {rows} and {columns}"
        )
    by_class = _has_classes(dataset)
    panels = _by_class(dataset, rows, columns) if by_class else _in_order(dataset, rows, columns)
    _, height, width = recipe.shape
    figure = Figure((columns * TILE, rows * (TILE * height / width + 0.2)))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, panel in zip(axes.flat, panels, strict=False):
        if panel is not None:
            _draw(axis, panel, boxes=boxes, masks=masks)
    figure.tight_layout(pad=0.3, h_pad=0.3, w_pad=0.2)
    return figure


def gallery_target(recipe: AbstractRecipe, *, overlay: bool = False) -> str | tuple[str, ...]:
    """The target that a gallery of a recipe's rows needs, with an overlay of boxes or masks.

    Raises:
        ValueError: If an overlay of time series is asked for.
    """
    if recipe.content == "image":
        return OVERLAY if overlay else "label"
    if overlay:
        raise ValueError(f"boxes and masks are of images, but {recipe.name} gives time series")
    return PORTRAIT


def _has_classes(dataset: Rows) -> bool:
    """Return whether every label is one class."""
    return all(recipe.single_label for recipe in recipes_of(dataset))


def _usual_rows(dataset: Rows) -> int:
    return len(dataset.classes) if _has_classes(dataset) else 4


def _panels(dataset: Rows) -> Iterator[Panel]:
    """Every row of a dataset, titled with the kinds that its label names."""
    for image, target in _rows(dataset):
        targets = target if isinstance(target, dict) else {"label": target}
        label = targets["label"]
        names = (
            [dataset.classes[label]]
            if isinstance(label, int)
            else [kind for kind, there in zip(dataset.classes, label, strict=True) if there]
        )
        yield Panel(", ".join(names) or "empty", image[0].numpy(), targets)


def _rows(dataset: Rows) -> Iterator[tuple[Any, Any]]:
    """The rows of a dataset one after another, made a batch at a time."""
    for start in range(0, len(dataset), BATCH):
        yield from dataset.__getitems__(list(range(start, min(start + BATCH, len(dataset)))))


def _in_order(dataset: Rows, rows: int, columns: int) -> list[Panel | None]:
    """The first images."""
    return [panel for _, panel in zip(range(rows * columns), _panels(dataset), strict=False)]


def _by_class(dataset: Rows, rows: int, columns: int) -> list[Panel | None]:
    """Images class after class, each filling whole rows; the first of a row alone has its title."""
    classes = dataset.classes
    want = {kind: columns * len(range(n, rows, len(classes))) for n, kind in enumerate(classes)}
    found: dict[str, list[Panel | None]] = {kind: [] for kind in classes}
    for panel in _panels(dataset):
        mine = found[panel.title]
        if len(mine) < want[panel.title]:
            mine.append(panel if len(mine) % columns == 0 else panel._replace(title=""))
        elif all(len(found[kind]) >= want[kind] for kind in classes):
            break
    filled = [found[kind] + [None] * (want[kind] - len(found[kind])) for kind in classes]
    return [panel for part in filled for panel in part]


def _draw(axis: Axes, panel: Panel, *, boxes: bool, masks: bool) -> None:
    axis.imshow(stretched(panel.image), cmap="magma", interpolation="nearest")
    axis.set_title(_shortened(panel.title), fontsize=7, pad=2, loc="left")
    objects = range(len(panel.targets["labels"])) if boxes or masks else ()
    for place in objects:
        colour = COLOURS[(int(panel.targets["labels"][place]) - 1) % len(COLOURS)]
        if masks:
            mask = np.asarray(panel.targets["masks"][place], dtype=np.float32)
            axis.contour(mask, levels=[0.5], colors=colour, linewidths=0.8)
        if boxes:
            left, top, right, bottom = panel.targets["boxes"][place].tolist()
            # boxes count from pixel edges, axes from pixel centres
            corner = (left - 0.5, top - 0.5)
            axis.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, ec=colour))


def _shortened(title: str, length: int = 20) -> str:
    """A title cut to what fits over a tile."""
    return title if len(title) <= length else title[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
