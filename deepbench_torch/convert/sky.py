"""Conversion of the stars and galaxies of an old configuration.

Their x is the column and their angles are in radians, as in a recipe.
"""

import math
from collections.abc import Callable

from deepbench_torch.convert.parameters import Parameters, Span
from deepbench_torch.convert.shapes import Frame, Object

BLUR = 0.7  # sigma [pixel] of the blur of every object in the released package
LEAST_ALPHA = 1.01  # at 1, the default of the released package, the light of a star is infinite


def _centre(old: Parameters, frame: Frame, *, default: Span | float) -> dict[str, object]:
    return {
        "x": frame.column(old.number("center_x", default)),
        "y": frame.row(old.number("center_y", default)),
    }


def _note_noise(old: Parameters, *, default: float) -> None:
    level = old.values.get("noise_level", old.values.get("noise", default))
    old.is_set("noise_level")
    old.is_set("noise")
    if level:
        old.notes.append(
            f"{old.owner}.noise_level {level!r} is not converted: it added Poisson numbers of that "
            "mean before the blur, the same in each image"
        )


def star(old: Parameters, frame: Frame, *, noise: float = 0.0) -> Object:
    """Convert a star: a Moffat profile whose gamma is the old radius."""
    _note_noise(old, default=noise)
    alpha = old.number("alpha", 1.0)
    if alpha.low < LEAST_ALPHA:
        old.notes.append(
            f"{old.owner}.alpha {alpha.low:g} becomes {LEAST_ALPHA}: the light of a star is "
            "infinite at alpha <= 1"
        )
        alpha = Span(LEAST_ALPHA, max(alpha.high, LEAST_ALPHA))
    middle = (min(frame) - 1) / 2
    return "star", {
        **_centre(old, frame, default=middle),
        "amplitude": old.number("amplitude", 1.0).plain,
        "gamma": frame.length(old.number("radius", 1.0)),
        "alpha": alpha.plain,
    }


def galaxy(old: Parameters, frame: Frame, *, noise: float = 0.2) -> Object:
    """Convert a galaxy: a Sersic profile."""
    _note_noise(old, default=noise)
    return "galaxy", {
        **_centre(old, frame, default=5.0),
        "amplitude": old.number("amplitude", 1.0).plain,
        "radius": frame.length(old.number("radius", 25.0)),
        "n": old.number("n", 1.0).plain,
        "ellip": old.number("ellipse", Span(0.1, 0.9)).plain,
        "theta": old.number("theta", Span(-1.5, 1.5)).wrapped(math.pi).plain,
    }


def spiral(old: Parameters, frame: Frame, *, noise: float = 0.2) -> Object:
    """Convert a spiral galaxy; the released package rendered its arms by another formula."""
    _note_noise(old, default=noise)
    for name in ("radius", "spiral_pitch", "n", "ellipse", "theta"):
        if old.is_set(name):
            old.notes.append(
                f"{old.owner}.{name} is not converted: it belongs to the arm formula of the "
                "released package; the default prior is used"
            )
    return "spiral", {
        **_centre(old, frame, default=(min(frame) - 1) / 2),
        "amplitude": old.number("amplitude", 1.0).plain,
        "arms": round(old.number("winding_number", 2.0).low),
        "width": frame.length(old.number("arm_thickness", 1.0)),
    }


SKY: dict[str, Callable[..., Object]] = {"star": star, "galaxy": galaxy, "spiral_galaxy": spiral}
SINGLE_OBJECTS = {
    "StarObject": "star",
    "GalaxyObject": "galaxy",
    "SpiralGalaxyObject": "spiral_galaxy",
}
