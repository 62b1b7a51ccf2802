"""Targets of detection: boxes, masks and labels through torchvision's own tools."""

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import masks_to_boxes
from torchvision.transforms import v2

import deepbench_torch as db
from deepbench_torch.images.instances import render_instances

DETECTION = ["boxes", "masks", "labels"]
each_image = pytest.mark.parametrize("name", ["sky", "lensing", "geometric", "astro"])


def catalogue(name: str, **options: Any) -> db.Catalogue:
    usual: dict[str, Any] = {"size": 30, "seed": 2, "image_size": (48, 56), "target": DETECTION}
    return db.Catalogue(name, **usual | options)


@each_image
def test_boxes_contain_their_masks(name: str) -> None:
    """Oracle: torchvision's masks_to_boxes, whose right and lower edges are the last pixel."""
    for _, target in catalogue(name):
        boxes, masks = target["boxes"], target["masks"]
        assert isinstance(boxes, tv_tensors.BoundingBoxes)
        assert isinstance(masks, tv_tensors.Mask)
        assert boxes.format == tv_tensors.BoundingBoxFormat.XYXY
        assert boxes.canvas_size == (48, 56)
        assert masks.shape == (len(boxes), 48, 56)
        assert masks.dtype == torch.uint8
        expected = masks_to_boxes(torch.as_tensor(masks)) + torch.tensor([0, 0, 1, 1])
        assert torch.equal(torch.as_tensor(boxes), expected)


@each_image
def test_labels_masks_and_components_are_of_the_objects_present(name: str) -> None:
    several = catalogue(name, target=[*DETECTION, "components", "label", "clean"])
    sample = several.samples(range(30))
    assert isinstance(sample, db.Sample)
    objects = render_instances(sample)
    for row, (_, target) in enumerate(several):
        own = objects.light[objects.row == row]
        assert torch.equal(target["components"], own)
        in_view = objects.mask[objects.row == row].flatten(1).any(1)
        assert torch.equal(target["labels"], objects.kind[objects.row == row][in_view] + 1)
        assert len(target["masks"]) == len(target["labels"])
        present = [
            index + 1
            for index, there in enumerate(sample.present.values())
            for _ in range(int(there[row].sum()))
        ]
        assert (objects.kind[objects.row == row] + 1).tolist() == present


STAR = {"x": 32.0, "y": 32.0, "amplitude": 2.0, "gamma": 5.0, "alpha": 2.5}
GALAXY = {"amplitude": 1.0, "radius": 6.0, "n": 2.5, "ellip": 0.5, "theta": 0.0}


def mask_of(kind: str, parameters: dict[str, float], *, side: int = 64) -> torch.Tensor:
    """Return the mask of one object of known parameters, uint8 of shape (N, side, side)."""
    recipe = db.load_recipe(kind).replace(image={"height": side, "width": side})
    prior = {
        name: (value + 0.5 if name in ("x", "y") else value)
        / (side if db.OBJECTS[kind].fields[name].role in ("column", "row", "length") else 1)
        for name, value in parameters.items()
    }
    _, masks = db.Catalogue(recipe.replace(objects={kind: prior}), size=1, target="masks")[0]
    return torch.as_tensor(masks)


def test_the_mask_of_a_star_ends_at_a_tenth_of_its_centre() -> None:
    """Oracle: the radius at which a Moffat profile falls to a tenth, by its formula."""
    radius = 5.0 * (10 ** (1 / 2.5) - 1) ** 0.5
    for x in (32.0, 32.4, 60.0):
        there = mask_of("star", STAR | {"x": x})[0]
        column, row = db.Grid(64, 64).centres(torch.zeros(1))
        distance = ((column - x) ** 2 + (row - 32.0) ** 2).sqrt()[None]
        assert torch.equal(there.bool(), distance[0] <= radius)


def test_the_mask_of_a_galaxy_is_the_ellipse_of_half_its_light() -> None:
    """Oracle: the ellipse, for any position of the pixel centres, despite the central cusp."""
    for x in (32.0, 32.25, 32.5):
        there = mask_of("galaxy", GALAXY | {"x": x, "y": 32.0})[0]
        column, row = torch.arange(64.0) - x, torch.arange(64.0)[:, None] - 32.0
        assert torch.equal(there.bool(), (column / 6) ** 2 + (row / 3) ** 2 <= 1)


def test_the_mask_of_a_spiral_ends_at_a_tenth_of_its_centre() -> None:
    """Oracle: the image with a pixel at the centre, where disc and core have their full light."""
    recipe = db.load_recipe("spiral").replace(
        objects={"spiral": {"x": 0.5078125, "y": 0.5078125}}, degrade={"poisson": None}
    )
    for _, target in db.Catalogue(recipe, size=10, target=["masks", "clean"]):
        light = target["clean"][0]
        there = torch.as_tensor(target["masks"])[0].bool()
        # arms start at the centre, where the light of the disc is the amplitude to rounding
        doubtful = (light / light[32, 32] - 0.1).abs() < 1e-5
        assert torch.equal(there | doubtful, (light >= 0.1 * light[32, 32]) | doubtful)


def test_the_mask_of_a_shape_is_the_shape() -> None:
    """Oracle: the light of the shape, which is 0 elsewhere; all default shapes are in view."""
    for _, target in catalogue("geometric", target=["masks", "components"]):
        own = target["components"] > 0
        assert own.flatten(1).any(1).all()
        assert torch.equal(torch.as_tensor(target["masks"]).bool(), own)


@pytest.mark.parametrize("kind", ["star", "galaxy", "circle"])
def test_a_blur_moves_no_mask(kind: str) -> None:
    """A mask shows the object without blur; a component shows its blurred light."""
    sharp, blurred = (
        db.Catalogue(
            db.load_recipe(kind).replace(degrade={"blur": blur}),
            size=8,
            target=["masks", "components"],
        )
        for blur in (None, {"sigma": 0.05})
    )
    for (_, before), (_, after) in zip(sharp, blurred, strict=True):
        assert torch.equal(torch.as_tensor(before["masks"]), torch.as_tensor(after["masks"]))
        assert not torch.equal(before["components"], after["components"])


@pytest.mark.parametrize("kind", ["star", "galaxy"])
def test_an_object_far_outside_the_frame_has_no_mask(kind: str) -> None:
    """Its light may reach into the frame, but not its mask."""
    parameters = {"star": STAR, "galaxy": GALAXY | {"y": 32.0}}[kind]
    assert len(mask_of(kind, parameters | {"x": -30.0})) == 0


def test_slots_link_boxes_to_parameters() -> None:
    """Oracle: the centres of shapes are in their boxes."""
    data = catalogue("geometric", target=["boxes", "labels", "slots", "parameters"])
    for _, target in data:
        for box, label, slot in zip(
            target["boxes"], target["labels"].tolist(), target["slots"].tolist(), strict=True
        ):
            own = target["parameters"][data.classes[label - 1]]
            assert own["present"][slot]
            if "x" in own and data.classes[label - 1] != "arc":
                left, top, right, bottom = box.tolist()
                assert left <= own["x"][slot] + 0.5 <= right
                assert top <= own["y"][slot] + 0.5 <= bottom


@each_image
def test_targets_do_not_depend_on_the_parts_of_a_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of pixels rendered in one batch changes no target."""
    data = catalogue(name, target=[*DETECTION, "slots", "components"])
    whole = data.__getitems__(list(range(30)))
    monkeypatch.setattr("deepbench_torch.images.targets.OBJECT_PIXELS", 48 * 56 * 7)
    parts = data.__getitems__(list(range(30)))
    for (_, there), (_, here) in zip(whole, parts, strict=True):
        for key, value in there.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(here[key]))


def test_an_object_out_of_view_has_no_box_but_a_component() -> None:
    recipe = db.load_recipe("rectangle").replace(objects={"rectangle": {"x": 3.0}})
    _, target = db.Catalogue(recipe, size=5, target=[*DETECTION, "components"])[0]
    assert target["boxes"].shape == (0, 4)
    assert target["masks"].shape == (0, 64, 64)
    assert target["labels"].shape == (0,)
    assert target["components"].shape == (1, 64, 64)
    assert not target["components"].any()


@pytest.mark.moves_generators
@each_image
@pytest.mark.parametrize(
    "flip", [v2.RandomHorizontalFlip(1.0), v2.RandomVerticalFlip(1.0)], ids=["across", "down"]
)
def test_flips_move_image_boxes_and_masks_together(name: str, flip: Any) -> None:
    """Oracle: the boxes of the flipped masks."""
    for image, target in catalogue(name, size=10):
        flipped, moved = flip(image, target)
        axis = -1 if isinstance(flip, v2.RandomHorizontalFlip) else -2
        assert torch.equal(flipped, image.flip(axis))
        assert torch.equal(moved["masks"], target["masks"].flip(axis))
        if len(moved["masks"]):
            again = masks_to_boxes(torch.as_tensor(moved["masks"])) + torch.tensor([0, 0, 1, 1])
            assert torch.equal(torch.as_tensor(moved["boxes"]), again)


@pytest.mark.moves_generators
@each_image
def test_crops_rotations_and_sanitizing_keep_objects_together(name: str) -> None:
    torch.manual_seed(0)
    steps = v2.Compose([v2.RandomRotation(20), v2.RandomCrop((32, 32)), v2.SanitizeBoundingBoxes()])
    data = catalogue(name, transforms=steps)
    for image, target in data:
        assert image.shape == (1, 32, 32)
        assert target["masks"].shape == (len(target["boxes"]), 32, 32)
        assert len(target["labels"]) == len(target["boxes"])
        assert target["boxes"].canvas_size == (32, 32)
        assert (target["boxes"] <= 32).all()


@pytest.mark.moves_generators
@pytest.mark.parametrize("name", ["sky", "geometric"])
def test_mask_rcnn_accepts_a_batch(name: str) -> None:
    """A Mask R-CNN on a three-layer backbone learns from a stock loader's batch."""
    torch.manual_seed(0)
    data = catalogue(name)
    loader = DataLoader(data, batch_size=3, collate_fn=db.collate_detection)
    images, targets = next(iter(loader))
    backbone = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=4, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 1)
    )
    setattr(backbone, "out_channels", 8)  # noqa: B010  MaskRCNN reads this attribute
    anchors = AnchorGenerator(sizes=((8, 16, 32),), aspect_ratios=((1.0,),))
    network = MaskRCNN(
        backbone,
        num_classes=len(data.classes) + 1,
        rpn_anchor_generator=anchors,
        min_size=48,
        max_size=56,
    )
    losses = network(images, targets)
    assert {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness"} < set(losses)
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
