"""Reference renderers: each object rendered by independent software, in float64, one at a time.

They are the oracles of the tests and check any image independently; they are slow.
"""

from collections.abc import Callable

import numpy as np
from astropy.modeling.models import Moffat2D, Sersic2D
from matplotlib import patches
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.special import hyp2f1

from deepbench_torch.numerics.checks import nearest, real_tensor
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]
Offsets = NDArray[np.complex128]  # column and row from a centre [pixel]

_LARGE = 1e6  # [pixel]; replaces an infinite thickness


def render(kind: str, parameters: dict[str, float], grid: Grid) -> Image:
    """Render one object with an independent implementation.

    Args:
        kind: Key of `OBJECTS`.
        parameters: Every parameter of the kind, in pixels and radians.
        grid: Pixel centres of an H by W image.

    Returns:
        float64, shape (H, W).

    Raises:
        ValueError: If the kind is unknown, or a parameter is missing, unknown or out of range.
    """
    if kind not in RENDERERS:
        hint = nearest(kind, RENDERERS).strip() or "use one of them"
        raise ValueError(f"kind: expected one of {', '.join(RENDERERS)}, got {kind!r}; {hint}")
    OBJECTS[kind].check_names(parameters)
    parameters = OBJECTS[kind].in_units(parameters)
    for name, value in parameters.items():
        number = real_tensor(value, where=f"{kind}.{name}").double().flatten()
        if len(number) != 1:
            raise ValueError(
                f"{kind}.{name}: expected one number, got {len(number)}; render one object a call"
            )
        OBJECTS[kind].check(name, number.float())
    rows, columns = np.mgrid[: grid.height + 2 * grid.margin, : grid.width + 2 * grid.margin]
    return RENDERERS[kind](parameters, columns - float(grid.margin), rows - float(grid.margin))


def _star(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render astropy's Moffat profile."""
    model = Moffat2D(
        amplitude=p["amplitude"], x_0=p["x"], y_0=p["y"], gamma=p["gamma"], alpha=p["alpha"]
    )
    return np.asarray(model(x, y))


def _point(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render a point by numpy's histogram: all of its light in the pixel that has it."""
    columns, rows = (np.append(axis, axis[-1] + 1) - 0.5 for axis in (x[0], y[:, 0]))
    # a histogram closes its last interval at both ends
    ends = [np.append(edges, edges[-1] + 1) for edges in (rows, columns)]
    light = np.histogram2d([p["y"]], [p["x"]], bins=ends, weights=[p["flux"]])[0]
    return np.asarray(light[:-1, :-1])


def _galaxy(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render astropy's Sersic profile."""
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
    """Render disc and arms by the formula of the paper in complex numbers, with astropy's core.

    The pitch angle is a numerical derivative of r(phi), not the closed form.
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


def _lensed(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render astropy's Sersic profile at the positions in the source plane."""
    theta = (x - p["x"]) + 1j * (y - p["y"])
    shear = p["shear"] * np.exp(2j * p["shear_theta"])
    beta = theta - _deflection(theta, p) - shear * np.conj(theta)
    source = Sersic2D(
        amplitude=p["amplitude"],
        r_eff=p["radius"],
        n=p["n"],
        x_0=p["source_x"],
        y_0=p["source_y"],
        ellip=p["source_ellip"],
        theta=p["source_theta"],
    )
    return np.asarray(source(beta.real, beta.imag))


def _deflection(theta: Offsets, p: dict[str, float]) -> Offsets:
    """Return the deflection of an elliptical power law of index 1 by a hypergeometric function.

    Tessore & Metcalf (2015, A&A 580, A79), equation 13. At the centre it has no limit and is that
    along the major axis.
    """
    turn = np.exp(1j * p["theta"])
    q = 1 - p["ellip"]
    own = theta / turn
    elliptical = q * own.real + 1j * own.imag
    radius = np.abs(elliptical)
    phase = np.where(radius > 0, elliptical, 1) / np.where(radius > 0, radius, 1)
    ratio = (1 - q) / (1 + q)
    size = 2 * p["einstein_radius"] * np.sqrt(q) / (1 + q)
    return np.asarray(turn * size * phase * hyp2f1(1, 0.5, 1.5, -ratio * phase**2))


def arm_radius(phi: Image, p: dict[str, float]) -> Image:
    """Return |r(phi)| of Ringermacher & Mead (2009), for 0 < phi < 2N atan(1/B)."""
    return np.abs(p["scale"] / np.log(p["bar"] * np.tan(phi / (2 * p["winding"]))))


def _phase_on_arm(r: Image, p: dict[str, float]) -> Image:
    """Return the phi at which an arm passes r, by bisection of r(phi), which grows with phi."""
    low = np.zeros_like(r)
    high = np.full_like(r, 2 * p["winding"] * np.arctan(1 / p["bar"]))
    for _ in range(60):
        middle = (low + high) / 2
        with np.errstate(divide="ignore"):
            inside = arm_radius(middle, p) < r
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def _sine_of_pitch(phi: Image, p: dict[str, float]) -> Image:
    """Return the sine of the angle between arm and circle, by differences of ln r along the arm."""
    end = 2 * p["winding"] * np.arctan(1 / p["bar"])
    step = 1e-6 * np.minimum(phi, end - phi)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.log(arm_radius(phi + step, p)) - np.log(arm_radius(phi - step, p))
        tangent = rise / (2 * step)
    return np.where(np.isfinite(tangent), tangent / np.hypot(1, tangent), 1.0)


def _ellipse(p: dict[str, float], x: Image, y: Image) -> Image:
    """Evaluate the inequality, because matplotlib moves curves by up to 0.12 pixels."""
    turned = ((x - p["x"]) + 1j * (y - p["y"])) * np.exp(-1j * p["theta"])

    def within(width: float, height: float) -> Mask:
        if min(width, height) <= 0:
            return np.zeros(x.shape, dtype=bool)
        return np.asarray(np.hypot(turned.real / width, turned.imag / height) <= 0.5)

    inset = 2 * p["thickness"]
    hole = within(p["width"] - inset, p["height"] - inset)
    return _fill(within(p["width"], p["height"]) & ~hole, p)


def _circle(p: dict[str, float], x: Image, y: Image) -> Image:
    """Evaluate the inequality, as for an ellipse."""
    r = np.hypot(x - p["x"], y - p["y"])
    return _fill((r <= p["radius"]) & (r >= p["radius"] - p["thickness"]), p)


def _arc(p: dict[str, float], x: Image, y: Image) -> Image:
    """Evaluate the inequalities of the ring and of the polar angle."""
    angle = np.arctan2(y - p["y"], x - p["x"])
    return _circle(p, x, y) * (np.mod(angle - p["start"], 2 * np.pi) <= p["extent"])


def _rectangle(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render matplotlib's rectangle minus a smaller one."""

    def inset(by: float) -> Patch:
        width, height = p["width"] - 2 * by, p["height"] - 2 * by
        return patches.Rectangle(
            (p["x"] - width / 2, p["y"] - height / 2),
            width,
            height,
            angle=np.degrees(p["theta"]),
            rotation_point="center",
        )

    return _outline(inset, p, min(p["width"], p["height"]) / 2, x, y)


def _polygon(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render matplotlib's regular polygon minus a smaller one."""
    inradius_to_radius = 1 / np.cos(np.pi / p["vertices"])

    def inset(by: float) -> Patch:
        return patches.RegularPolygon(
            (p["x"], p["y"]),
            int(p["vertices"]),
            radius=p["radius"] - by * inradius_to_radius,
            orientation=p["theta"] - np.pi / 2,  # matplotlib's first vertex is on +y
        )

    return _outline(inset, p, p["radius"] / inradius_to_radius, x, y)


def _line(p: dict[str, float], x: Image, y: Image) -> Image:
    """Render matplotlib's polygon of the four corners."""
    start, end = complex(p["x0"], p["y0"]), complex(p["x1"], p["y1"])
    along = np.exp(1j * np.angle(end - start))
    across = 1j * along * min(p["thickness"], _LARGE) / 2
    corners = np.array([start - across, end - across, end + across, start + across])
    patch = patches.Polygon(np.stack([corners.real, corners.imag], axis=1))
    return _fill(_covers(patch, x, y), p)


def _outline(
    inset: Callable[[float], Patch], p: dict[str, float], inradius: float, x: Image, y: Image
) -> Image:
    """Render the area of `inset(0)` minus that of `inset(thickness)`, if it has any."""
    mask = _covers(inset(0.0), x, y)
    if p["thickness"] < inradius:
        mask &= ~_covers(inset(p["thickness"]), x, y)
    return _fill(mask, p)


def _covers(patch: Patch, x: Image, y: Image) -> Mask:
    path = patch.get_patch_transform().transform_path(patch.get_path())
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return np.asarray(path.contains_points(points)).reshape(x.shape)


def _fill(mask: Mask, p: dict[str, float]) -> Image:
    return np.where(mask, p["amplitude"], 0.0)


RENDERERS: dict[str, Callable[[dict[str, float], Image, Image], Image]] = {
    "star": _star,
    "point": _point,
    "galaxy": _galaxy,
    "spiral": _spiral,
    "lensed": _lensed,
    "ellipse": _ellipse,
    "circle": _circle,
    "rectangle": _rectangle,
    "polygon": _polygon,
    "arc": _arc,
    "line": _line,
}
