"""Conversion of the shapes of an old configuration.

The released package writes points as (row, column) and measures angles from the rows toward the
columns, in degrees. A recipe writes (column, row) and measures from the columns toward the rows,
in radians.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from deepbench_torch.convert.parameters import Parameters, Span

DEGREE = math.pi / 180
MIDDLE = Span(10, 15)  # [pixel]; default ranges are those of the released package
SIDE = Span(10, 15)  # [pixel]
Object = tuple[str, dict[str, object]]


class Frame(NamedTuple):
    """Size of the images [pixel]."""

    height: int
    width: int

    def column(self, pixel: Span) -> object:
        """Return a column as a fraction of the width."""
        return pixel.linear(1 / self.width, 0.5 / self.width).plain

    def row(self, pixel: Span) -> object:
        """Return a row as a fraction of the height."""
        return pixel.linear(1 / self.height, 0.5 / self.height).plain

    def length(self, pixel: Span) -> object:
        """Return a length as a fraction of the shorter side."""
        return pixel.linear(1 / min(self)).plain


def _centre(old: Parameters, frame: Frame) -> dict[str, object]:
    row, column = old.pair("center", MIDDLE)
    return {"x": frame.column(column), "y": frame.row(row)}


def _stroke(old: Parameters, frame: Frame) -> dict[str, object]:
    """Return the thickness of an outline; infinite for a filled shape."""
    width = old.number("line_width", 1.0)
    return {"thickness": math.inf if old.flag("fill", False) else frame.length(width)}


def _recipe_angle(angle: Span, period: float) -> object:
    """Convert degrees from the rows to radians from the columns."""
    return angle.linear(-DEGREE, math.pi / 2).wrapped(period).plain


def rectangle(old: Parameters, frame: Frame) -> Object:
    """Convert a rectangle; the released package adds the line width to both sides."""
    stroke = old.number("line_width", 1.0)
    sides = {name: old.number(name, SIDE).linear(1, stroke.middle) for name in ("width", "height")}
    angle = old.number("angle", 0.0)
    if angle != (0, 0):
        old.notes.append(
            f"{old.owner}.angle rotates the rectangle about its centre; the released package "
            "rotated it about its corner, which moved it"
        )
    return "rectangle", {
        **_centre(old, frame),
        **{name: frame.length(side) for name, side in sides.items()},
        "theta": _recipe_angle(angle, math.pi),
        **_stroke(old, frame),
        "amplitude": 1.0,
    }


def ellipse(old: Parameters, frame: Frame) -> Object:
    """Convert an ellipse, or a circle if both axes are equal; axes are rounded up to pixels."""
    axes = [old.number(name, SIDE) for name in ("width", "height")]
    width, height = (Span(math.ceil(axis.low), math.ceil(axis.high)) for axis in axes)
    angle = old.number("angle", 0.0)
    common = {**_centre(old, frame), **_stroke(old, frame), "amplitude": 1.0}
    if width == height and width.low == width.high:
        return "circle", {"radius": frame.length(width.linear(0.5)), **common}
    return "ellipse", {
        "width": frame.length(width),
        "height": frame.length(height),
        "theta": _recipe_angle(angle, math.pi),
        **common,
    }


def polygon(old: Parameters, frame: Frame) -> Object:
    """Convert a regular polygon."""
    vertices = round(old.number("vertices", 3.0).low)
    old.notes.append(
        f"{old.owner} has its centre at center and its angle in degrees, as the released package "
        "documents; its code moved the centre by radius / vertices / 2 and read radians"
    )
    return "polygon", {
        **_centre(old, frame),
        "radius": frame.length(old.number("radius", Span(8, 12))),
        "vertices": vertices,
        "theta": old.number("angle", Span(20, 90))
        .linear(-DEGREE)
        .wrapped(2 * math.pi / max(vertices, 1))
        .plain,
        **_stroke(old, frame),
        "amplitude": 1.0,
    }


def arc(old: Parameters, frame: Frame) -> Object:
    """Convert an arc; it starts at theta2, because a recipe measures angles the other way."""
    first, second = old.number("theta1", Span(0, 45)), old.number("theta2", Span(85, 120))
    extent = Span(second.low - first.high, second.high - first.low)
    if first.low != first.high or second.low != second.high:
        old.notes.append(f"{old.owner}: theta1 and theta2 vary together as start and extent")
    if extent.low == extent.high:  # beyond a full turn matplotlib starts again
        degrees = extent.low % 360 or 360.0
        extent = Span(degrees, degrees)
    return "arc", {
        **_centre(old, frame),
        "radius": frame.length(old.number("radius", Span(8, 12))),
        "start": _recipe_angle(second, 2 * math.pi),
        "extent": extent.linear(DEGREE).plain,
        "thickness": frame.length(old.number("line_width", 1.0)),
        "amplitude": 1.0,
    }


def line(old: Parameters, frame: Frame) -> Object:
    """Convert a straight line."""
    (row0, column0), (row1, column1) = old.pair("start", Span(0, 9)), old.pair("end", Span(12, 27))
    if column1.middle < column0.middle:
        old.notes.append(
            f"{old.owner} runs from its start to its end; the released package mirrored lines of "
            "this slope"
        )
    return "line", {
        "x0": frame.column(column0),
        "y0": frame.row(row0),
        "x1": frame.column(column1),
        "y1": frame.row(row1),
        "thickness": frame.length(old.number("line_width", 1.0)),
        "amplitude": 1.0,
    }


SHAPES: dict[str, Callable[[Parameters, Frame], Object]] = {
    "rectangle": rectangle,
    "ellipse": ellipse,
    "polygon": polygon,
    "arc": arc,
    "line": line,
}
