"""Stars in FITS files, measured by photutils with what the headers say."""

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.centroids import centroid_com

import deepbench_torch as db

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


def test_places_count_from_zero(tmp_path: Path) -> None:
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
