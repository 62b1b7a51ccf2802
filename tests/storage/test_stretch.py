"""8-bit pixels of tensors of any shape, equal to those of the JPEG files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import ToPILImage

import deepbench_torch as db
from deepbench_torch.storage.formats.jpeg import QUALITY


@pytest.mark.parametrize("name", ["astro", "sky", "geometric"])
def test_pixels_equal_those_of_the_files(name: str, tmp_path: Path) -> None:
    """Oracle: the bytes of the files, compared with our pixels encoded again."""
    data = db.Catalogue(name, size=5, seed=2, image_size=(10, 12))
    path = db.materialize(data, tmp_path / "a", format="jpeg", progress=False)
    sample = db.generate(name, 2, torch.arange(5), image_size=(10, 12))
    pixels = db.to_uint8(sample)
    assert (pixels.dtype, pixels.shape) == (torch.uint8, sample.image.shape)
    files = {int(file.stem): file for file in path.rglob("*.jpg")}
    for row in range(5):
        buffer = io.BytesIO()
        Image.fromarray(pixels[row, 0].numpy()).save(buffer, "jpeg", quality=QUALITY)
        assert buffer.getvalue() == files[row].read_bytes()
        for recipe in (name, sample.recipe, db.load_recipe(name)):
            assert torch.equal(db.to_uint8(data[row][0], recipe), pixels[row])


def test_a_batch_equals_its_singles_in_every_shape() -> None:
    image = db.generate("sky", 0, torch.arange(3), image_size=(6, 9)).image
    for recipe in (None, "sky"):
        batch = db.to_uint8(image, recipe)
        for row in range(3):
            assert torch.equal(db.to_uint8(image[row], recipe), batch[row])
            assert torch.equal(db.to_uint8(image[row, 0], recipe), batch[row, 0])
        assert db.to_uint8(image[:0], recipe).shape == image[:0].shape
    assert batch.tolist() != db.to_uint8(image).tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_single_image_uses_the_full_range(dtype: torch.dtype) -> None:
    image = db.generate("star", 0, torch.arange(1)).image[0].to(dtype).requires_grad_()
    pixels = db.to_uint8(image)
    assert (int(pixels.min()), int(pixels.max())) == (0, 255)
    ramp = torch.linspace(-1, 1000, 50, dtype=dtype).view(5, 10)
    assert (db.to_uint8(ramp).flatten().int().diff() >= 0).all()
    assert db.to_uint8(torch.full((4, 5), 3.0, dtype=dtype)).eq(0).all()


def test_pixels_become_a_pil_image() -> None:
    image = db.Catalogue("sky", size=1)[0][0]
    picture = ToPILImage()(db.to_uint8(image, "sky"))
    assert np.array_equal(np.asarray(picture), db.to_uint8(image, "sky")[0])


@pytest.mark.parametrize(
    ("image", "recipe", "message"),
    [
        (np.zeros((3, 3)), None, "expected a float tensor, got ndarray"),
        (torch.zeros(3, 3, dtype=torch.uint8), None, "expected a float tensor, got torch.uint8"),
        (torch.zeros(3), None, r"expected shape \(H, W\), .* got \(3,\)"),
        (torch.zeros(3, 4, 4), None, r"got \(3, 4, 4\)"),
        (torch.zeros(2, 3, 4, 4), None, r"got \(2, 3, 4, 4\)"),
        (torch.zeros(1, 0, 4), None, r"got \(1, 0, 4\)"),
        (torch.full((2, 2), float("nan")), "sky", "expected finite pixels"),
        (torch.zeros(2, 2), "pendulum", "expected a recipe of images, got pendulum"),
        (db.generate("pendulum", 0, torch.arange(2)), None, "expected shape"),
        (torch.zeros(2, 2), "skyy", "skyy"),
    ],
)
def test_other_values_are_refused(image: Any, recipe: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        db.to_uint8(image, recipe)
