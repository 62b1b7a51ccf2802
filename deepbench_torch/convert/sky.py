"""Stars and galaxies of an old configuration; their x is the column and their angles radians."""

import math
from collections.abc import Callable

from deepbench_torch.convert.parameters import Parameters, Span
from deepbench_torch.convert.shapes import Frame, Object

BLUR = 0.7  # [pixel]; the released package blurs every object by it
LEAST_ALPHA = 1.01  # at 1, the released package's default, a star's light is infinite


def _centre(old: Parameters, frame: Frame, *, default: Span | float) -> dict[str, object]:
    return {
        "x": frame.column(old.number("center_x", default)),
        "y": frame.row(old.number("center_y", default)),
    }


def _noise(old: Parameters, *, usual: float) -> None:
    level = old.values.get("noise_level", old.values.get("noise", usual))
    old.given("noise_level")
    old.given("noise")
    if level:
        old.notes.append(
            f"{old.owner}.noise_level {level!r} is not carried over: Poisson numbers of that mean, "
            "the same in each image, added before the blur"
        )


def star(old: Parameters, frame: Frame, *, noise: float = 0.0) -> Object:
    """A Moffat profile; radius is its gamma."""
    _noise(old, usual=noise)
    alpha = old.number("alpha", 1.0)
    if alpha.low < LEAST_ALPHA:
        old.notes.append(
            f"{old.owner}.alpha {alpha.low:g} becomes {LEAST_ALPHA}: at 1 and below a star's light "
            "is infinite"
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
    """A Sersic profile."""
    _noise(old, usual=noise)
    return "galaxy", {
        **_centre(old, frame, default=5.0),
        "amplitude": old.number("amplitude", 1.0).plain,
        "radius": frame.length(old.number("radius", 25.0)),
        "n": old.number("n", 1.0).plain,
        "ellip": old.number("ellipse", Span(0.1, 0.9)).plain,
        "theta": old.number("theta", Span(-1.5, 1.5)).turned(math.pi).plain,
    }


def spiral(old: Parameters, frame: Frame, *, noise: float = 0.2) -> Object:
    """A spiral galaxy, of which the released package drew the arms by another formula."""
    _noise(old, usual=noise)
    for name in ("radius", "spiral_pitch", "n", "ellipse", "theta"):
        if old.given(name):
            old.notes.append(
                f"{old.owner}.{name} is not carried over: it belongs to the released package's own "
                "formula of the arms; here the default prior stands"
            )
    return "spiral", {
        **_centre(old, frame, default=(min(frame) - 1) / 2),
        "amplitude": old.number("amplitude", 1.0).plain,
        "arms": round(old.number("winding_number", 2.0).low),
        "width": frame.length(old.number("arm_thickness", 1.0)),
    }


SKY: dict[str, Callable[..., Object]] = {"star": star, "galaxy": galaxy, "spiral_galaxy": spiral}
ALONE = {"StarObject": "star", "GalaxyObject": "galaxy", "SpiralGalaxyObject": "spiral_galaxy"}
