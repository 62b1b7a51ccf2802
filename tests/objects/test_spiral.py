"""Spirals: the arms against the curve of the paper, sampled from its own formula."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from tests.cases import GRID, SPIRAL, Image, Values, tensors

BRIGHT: Values = {
    "x": 121.3, "y": 98.8, "amplitude": 1.0, "radius": 60.0, "arms": 2, "scale": 45.0, "bar": 0.8,
    "winding": 4.0, "width": 1.5, "theta": 0.0, "ellip": 0.0, "phase": 0.3, "core_amplitude": 0.0,
    "core_radius": 1.0, "core_ellip": 0.0,
}  # fmt: skip
WIDE = db.Grid(200, 240)
FORMS = {
    "typical": BRIGHT,
    "one wound arm": BRIGHT | {"arms": 1, "winding": 9.0, "bar": 1.0, "scale": 40.0},
    "three open arms": BRIGHT | {"arms": 3, "winding": 2.5, "bar": 0.25, "scale": 30.0},
    "four arms and no bar": BRIGHT | {"arms": 4, "winding": 3.0, "bar": 2.0, "scale": 60.0},
    "another phase": BRIGHT | {"winding": 6.0, "bar": 0.5, "phase": 1.4},
}
each_form = pytest.mark.parametrize("form", FORMS)
Points = NDArray[np.complex128]


class Arm(NamedTuple):
    """Points along an arm, in the plane of the disc from its centre, as complex numbers.

    Attributes:
        points: Where they are.
        across: Unit vectors across the arm.
        gap: How far the arms are apart there, from ridge to ridge.
    """

    points: Points
    across: Points
    gap: Image


def arm(p: Values, number: int) -> Arm:
    """Sampled from the paper's r(phi) = A / ln(B tan(phi / 2N)) and nothing else."""
    phi = np.linspace(0, 2 * p["winding"] * math.atan(1 / p["bar"]), 40_002)[1:-1]
    r = np.abs(p["scale"] / np.log(p["bar"] * np.tan(phi / (2 * p["winding"]))))
    points = r * np.exp(1j * (phi + p["phase"] + 2 * math.pi * number / p["arms"]))
    along = np.gradient(points, phi)
    across = 1j * along / np.abs(along)
    sine = np.abs((np.conj(along) * points).real) / np.abs(along) / r  # of the pitch
    return Arm(points, across, 2 * math.pi * r * sine / p["arms"])


def ridge(p: Values, number: int, *, widths: float, reach: float) -> Arm:
    """About 100 points where the arms lie many widths apart, up to some distance.

    Nearer to each other they have no ridge of their own.
    """
    whole = arm(p, number)
    apart = (whole.gap > widths * p["width"]) & (np.abs(whole.points) < reach)
    assert apart.sum() > 1000
    chosen = np.flatnonzero(apart)[:: apart.sum() // 100]
    return Arm(whole.points[chosen], whole.across[chosen], whole.gap[chosen])


def light_at(p: Values, points: Points) -> Image:
    """The light at any points of the disc's plane: each is drawn as the one pixel of an image."""
    seen = (points.real + 1j * points.imag * (1 - p["ellip"])) * np.exp(1j * p["theta"])
    batch = {
        name: torch.full((points.size,), value, dtype=torch.float64) for name, value in p.items()
    }
    batch |= {"x": -torch.tensor(seen.real.ravel()), "y": -torch.tensor(seen.imag.ravel())}
    image = OBJECTS["spiral"].render(batch, db.Grid(1, 1))
    return image.numpy().reshape(points.shape)


@each_form
def test_ridges_of_an_image_follow_the_curve_of_the_paper(form: str) -> None:
    """Across every arm of a noiseless face-on image, the light is largest on the curve.

    Half a pixel: the slope of the disc shifts a ridge by width^2 / radius, 0.04 pixels, the bend of
    the curve by about as much, and the image is read between its pixels by splines.
    """
    p = FORMS[form]
    image = OBJECTS["spiral"].render(tensors(p), WIDE)[0].numpy()
    offsets = np.linspace(-3, 3, 121)
    for number in range(int(p["arms"])):
        found = ridge(p, number, widths=10, reach=90)
        lines = found.points[:, None] + found.across[:, None] * offsets
        places = np.array([lines.imag + p["y"], lines.real + p["x"]])
        light = ndimage.map_coordinates(image, places, order=3)
        distance = np.abs(offsets[light.argmax(axis=1)])
        assert distance.max() < 0.5


@each_form
@pytest.mark.parametrize(("ellip", "theta"), [(0.0, 0.0), (0.4, 0.9)])
def test_light_on_the_curve_is_that_of_the_disc(form: str, ellip: float, theta: float) -> None:
    """Between the arms it is less, so this puts the ridges on the curve to the last digits.

    float64 knows an angle of up to 40 to 1e-14, and k (1 - cos) is its square.
    """
    p = FORMS[form] | {"ellip": ellip, "theta": theta}
    for number in range(int(p["arms"])):
        points = ridge(p, number, widths=3, reach=300).points
        disc = p["amplitude"] * np.exp(-np.abs(points) / p["radius"])
        np.testing.assert_allclose(light_at(p, points), disc, rtol=1e-10)


@each_form
@pytest.mark.parametrize("width", [0.4, 1.5])
def test_light_across_an_arm_is_a_gaussian_of_its_width(form: str, width: float) -> None:
    """ln(I) falls by t^2 / 2 width^2 at t from the ridge, on the mean of both sides.

    The mean rids it of the bend of arm and disc to first order. Where the arms are 30 widths apart
    the circle that stands for a line across falls short by 1 / 12k = 0.4 %.
    """
    p = FORMS[form] | {"width": width, "radius": 1e6}
    found = ridge(p, 0, widths=30, reach=300)
    for t in (0.5 * width, width):
        sides = [light_at(p, found.points + side * found.across) for side in (-t, 0, t)]
        fall = np.log(sides[1]) - (np.log(sides[0]) + np.log(sides[2])) / 2
        np.testing.assert_allclose(t / np.sqrt(2 * fall), width, rtol=0.02)


@pytest.mark.parametrize("arms", [1, 2, 3, 4, 5])
def test_a_circle_crosses_every_arm_once_and_evenly(arms: int) -> None:
    p = BRIGHT | {"arms": arms, "theta": 0.4, "ellip": 0.3}
    circle = 70 * np.exp(2j * math.pi * np.arange(3600) / 3600)
    light = light_at(p, circle)
    peaks = np.flatnonzero((light > np.roll(light, 1)) & (light >= np.roll(light, -1)))
    assert len(peaks) == arms
    np.testing.assert_allclose(np.diff(peaks), 3600 / arms, atol=1)  # a tenth of a degree


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_arms_are_copies_turned_evenly(arms: int) -> None:
    """Turning the phase by 2 pi / arms changes nothing, by half of that it does."""
    spiral = SPIRAL | {"arms": arms}
    image = OBJECTS["spiral"].render(tensors(spiral), GRID)
    turned = spiral | {"phase": spiral["phase"] + 2 * math.pi / arms}
    assert torch.allclose(OBJECTS["spiral"].render(tensors(turned), GRID), image, rtol=1e-10)
    half = spiral | {"phase": spiral["phase"] + math.pi / arms}
    assert not torch.allclose(OBJECTS["spiral"].render(tensors(half), GRID), image, rtol=0.1)


@pytest.mark.parametrize("ellip", [0.5, 0.75])
def test_inclination_squeezes_by_the_axis_ratio(ellip: float) -> None:
    """Row dy of the inclined disc is row dy / (1 - ellip) of the disc seen face-on."""
    face_on = SPIRAL | {"x": 11.3, "y": 20.0, "theta": 0.0, "ellip": 0.0, "core_ellip": 0.0}
    inclined = face_on | {"ellip": ellip, "core_ellip": ellip}
    wide = db.Grid(41, 23)
    squeeze = round(1 / (1 - ellip))
    reach = 20 // squeeze
    full = OBJECTS["spiral"].render(tensors(face_on), wide)[0]
    flat = OBJECTS["spiral"].render(tensors(inclined), wide)[0]
    rows = full[20 - reach * squeeze : 20 + reach * squeeze + 1 : squeeze]
    assert torch.allclose(flat[20 - reach : 20 + reach + 1], rows, rtol=1e-12)


def test_core_is_an_exponential_of_its_own_size() -> None:
    """With a dark disc there remains a galaxy of n = 1; its centre differs by 1e-6 pixels."""
    spiral = SPIRAL | {"amplitude": 0.0}
    galaxy = {name: spiral[name] for name in ("x", "y", "theta")} | {"n": 1.0}
    galaxy |= {name: spiral[f"core_{name}"] for name in ("amplitude", "radius", "ellip")}
    core = OBJECTS["galaxy"].render(tensors(galaxy), GRID)
    # b_1 is good to 5e-10 in either, in an exponent of up to 30
    assert torch.allclose(OBJECTS["spiral"].render(tensors(spiral), GRID), core, rtol=1e-8)
