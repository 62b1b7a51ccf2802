"""show(): a figure of images or time series, wherever they come from."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor
from torch.utils.data import Subset

from deepbench_torch.datasets import PairDataset
from deepbench_torch.datasets.any_dataset import AnyRows, recipes_of
from deepbench_torch.numerics.checks import real_tensor
from deepbench_torch.plotting.gallery import GALLERIES, gallery, gallery_target
from deepbench_torch.plotting.image_gallery import Panel, plot_in_order
from deepbench_torch.plotting.style import Picture
from deepbench_torch.samples import AbstractSample

Shown = PairDataset | Subset[Any] | AbstractSample | Tensor
"""Data of which `show` makes figures."""


def show(
    data: Shown,
    *,
    columns: int | None = None,
    rows: int | None = None,
    boxes: bool = False,
    masks: bool = False,
    titles: Sequence[str] | None = None,
) -> Picture:
    """Return a figure of images, or of the paths and energies of time series.

    The figure shows itself in a notebook; elsewhere call `figure.savefig(path)`. Images have the
    colours of `db.to_uint8`, each its own scale. The command `deepbench-torch show` plots the same.

    Args:
        data: Catalogue, stored catalogue, collection or view of one, such as `data[3:9]`, whose
            first rows are plotted, by class if each label is one; a Sample or a SeriesSample, whose
            rows are plotted in order; or images, shape (H, W), (1, H, W) or (B, 1, H, W).
        columns: Number of images side by side; 10 if None, 4 of time series.
        rows: Number of lines; if None, those of all rows of a sample, one for each class of a
            dataset, or 4.
        boxes: Whether to plot the box of each object.
        masks: Whether to outline the mask of each object.
        titles: Titles of the images of a sample or tensor, in order; if None, their labels.

    Raises:
        ValueError: If `data` has neither images nor time series, or titles, boxes or masks do not
            belong to it.

    Example:
        >>> import deepbench_torch as db, torch
        >>> figure = db.show(db.generate("sky", 0, torch.arange(6)), boxes=True, columns=3)
        >>> len(figure.axes)
        6
    """
    if isinstance(data, Subset):
        data = cast("PairDataset", data.dataset)[list(data.indices)]
    size: dict[str, int | None] = {"columns": columns, "rows": rows}
    if isinstance(data, PairDataset):
        _refuse_titles(titles)
        target = gallery_target(recipes_of(cast("AnyRows", data))[0], overlay=boxes or masks)
        chosen = cast("AnyRows", data.with_target(target))
        return gallery(chosen, **size, boxes=boxes, masks=masks)
    if isinstance(data, AbstractSample):
        gallery_target(data.recipe, overlay=boxes or masks)  # refuses boxes of time series
        options = {} if titles is None else {"titles": titles}
        plot = GALLERIES[data.recipe.content].plot_sample
        return plot(data, **size, boxes=boxes, masks=masks, **options)
    panels = _tensor_panels(data, overlay=boxes or masks)
    return plot_in_order(panels, **size, titles=titles)


def _tensor_panels(data: object, *, overlay: bool) -> list[Panel]:
    """Return a panel without title for each image of a tensor."""
    images = real_tensor(data, where="show: data").detach().cpu()
    if images.dim() == 2 or (images.dim() == 3 and len(images) == 1):
        images = images.view(1, 1, *images.shape[-2:])
    if images.dim() != 4 or images.shape[1] != 1:
        raise ValueError(
            f"show: expected images of shape (H, W), (1, H, W) or (B, 1, H, W), got "
            f"{tuple(images.shape)}; add the axis of channels with images[:, None]"
        )
    if overlay:
        raise ValueError(
            "show: expected no boxes or masks of plain images, got boxes=True or masks=True; pass "
            "a catalogue or a sample, which knows its objects"
        )
    return [Panel("", image[0].float().numpy(), {}) for image in images]


def _refuse_titles(titles: object) -> None:
    if titles is not None:
        raise ValueError(
            f"show: expected titles only beside a sample of images or a tensor, got "
            f"{titles!r:.60}; pass data.samples(range(8))"
        )
