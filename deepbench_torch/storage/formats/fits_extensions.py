"""Extensions of FITS files: further images of each row, beside the image itself."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from deepbench_torch.datasets.targets import target_rows
from deepbench_torch.generate import generate
from deepbench_torch.recipes import AbstractRecipe
from deepbench_torch.recipes.recipe import require_images
from deepbench_torch.samples import Sample
from deepbench_torch.storage.formats.fits_cards import sky_cards
from deepbench_torch.storage.work.chunks import BATCH, ranges

if TYPE_CHECKING:
    from astropy.io.fits import ImageHDU


def extension_rows(
    recipe: AbstractRecipe, seed: int, rows: range, *, names: Sequence[str]
) -> Iterator[list["ImageHDU"]]:
    """Yield the extensions of each row, in the order of `names`.

    The rows are generated again, because a chunk holds the images alone.

    Args:
        recipe: Recipe of the rows.
        seed: Their seed.
        rows: Row numbers.
        names: Names among EXTENSIONS: "clean", the image without noise, float32 (H, W);
            "variance", that of the noise of each pixel, float32 (H, W); "masks", the pixels of
            each object in view, uint8 (N, H, W), with the cards KIND1 and SLOT1 for the first.
    """
    images = require_images(recipe, "extensions", remedy="write time series without extensions")
    for batch in ranges(rows, BATCH):
        index = torch.arange(batch.start, batch.stop, dtype=torch.int64, device="cpu")
        sample = generate(images, seed, index)
        columns = [_COLUMNS[name](sample) for name in names]
        yield from (list(row) for row in zip(*columns, strict=True))


def _clean(sample: Sample) -> list["ImageHDU"]:
    return [_image("CLEAN", clean, sample, unit="adu") for clean in sample.clean[:, 0]]


def _variance(sample: Sample) -> list["ImageHDU"]:
    variance = sample.recipe.degrade.variance(sample.clean[:, 0], sample.conditions)
    return [_image("VARIANCE", each, sample, unit="adu2") for each in variance]


def _image(name: str, pixels: Tensor, sample: Sample, *, unit: str) -> "ImageHDU":
    """Return an extension of the same form as the image, with its sky."""
    from astropy.io.fits import ImageHDU  # slow to import

    hdu = ImageHDU(pixels.numpy(), name=name)
    for card in sky_cards(sample.recipe):
        hdu.header[card.name] = (card.value, card.comment)
    hdu.header["BUNIT"] = unit
    return hdu


def _masks(sample: Sample) -> list["ImageHDU"]:
    from astropy.io.fits import ImageHDU  # slow to import

    found, classes = [], sample.recipe.kinds
    for row in target_rows(sample, ("masks", "labels", "slots")):
        masks: Any = row["masks"].numpy()
        hdu = ImageHDU(masks if len(masks) else None, name="MASKS")
        for plane, (label, slot) in enumerate(
            zip(row["labels"].tolist(), row["slots"].tolist(), strict=True), start=1
        ):
            hdu.header[f"KIND{plane}"] = (classes[label - 1], f"object of plane {plane}")
            hdu.header[f"SLOT{plane}"] = slot
        found.append(hdu)
    return found


_COLUMNS = {"clean": _clean, "variance": _variance, "masks": _masks}
