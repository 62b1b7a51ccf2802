"""Galleries: the right images in the right places."""

import numpy as np
import pytest
from matplotlib.patches import Patch, Rectangle

import deepbench_torch as db
from deepbench_torch.plotting.gallery import OVERLAY, gallery
from deepbench_torch.plotting.style import stretched


def shown(
    dataset: db.Catalogue, *, columns: int, rows: int | None = None
) -> tuple[list[str], list[np.ndarray]]:
    """Titles and images of a gallery's axes that show something."""
    axes = [axis for axis in gallery(dataset, columns=columns, rows=rows).axes if axis.images]
    titles = [axis.get_title(loc="left") for axis in axes]
    return titles, [np.asarray(axis.images[0].get_array()) for axis in axes]


def test_classes_have_rows_of_their_own() -> None:
    dataset = db.Catalogue("astro", size=200, image_size=8)
    titles, images = shown(dataset, columns=4)
    assert titles == ["star", "", "", "", "galaxy", "", "", "", "spiral", "", "", ""]
    first = {label: place for place, (_, label) in reversed(list(enumerate(list(dataset))))}
    for label in range(3):
        expected = stretched(dataset[first[label]][0][0].numpy())
        assert np.array_equal(images[4 * label], expected)


def test_other_labels_stand_over_their_images() -> None:
    recipe = db.load_recipe("astro").replace(label="present", count={"integer": [0, 3]})
    dataset = db.Catalogue(recipe, size=9, image_size=8)
    titles, images = shown(dataset, columns=3, rows=4)
    assert len(images) == 9
    for title, (_, label) in zip(titles, list(dataset), strict=True):
        there = [kind for kind, flag in zip(dataset.classes, label.tolist(), strict=True) if flag]
        whole = ", ".join(there) or "empty"
        assert title == whole or (len(title) == 20 and whole.startswith(title[:-1]))


def test_overlays_are_the_boxes_and_masks_of_the_truth() -> None:
    dataset = db.Catalogue("sky", size=4, image_size=32, target=OVERLAY)
    figure = gallery(dataset, columns=2, rows=2, boxes=True, masks=True)
    for axis, (_, target) in zip(figure.axes, dataset, strict=True):
        drawn = [patch_corners(patch) for patch in axis.patches]
        assert drawn == (target["boxes"] - 0.5).tolist()
        assert len(axis.collections) == len(target["masks"])
    with pytest.raises(ValueError, match=r"this gallery needs target=.'label', 'boxes'"):
        gallery(db.Catalogue("sky", size=5), boxes=True)


def patch_corners(patch: Patch) -> list[float]:
    """Left, top, right and bottom of a rectangle in pixels."""
    assert isinstance(patch, Rectangle)
    (left, top), width, height = patch.get_xy(), patch.get_width(), patch.get_height()
    return [left, top, left + width, top + height]


def test_stretch_is_steady_and_finite() -> None:
    ramp = np.linspace(-1, 1000, 50, dtype=np.float32).reshape(5, 10)
    assert (np.diff(stretched(ramp).ravel()) > 0).all()
    assert np.isfinite(stretched(np.zeros((3, 4), np.float32))).all()


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"positive rows and columns .*, got 3 and 0"):
        gallery(db.Catalogue("astro", size=5), columns=0)
    with pytest.raises(ValueError, match="this gallery needs target='label', got 'clean'"):
        gallery(db.Catalogue("astro", size=5, target="clean"))
