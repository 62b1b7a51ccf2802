"""Galleries of images: a labelled table, with boxes and masks of the objects."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from deepbench_torch.datasets.any_dataset import AnyRows, recipes_of
from deepbench_torch.datasets.targets import target_rows
from deepbench_torch.plotting.style import (
    ON_DARK,
    TILE,
    Picture,
    check_table,
    image_norm,
    table_size,
)
from deepbench_torch.recipes.labels import label_names
from deepbench_torch.samples import Sample

MOST = 1000  # images of a gallery
COLUMNS = 10  # where no number is set
TITLE, LEGEND = 0.2, 0.15  # heights of a line [inch]
LETTERS = 28  # of a title at most
BATCH = 32  # images generated in one batch
OVERLAY_TARGETS = ("label", "boxes", "masks", "labels")


class Table(NamedTuple):
    """Size of a table of images.

    Attributes:
        columns: Number of images side by side.
        rows: Number of lines.
        shape: Height and width of an image [pixel].
    """

    columns: int
    rows: int
    shape: tuple[int, ...]


class Panel(NamedTuple):
    """One image of a gallery.

    Attributes:
        title: Names of its label.
        image: Brightness, shape (H, W).
        targets: Targets of its row by name.
    """

    title: str
    image: NDArray[np.float32]
    targets: dict[str, Any]


def image_gallery(
    dataset: AnyRows, *, columns: int | None, rows: int | None, boxes: bool, masks: bool
) -> Picture:
    """Plot the first images of a dataset; see `gallery.gallery`.

    Raises:
        ValueError: If rows or columns are not positive, or too many.
    """
    columns = COLUMNS if columns is None else columns
    rows = _usual_rows(dataset) if rows is None else rows
    check_table(columns, rows, most=MOST, noun="images")
    select = _class_panels if _has_classes(dataset) else _first_panels
    panels = select(dataset, columns=columns, rows=rows)
    shape = recipes_of(dataset)[0].shape[1:]
    table = Table(columns, rows, shape)
    return plot_panels(panels, table, classes=dataset.classes, boxes=boxes, masks=masks)


def plot_panels(
    panels: Sequence[Panel | None],
    table: Table,
    *,
    classes: Sequence[str] = (),
    boxes: bool = False,
    masks: bool = False,
) -> Picture:
    """Plot images in a table.

    Args:
        panels: Images; None for an empty place.
        table: Size of the table.
        classes: Names of the kinds of objects, for the legend of boxes and masks.
        boxes: Whether to plot the box of each object.
        masks: Whether to outline the mask of each object.
    """
    columns, rows, (height, width) = table
    ncols = max(1, int(1.6 * columns))  # entries in a line of the legend
    lines = -(-len(classes) // ncols) if boxes or masks else 0
    bottom = max(0, LEGEND * lines - 0.05)
    size = columns * TILE, rows * (TILE * height / width + TITLE) + bottom
    figure = Picture(size)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, panel in zip(axes.flat, panels, strict=False):
        if panel is not None:
            _plot_panel(axis, panel, boxes=boxes, masks=masks)
    if bottom:
        _add_legend(figure, classes, ncols=ncols)
    figure.tight_layout(pad=0.3, h_pad=0.3, w_pad=0.2, rect=(0, bottom / size[1], 1, 1))
    return figure


def plot_in_order(
    panels: Sequence[Panel],
    *,
    columns: int | None,
    rows: int | None,
    titles: Sequence[str] | None = None,
    **options: Any,
) -> Picture:
    """Plot images in order, all of them unless rows or columns are fewer; see `plot_panels`.

    Raises:
        ValueError: If a title is missing, or rows or columns are not positive or too many.
    """
    if titles is not None:
        if isinstance(titles, str) or len(titles) < len(panels):
            raise ValueError(
                f"show: expected a title for each of {len(panels)} images, got {titles!r:.60}; "
                "pass a list of texts"
            )
        panels = [panel._replace(title=str(t)) for panel, t in zip(panels, titles, strict=False)]
    across, down = table_size(len(panels), columns=columns, rows=rows, usual=COLUMNS)
    check_table(across, down, most=MOST, noun="images")
    shape = panels[0].image.shape if panels else (1, 1)
    return plot_panels(panels, Table(across, down, shape), **options)


def sample_gallery(
    sample: Sample,
    *,
    columns: int | None,
    rows: int | None,
    boxes: bool,
    masks: bool,
    titles: Sequence[str] | None = None,
) -> Picture:
    """Plot the images of a sample in order; see `plot_in_order`."""
    classes = sample.recipe.classes
    targets = target_rows(sample, OVERLAY_TARGETS if boxes or masks else ("label",))
    panels = [
        Panel(_title(each["label"], classes), image[0].cpu().numpy(), each)
        for image, each in zip(sample.image, targets, strict=True)
    ]
    overlay = {"classes": sample.recipe.kinds, "boxes": boxes, "masks": masks}
    return plot_in_order(panels, columns=columns, rows=rows, titles=titles, **overlay)


def _title(label: Any, classes: Sequence[str]) -> str:
    return ", ".join(label_names(label, classes)) or "empty"


def _add_legend(figure: Figure, classes: Sequence[str], *, ncols: int) -> None:
    """Add the colours of the objects' kinds below the images."""
    handles = [
        Line2D([], [], color=_colour(index), lw=1.2, label=name)
        for index, name in enumerate(classes)
    ]
    style = {"fontsize": 7, "frameon": False, "borderpad": 0}
    figure.legend(handles=handles, loc="lower left", ncols=ncols, **style)


def _colour(kind: int) -> str:
    """Return the colour of a kind of object."""
    return ON_DARK[kind % len(ON_DARK)]


def _has_classes(dataset: AnyRows) -> bool:
    """Return whether every label is one class."""
    return all(recipe.single_label for recipe in recipes_of(dataset))


def _usual_rows(dataset: AnyRows) -> int:
    return len(dataset.classes) if _has_classes(dataset) else 4


def _panels(dataset: AnyRows) -> Iterator[Panel]:
    """Yield a panel for each row of a dataset; rows are generated in batches."""
    for start in range(0, len(dataset), BATCH):
        indices = list(range(start, min(start + BATCH, len(dataset))))
        for image, target in dataset.__getitems__(indices):
            targets = target if isinstance(target, dict) else {"label": target}
            yield Panel(_title(targets["label"], dataset.classes), image[0].numpy(), targets)


def _first_panels(dataset: AnyRows, *, columns: int, rows: int) -> list[Panel | None]:
    """Return the panels of the first images."""
    return list(islice(_panels(dataset), rows * columns))


def _class_panels(dataset: AnyRows, *, columns: int, rows: int) -> list[Panel | None]:
    """Return panels sorted by class, in full lines; only the first of a line has a title."""
    classes = dataset.classes
    counts = {kind: columns * len(range(n, rows, len(classes))) for n, kind in enumerate(classes)}
    found: dict[str, list[Panel | None]] = {kind: [] for kind in classes}
    for panel in _panels(dataset):
        same = found[panel.title]
        if len(same) < counts[panel.title]:
            same.append(panel if len(same) % columns == 0 else panel._replace(title=""))
        elif all(len(found[kind]) >= counts[kind] for kind in classes):
            break
    padded = [found[kind] + [None] * (counts[kind] - len(found[kind])) for kind in classes]
    return [panel for panels in padded for panel in panels]


def _plot_panel(axis: Axes, panel: Panel, *, boxes: bool, masks: bool) -> None:
    norm = image_norm(panel.image)
    axis.imshow(panel.image, norm=norm, cmap="magma", interpolation="nearest")
    title = _shorten(panel.title)
    axis.set_title(title, fontsize=7 * min(1, 22 / max(1, len(title))), pad=2, loc="left")
    objects = range(len(panel.targets["labels"])) if boxes or masks else ()
    for index in objects:
        colour = _colour(int(panel.targets["labels"][index]) - 1)
        if masks:
            mask = np.asarray(panel.targets["masks"][index], dtype=np.float32)
            axis.contour(mask, levels=[0.5], colors=colour, linewidths=0.8)
        if boxes:
            left, top, right, bottom = panel.targets["boxes"][index].tolist()
            # boxes are measured at pixel edges, axes at pixel centres
            corner = (left - 0.5, top - 0.5)
            axis.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, ec=colour))


def _shorten(title: str) -> str:
    """Return a title that fits over an image in small letters."""
    if len(title) <= LETTERS:
        return title
    return title[: LETTERS - 1].rstrip(", ") + "\N{HORIZONTAL ELLIPSIS}"
