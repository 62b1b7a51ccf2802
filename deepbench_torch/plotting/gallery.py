"""Galleries: tables of a dataset's first images, or of its first time series."""

from collections.abc import Callable
from typing import NamedTuple

from deepbench_torch.datasets.any_dataset import AnyRows, recipes_of
from deepbench_torch.plotting import image_gallery, series_gallery
from deepbench_torch.plotting.image_gallery import OVERLAY_TARGETS
from deepbench_torch.plotting.series_gallery import SERIES_TARGETS
from deepbench_torch.plotting.style import SUFFIXES, Picture
from deepbench_torch.recipes import AbstractRecipe, Content, require_images


class Gallery(NamedTuple):
    """Gallery of one content.

    Attributes:
        plot: Returns the figure of a dataset.
        plot_sample: Returns the figure of a sample.
        target: Target that the dataset needs.
        suffixes: Endings of the files that it can be written to.
    """

    plot: Callable[..., Picture]
    plot_sample: Callable[..., Picture]
    target: str | tuple[str, ...]
    suffixes: tuple[str, ...]


# by `recipe.content`, as `generate.CONTENTS`
GALLERIES: dict[Content, Gallery] = {
    "image": Gallery(image_gallery.image_gallery, image_gallery.sample_gallery, "label", SUFFIXES),
    "series": Gallery(
        series_gallery.series_gallery,
        series_gallery.sample_gallery,
        SERIES_TARGETS,
        (*SUFFIXES, ".gif"),
    ),
}


def gallery(
    dataset: AnyRows,
    *,
    columns: int | None = None,
    rows: int | None = None,
    boxes: bool = False,
    masks: bool = False,
) -> Picture:
    """Plot the first images of a dataset in a labelled table, or its first time series.

    If each label is one class, each class has its own lines. Otherwise images keep their order,
    and titles name their labels. For time series see `series_gallery`.

    Args:
        dataset: Dataset with the target that `gallery_target` returns.
        columns: Number of images side by side, 10 if None; 4 for time series.
        rows: Number of lines; if None, one for each class or 4; 2 for time series.
        boxes: Whether to plot the box of each object.
        masks: Whether to outline the mask of each object.

    Returns:
        Figure, for `style.save`.

    Raises:
        ValueError: If rows, columns or the dataset's target are not as above.
    """
    recipe = recipes_of(dataset)[0]
    target = gallery_target(recipe, overlay=boxes or masks)
    if dataset.target != target:
        raise ValueError(
            f"gallery: expected a dataset with target={target!r}, got {dataset.target!r}; make it "
            "with that target"
        )
    plot = GALLERIES[recipe.content].plot
    return plot(dataset, columns=columns, rows=rows, boxes=boxes, masks=masks)


def gallery_target(recipe: AbstractRecipe, *, overlay: bool = False) -> str | tuple[str, ...]:
    """Return the target that a gallery of a recipe's rows needs.

    Args:
        recipe: Recipe of the rows.
        overlay: Whether boxes or masks will be plotted.

    Raises:
        ValueError: If an overlay of time series is requested.
    """
    if overlay:
        require_images(recipe, "gallery with boxes or masks", remedy="omit them")
        return OVERLAY_TARGETS
    return GALLERIES[recipe.content].target
