"""Reference renderers: the same parameters drawn by other software, in float64, one at a time.

They are the oracles of the tests and the means to check an image independently; they are slow.
"""

from collections.abc import Callable

import numpy as np
from astropy.modeling.models import Moffat2D, Sersic2D
from numpy.typing import NDArray

from deepbench_torch.grid import Grid

Image = NDArray[np.float64]


def render(kind: str, parameters: dict[str, float], grid: Grid) -> Image:
    """One object drawn by an independent implementation.

    Args:
        kind: A key of `OBJECTS`.
        parameters: Every parameter of the kind, in pixels and radians.
        grid: Pixel centres of an H by W image.

    Returns:
        float64, shape (H, W).

    Raises:
        ValueError: If the kind has no reference renderer.
    """
    if kind not in RENDERERS:
        raise ValueError(f"no reference renderer for {kind!r}; there is {', '.join(RENDERERS)}")
    rows, columns = np.mgrid[: grid.height + 2 * grid.margin, : grid.width + 2 * grid.margin]
    return RENDERERS[kind](parameters, columns - float(grid.margin), rows - float(grid.margin))


def _star(p: dict[str, float], x: Image, y: Image) -> Image:
    """The Moffat profile of astropy."""
    model = Moffat2D(
        amplitude=p["amplitude"], x_0=p["x"], y_0=p["y"], gamma=p["gamma"], alpha=p["alpha"]
    )
    return np.asarray(model(x, y))


def _galaxy(p: dict[str, float], x: Image, y: Image) -> Image:
    """The Sersic profile of astropy."""
    model = Sersic2D(
        amplitude=p["amplitude"],
        r_eff=p["radius"],
        n=p["n"],
        x_0=p["x"],
        y_0=p["y"],
        ellip=p["ellip"],
        theta=p["theta"],
    )
    return np.asarray(model(x, y))


def _spiral(p: dict[str, float], x: Image, y: Image) -> Image:
    """Disc and arms from the formula as printed in the paper, by complex numbers; astropy's core.

    The pitch angle is found by differentiating r(phi) numerically, not from its closed form.
    """
    frame = ((x - p["x"]) + 1j * (y - p["y"])) * np.exp(-1j * p["theta"])
    disc = frame.real + 1j * frame.imag / (1 - p["ellip"])
    r = np.abs(disc)
    phi = _phase_on_arm(r, p)
    arms = p["arms"]
    k = (r * _sine_of_pitch(phi, p) / (arms * p["width"])) ** 2
    turn = np.real((disc / np.where(r > 0, r, 1) * np.exp(-1j * (p["phase"] + phi))) ** arms)
    light = p["amplitude"] * np.exp(-r / p["radius"] - k * (1 - turn))
    core = Sersic2D(
        amplitude=p["core_amplitude"],
        r_eff=p["core_radius"],
        n=1,
        x_0=p["x"],
        y_0=p["y"],
        ellip=p["core_ellip"],
        theta=p["theta"],
    )
    return np.asarray(light + core(x, y))


def arm_radius(phi: Image, p: dict[str, float]) -> Image:
    """The size of r(phi) of Ringermacher & Mead (2009), for 0 < phi < 2N atan(1/B)."""
    return np.abs(p["scale"] / np.log(p["bar"] * np.tan(phi / (2 * p["winding"]))))


def _phase_on_arm(r: Image, p: dict[str, float]) -> Image:
    """The phi at which an arm passes r, by bisection of r(phi), which grows with phi."""
    low = np.zeros_like(r)
    high = np.full_like(r, 2 * p["winding"] * np.arctan(1 / p["bar"]))
    for _ in range(60):
        middle = (low + high) / 2
        with np.errstate(divide="ignore"):
            inside = arm_radius(middle, p) < r
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def _sine_of_pitch(phi: Image, p: dict[str, float]) -> Image:
    """The sine of the angle between arm and circle, from differences of ln r along the arm."""
    end = 2 * p["winding"] * np.arctan(1 / p["bar"])
    step = 1e-6 * np.minimum(phi, end - phi)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.log(arm_radius(phi + step, p)) - np.log(arm_radius(phi - step, p))
        tangent = rise / (2 * step)
    return np.where(np.isfinite(tangent), tangent / np.hypot(1, tangent), 1.0)


RENDERERS: dict[str, Callable[[dict[str, float], Image, Image], Image]] = {
    "star": _star,
    "galaxy": _galaxy,
    "spiral": _spiral,
}
