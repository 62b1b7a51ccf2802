"""Galleries show the right images with the right titles."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Patch, Rectangle

import deepbench_torch as db
from deepbench_torch.plotting.gallery import gallery
from deepbench_torch.plotting.image_gallery import LETTERS, OVERLAY_TARGETS
from deepbench_torch.plotting.style import image_norm


def titles_and_images(
    dataset: db.Catalogue, *, columns: int, rows: int | None = None
) -> tuple[list[str], list[np.ndarray]]:
    """Return titles and images of all axes of a gallery that have an image."""
    axes = [axis for axis in gallery(dataset, columns=columns, rows=rows).axes if axis.images]
    titles = [axis.get_title(loc="left") for axis in axes]
    return titles, [np.asarray(axis.images[0].get_array()) for axis in axes]


def test_each_class_has_its_own_lines() -> None:
    dataset = db.Catalogue("astro", size=200, image_size=8)
    titles, images = titles_and_images(dataset, columns=4)
    assert titles == ["star", "", "", "", "galaxy", "", "", "", "spiral", "", "", ""]
    first = {label: place for place, (_, label) in reversed(list(enumerate(list(dataset))))}
    for label in range(3):
        assert np.array_equal(images[4 * label], dataset[first[label]][0][0].numpy())


def test_titles_name_the_labels() -> None:
    recipe = db.load_recipe("astro").replace(label="present", count={"integer": [0, 3]})
    dataset = db.Catalogue(recipe, size=9, image_size=8)
    titles, images = titles_and_images(dataset, columns=3, rows=4)
    assert len(images) == 9
    for title, (_, label) in zip(titles, list(dataset), strict=True):
        kinds = [kind for kind, flag in zip(dataset.classes, label.tolist(), strict=True) if flag]
        names = ", ".join(kinds) or "empty"
        assert title == names


def test_long_titles_are_cut() -> None:
    recipe = db.load_recipe("geometric")
    recipe = recipe.replace(count=None, counts=dict.fromkeys(recipe.classes, 1))
    dataset = db.Catalogue(recipe, size=4, image_size=32)
    titles, _ = titles_and_images(dataset, columns=2, rows=2)
    for title, (_, label) in zip(titles, list(dataset), strict=True):
        kinds = [kind for kind, flag in zip(dataset.classes, label.tolist(), strict=True) if flag]
        assert len(kinds) == 6
        assert title.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert len(title) <= LETTERS
        assert ", ".join(kinds).startswith(title[:-1])


def test_noise_alone_is_darker_than_a_source_of_five_deviations() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (32, 32)).astype(np.float32)
    norm = image_norm(noise)
    assert norm(noise).mean() < 0.5
    assert norm(5.0) - norm(noise).mean() > 0.3


def test_overlays_are_the_boxes_and_masks_of_the_truth() -> None:
    dataset = db.Catalogue("sky", size=4, image_size=32, target=OVERLAY_TARGETS)
    figure = gallery(dataset, columns=2, rows=2, boxes=True, masks=True)
    legend = {line.get_label(): line.get_color() for line in figure.legends[0].get_lines()}
    for axis, (_, target) in zip(figure.axes, dataset, strict=True):
        corners = [patch_corners(patch) for patch in axis.patches]
        assert corners == (target["boxes"] - 0.5).tolist()
        assert len(axis.collections) == len(target["masks"])
        colours = [to_hex(patch.get_edgecolor()).upper() for patch in axis.patches]
        assert colours == [legend[dataset.classes[kind - 1]] for kind in target["labels"]]
    with pytest.raises(ValueError, match=r"expected a dataset with target=.'label', 'boxes'"):
        gallery(db.Catalogue("sky", size=5), boxes=True)


def patch_corners(patch: Patch) -> list[float]:
    """Return left, top, right and bottom of a rectangle [pixel]."""
    assert isinstance(patch, Rectangle)
    (left, top), width, height = patch.get_xy(), patch.get_width(), patch.get_height()
    return [left, top, left + width, top + height]


def test_colours_increase_with_light_as_8_bit_pixels_do() -> None:
    """Oracle: `db.to_uint8`, which has its own arithmetic."""
    ramp = np.geomspace(0.01, 1000, 50, dtype=np.float32).reshape(5, 10)
    shares = np.asarray(image_norm(ramp)(ramp))
    assert (np.diff(shares.ravel()) > 0).all()
    pixels = db.to_uint8(torch.from_numpy(ramp)).numpy()
    assert np.abs(255 * shares - pixels).max() <= 0.5 + 1e-3  # rounding


@pytest.mark.parametrize("brightness", [-2.0, 0.0, 1.0])
def test_an_image_of_one_brightness_has_one_colour(brightness: float) -> None:
    image = np.full((3, 4), brightness, np.float32)
    assert np.array_equal(image_norm(image)(image), np.zeros((3, 4)))


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"positive rows and columns .*, got 3 and 0"):
        gallery(db.Catalogue("astro", size=5), columns=0)
    with pytest.raises(ValueError, match="target='label', got 'clean'; make it with"):
        gallery(db.Catalogue("astro", size=5, target="clean"))
