"""Stars in FITS files, measured by photutils with what the headers say."""

import math
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from photutils.aperture import CircularAperture, SkyCircularAperture, aperture_photometry
from photutils.centroids import centroid_com

import deepbench_torch as db
from deepbench_torch.storage import verified

ROWS, RADIUS = 60, 5.0  # of the aperture [pixel]


def catalogue() -> db.Catalogue:
    objects = {
        "x": {"uniform": [0.4, 0.6]},
        "y": {"uniform": [0.4, 0.6]},
        "gamma": 0.06,
        "alpha": 3.0,
        "amplitude": {"log_uniform": [1.0, 20.0]},
    }
    recipe = db.load_recipe("star").replace(
        objects={"star": objects},
        image={"height": 40, "width": 50, "samples": 3},
        degrade={"gaussian": {"sigma": 0.02}},
    )
    return db.Catalogue(recipe, size=ROWS)


def test_fluxes_are_recovered_within_the_errors_of_the_header(tmp_path: Path) -> None:
    """Oracle: the closed form of the light in an aperture; chi squared over 60 stars.

    A circular aperture takes parts of pixels, so the light within it is known to 0.5 %.
    """
    path = db.materialize(catalogue(), tmp_path / "stars", format="fits", progress=False)
    pulls = []
    for file in sorted((path / "images").iterdir()):
        data, header = fits.getdata(file, header=True)
        star = {
            name: header[f"STAR 0 {name}"] for name in ("X", "Y", "AMPLITUDE", "GAMMA", "ALPHA")
        }
        aperture = CircularAperture((star["X"], star["Y"]), r=RADIUS)
        noise = np.maximum(data, 0) + header["SKY"]
        error = np.sqrt(noise / header["GAIN"] + header["RDNOISE"] ** 2)
        found = aperture_photometry(data.astype(float), aperture, error=error)[0]
        gamma, alpha = star["GAMMA"], star["ALPHA"]
        whole = math.pi * gamma**2 * star["AMPLITUDE"] / (alpha - 1)
        inside = whole * (1 - (1 + RADIUS**2 / gamma**2) ** (1 - alpha))
        spread = math.hypot(found["aperture_sum_err"], 0.005 * inside)
        pulls.append((found["aperture_sum"] - inside) / spread)
    assert abs(np.mean(pulls)) < 4 / math.sqrt(ROWS)
    assert 0.7 < np.std(pulls) < 1.3


def test_positions_count_from_zero(tmp_path: Path) -> None:
    """Oracle: the centre of mass by photutils, which counts from 0; without noise."""
    recipe = catalogue().recipe.replace(degrade=None)
    path = db.materialize(
        db.Catalogue(recipe, size=10), tmp_path / "stars", format="fits", progress=False
    )
    for file in sorted((path / "images").iterdir()):
        data, header = fits.getdata(file, header=True)
        row, column = round(header["STAR 0 Y"]), round(header["STAR 0 X"])
        stamp = data[row - 9 : row + 10, column - 9 : column + 10].astype(float)
        x, y = centroid_com(stamp)
        assert x + column - 9 == pytest.approx(header["STAR 0 X"], abs=0.15)
        assert y + row - 9 == pytest.approx(header["STAR 0 Y"], abs=0.15)
        assert "counted from 0" in str(header["COMMENT"])
        assert "GAIN" not in header


def test_series_have_no_cards_of_an_observation(tmp_path: Path) -> None:
    data = db.Catalogue("pendulum", size=2)
    path = db.materialize(data, tmp_path / "swing", format="fits", progress=False)
    header = fits.getheader(path / "series" / "000000.fits")
    assert not {"GAIN", "SKY", "RDNOISE", "PSFSIGMA"} & set(header)
    assert not {"BUNIT", "EXPTIME", "MAGZERO", "PIXSCALE", "CTYPE1", "WCSAXES"} & set(header)


def calibrated(tmp_path: Path, *, degrade: object = None, size: int = 12) -> Path:
    """Files of stars that hold almost all of their light in the frame."""
    star = {"x": {"uniform": [0.45, 0.55]}, "y": {"uniform": [0.45, 0.55]}, "gamma": 0.06,
            "alpha": 4.0, "amplitude": {"log_uniform": [1.0, 20.0]}}  # fmt: skip
    recipe = db.load_recipe("star").replace(
        objects={"star": star},
        image={"height": 60, "width": 84, "samples": 3},
        degrade=degrade,
        zero_point=26.5,
        pixel_scale=0.3,
    )
    data = db.Catalogue(recipe, size=size)
    return db.materialize(data, tmp_path / "stars", format="fits", progress=False)


def test_magnitudes_are_measured_as_the_header_states_them(tmp_path: Path) -> None:
    """Oracle: aperture photometry of isolated stars without noise, by the header's zero point."""
    for file in sorted((calibrated(tmp_path) / "images").iterdir()):
        with fits.open(file) as opened:
            opened.verify("exception")
            data, header = opened[0].data.astype(float), opened[0].header
        place = (header["STAR 0 X"], header["STAR 0 Y"])
        found = aperture_photometry(data, CircularAperture(place, r=24.0))["aperture_sum"][0]
        gamma, alpha = header["STAR 0 GAMMA"], header["STAR 0 ALPHA"]
        inside = 1 - (1 + 24.0**2 / gamma**2) ** (1 - alpha)
        assert found == pytest.approx(header["STAR 0 FLUX"] * inside, rel=1e-3)
        measured = header["MAGZERO"] - 2.5 * math.log10(found / header["EXPTIME"] / inside)
        assert measured == pytest.approx(header["STAR 0 MAGNITUDE"], abs=1e-3)
        assert header.comments["STAR 0 MAGNITUDE"] == "[mag]"
        half = data.max() / 2  # of the centre, to some per cent: pixels are averages
        assert header["STAR 0 FWHM"] == pytest.approx(
            2 * math.sqrt((data > half).sum() / math.pi), rel=0.2
        )


def test_the_world_coordinates_are_linear_and_in_the_middle(tmp_path: Path) -> None:
    """Oracle: astropy.wcs; pixels count from 0, the header from 1."""
    file = sorted((calibrated(tmp_path, size=1) / "images").iterdir())[0]
    header = fits.getheader(file)
    wcs = WCS(header)
    assert header["PIXSCALE"] == 0.3
    scales = proj_plane_pixel_scales(wcs) * units.deg
    np.testing.assert_allclose(scales.to_value(units.arcsec), 0.3, rtol=1e-12)
    middle = wcs.pixel_to_world((84 - 1) / 2, (60 - 1) / 2)
    assert middle.separation(SkyCoord(0 * units.deg, 0 * units.deg)) < 1e-9 * units.arcsec
    x, y = header["STAR 0 X"], header["STAR 0 Y"]
    sky = wcs.pixel_to_world(x, y)
    assert sky.ra.wrap_at("180d").arcsec == pytest.approx(-0.3 * (x - 41.5), abs=1e-6)
    assert sky.dec.arcsec == pytest.approx(0.3 * (y - 29.5), abs=1e-6)
    np.testing.assert_allclose(wcs.world_to_pixel(sky), (x, y), atol=1e-9)
    aperture = SkyCircularAperture(sky, r=2.4 * units.arcsec).to_pixel(wcs)
    assert aperture.r == pytest.approx(8.0, rel=1e-6)


def test_other_programs_know_the_unit(tmp_path: Path) -> None:
    path = calibrated(tmp_path, degrade={"gaussian": {"sigma": 0.02}}, size=2)
    image = CCDData.read(path / "images" / "000001.fits")
    assert image.unit == units.adu
    assert image.wcs.has_celestial
    assert len(db.StoredCatalogue(path)) == 2
    verified(path)


@pytest.mark.parametrize("key", ["zero_point", "pixel_scale"])
def test_headers_state_only_what_the_recipe_has(key: str, tmp_path: Path) -> None:
    recipe = db.load_recipe("sky").replace(**{key: 1.5})
    data = db.Catalogue(recipe, size=3, image_size=32)
    path = db.materialize(data, tmp_path / "sky", format="fits", progress=False)
    header = fits.getheader(path / "images" / "000000.fits")
    assert ("MAGZERO" in header) == (key == "zero_point")
    assert ("CTYPE1" in header) == ("PIXSCALE" in header) == (key == "pixel_scale")
    # the field is the same with pixels twice as wide
    if key == "zero_point":
        assert header["MAGZERO"] == pytest.approx(1.5 - 5 * math.log10(2))
    else:
        assert header["PIXSCALE"] == 3.0
    names = {card.split()[-1] for card in header if card}
    assert ("magnitude" in names) == (key == "zero_point")
    assert "flux" in names
