"""Extensions of FITS files: the clean image, the variance and the masks beside the image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from photutils.aperture import CircularAperture, aperture_photometry
from typer.testing import CliRunner

import deepbench_torch as db
from deepbench_torch.cli import app
from deepbench_torch.storage import append, describe, reproduce, verified

ALL = ("clean", "variance", "masks")


def catalogue(name: str = "sky", size: int = 8) -> db.Catalogue:
    recipe = db.load_recipe(name).replace(zero_point=25.0, pixel_scale=0.2)
    return db.Catalogue(recipe, size=size, seed=3, image_size=(24, 31))


def write(path: Path, data: db.Catalogue, **options: Any) -> Path:
    chosen: dict[str, Any] = {"format": "fits", "progress": False, "extensions": ALL, **options}
    return db.materialize(data, path / "c", **chosen)


def test_extensions_hold_the_truth_of_the_row(tmp_path: Path) -> None:
    """Oracle: targets of the catalogue, and the variance that the recipe states."""
    data = catalogue()
    path = write(tmp_path, data)
    sample = data.samples(range(8))
    targets = db.Catalogue(data.recipe, size=8, seed=3, target=["masks", "labels", "slots"])
    for row in range(8):
        with fits.open(path / "images" / f"{row:06d}.fits") as file:
            file.verify("exception")
            assert [hdu.name for hdu in file] == ["PRIMARY", "CLEAN", "VARIANCE", "MASKS"]
            assert file[0].header["NEXTEND"] == 3
            np.testing.assert_array_equal(file[0].data, sample.data[row, 0])
            np.testing.assert_array_equal(file["CLEAN"].data, sample.clean[row, 0])
            exposure = file[0].header["GAIN"]
            noise = (file["CLEAN"].data + file[0].header["SKY"]) / exposure
            np.testing.assert_allclose(file["VARIANCE"].data, noise, rtol=1e-5)
            _, target = targets[row]
            planes = target["masks"].numpy()
            masks = np.zeros((0, 24, 31)) if file["MASKS"].data is None else file["MASKS"].data
            np.testing.assert_array_equal(masks, planes)
            for plane, (label, slot) in enumerate(
                zip(target["labels"].tolist(), target["slots"].tolist(), strict=True), start=1
            ):
                assert file["MASKS"].header[f"KIND{plane}"] == data.classes[label - 1]
                assert file["MASKS"].header[f"SLOT{plane}"] == slot


def test_other_programs_read_the_extensions(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue()) / "images" / "000000.fits"
    clean = CCDData.read(path, hdu="CLEAN")
    assert clean.unit == units.adu
    variance = CCDData.read(path, hdu="VARIANCE")
    assert variance.unit == units.adu**2
    primary = WCS(fits.getheader(path))
    for image in (clean, variance):
        assert image.wcs.wcs.compare(primary.wcs)


def test_the_variance_gives_the_errors_of_apertures(tmp_path: Path) -> None:
    """Oracle: the scatter of 60 sums of light about those without noise, in their errors."""
    recipe = db.load_recipe("star").replace(degrade={"gaussian": {"sigma": 0.05}})
    path = write(tmp_path, db.Catalogue(recipe, size=60), extensions=("variance", "clean"))
    pulls = []
    for file in sorted((path / "images").iterdir()):
        with fits.open(file) as opened:
            image, clean = opened[0].data, opened["CLEAN"].data
            error = np.sqrt(opened["VARIANCE"].data)
        aperture = CircularAperture((13.5, 13.5), r=8.0)
        noisy = aperture_photometry(image.astype(float), aperture, error=error)[0]
        truth = aperture_photometry(clean.astype(float), aperture)[0]["aperture_sum"]
        pulls.append((noisy["aperture_sum"] - truth) / noisy["aperture_sum_err"])
    assert abs(np.mean(pulls)) < 4 / np.sqrt(60)
    assert 0.7 < np.std(pulls) < 1.3


def test_our_reader_reads_them_and_they_are_made_again(tmp_path: Path) -> None:
    data = catalogue()
    path = write(tmp_path, data)
    stored = db.StoredCatalogue(path)
    expected = data.samples(range(8)).data
    assert torch.equal(torch.stack([stored[row][0] for row in range(8)]), expected)
    assert describe(path).options == {"extensions": ALL}
    verified(path)
    assert reproduce(path).same == "pixels"
    append(path, 2, progress=False)
    assert len(db.StoredCatalogue(path)) == 10
    with fits.open(path / "images" / "000009.fits") as file:
        assert len(file) == 4


def test_files_without_extensions_are_the_same_bytes(tmp_path: Path) -> None:
    first = write(tmp_path / "a", catalogue(), extensions=())
    second = db.materialize(catalogue(), tmp_path / "b" / "c", format="fits", progress=False)
    for file in sorted((first / "images").iterdir()):
        assert file.read_bytes() == (second / "images" / file.name).read_bytes()
        assert "NEXTEND" not in fits.getheader(file)
    assert "extensions" not in (first / "metadata.json").read_text()


def test_an_image_without_objects_has_no_plane(tmp_path: Path) -> None:
    recipe = db.load_recipe("star").replace(count=0, label="present")
    path = write(tmp_path, db.Catalogue(recipe, size=1))
    with fits.open(path / "images" / "000000.fits") as file:
        file.verify("exception")
        assert file["MASKS"].data is None


def test_more_bytes_than_the_header_states_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, catalogue(), extensions=())
    file = path / "images" / "000001.fits"
    file.write_bytes(file.read_bytes() + bytes(2880))
    with pytest.raises(ValueError, match="bytes of data in complete blocks"):
        db.StoredCatalogue(path)[1]


def test_the_command_line_writes_them(tmp_path: Path) -> None:
    arguments = ["generate", "star", str(tmp_path), "--size", "2", "--format", "fits", "--no-card"]
    more = ["--extension", "clean", "--extension", "masks", "--quiet"]
    result = CliRunner().invoke(app, [*arguments, *more])
    assert result.exit_code == 0, result.output
    with fits.open(tmp_path / "star" / "images" / "000000.fits") as file:
        assert [hdu.name for hdu in file] == ["PRIMARY", "CLEAN", "MASKS"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extensions": ("noise",)}, r"expected names among clean, variance, masks, got \('noise'"),
        ({"extensions": "noise"}, "expected names among clean, variance, masks, got 'noise'"),
        ({"extensions": (3,)}, "expected names among clean"),
        ({"extensions": None}, "expected names among clean, variance, masks, got None"),
        ({"extensions": ("clean", "clean")}, "expected each once"),
        ({"format": "h5"}, "expected none for format 'h5', got .* with format=\"fits\""),
        ({"format": None}, "expected none for format 'h5'"),
        ({"format": "npy"}, "expected none for format 'npy'"),
        ({"format": "jpeg"}, "expected none for format 'jpeg'"),
    ],
)
def test_wrong_extensions_are_refused(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=rf"^extensions: {message}"):
        write(tmp_path, catalogue(), **options)
    assert not list(tmp_path.iterdir())


def test_series_and_collections_have_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected none for time series"):
        write(tmp_path, db.Catalogue("pendulum", size=2))
    both = db.Collection([catalogue()])
    with pytest.raises(ValueError, match="expected none for format 'h5'"):
        db.materialize(both, tmp_path / "c", extensions=ALL, progress=False)
