"""Shapes of an old configuration.

The released package gives points as (row, column) of the array and turns from the rows toward the
columns, in degrees; a recipe has (column, row) and turns from the columns toward the rows.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from deepbench_torch.convert.parameters import Parameters, Span

DEGREE = math.pi / 180
MIDDLE = Span(10, 15)  # [pixel]; the ranges of what is left out are those of the released package
SIDE = Span(10, 15)  # [pixel]
Object = tuple[str, dict[str, object]]


class Frame(NamedTuple):
    """The size of the images [pixel]."""

    height: int
    width: int

    def column(self, pixel: Span) -> object:
        """A column as a fraction of the width."""
        return pixel.linear(1 / self.width, 0.5 / self.width).plain

    def row(self, pixel: Span) -> object:
        """A row as a fraction of the height."""
        return pixel.linear(1 / self.height, 0.5 / self.height).plain

    def length(self, pixel: Span) -> object:
        """A length as a fraction of the shorter side."""
        return pixel.linear(1 / min(self)).plain


def _centre(old: Parameters, frame: Frame) -> dict[str, object]:
    row, column = old.pair("center", MIDDLE)
    return {"x": frame.column(column), "y": frame.row(row)}


def _stroke(old: Parameters, frame: Frame) -> dict[str, object]:
    """The thickness of an outline; endless for a filled shape."""
    width = old.number("line_width", 1.0)
    return {"thickness": math.inf if old.flag("fill", False) else frame.length(width)}


def _turned(angle: Span, period: float) -> object:
    """Degrees from the rows toward the columns as radians from the columns toward the rows."""
    return angle.linear(-DEGREE, math.pi / 2).turned(period).plain


def rectangle(old: Parameters, frame: Frame) -> Object:
    """A rectangle; the released package adds the line's width to both sides."""
    stroke = old.number("line_width", 1.0)
    sides = {name: old.number(name, SIDE).linear(1, stroke.middle) for name in ("width", "height")}
    angle = old.number("angle", 0.0)
    if angle != (0, 0):
        old.notes.append(
            f"{old.owner}.angle turns the rectangle about its centre; the released package turned "
            "it about its corner, which moved it"
        )
    return "rectangle", {
        **_centre(old, frame),
        **{name: frame.length(side) for name, side in sides.items()},
        "theta": _turned(angle, math.pi),
        **_stroke(old, frame),
        "amplitude": 1.0,
    }


def ellipse(old: Parameters, frame: Frame) -> Object:
    """An ellipse, or a circle where its axes are the same; whole pixels, rounded up."""
    axes = [old.number(name, SIDE) for name in ("width", "height")]
    width, height = (Span(math.ceil(axis.low), math.ceil(axis.high)) for axis in axes)
    angle = old.number("angle", 0.0)
    common = {**_centre(old, frame), **_stroke(old, frame), "amplitude": 1.0}
    if width == height and width.low == width.high:
        return "circle", {"radius": frame.length(width.linear(0.5)), **common}
    return "ellipse", {
        "width": frame.length(width),
        "height": frame.length(height),
        "theta": _turned(angle, math.pi),
        **common,
    }


def polygon(old: Parameters, frame: Frame) -> Object:
    """A regular polygon."""
    vertices = round(old.number("vertices", 3.0).low)
    old.notes.append(
        f"{old.owner} is drawn round its center and turned by degrees, as the released package "
        "says; its code moved the centre by radius / vertices / 2 and took the angle for radians"
    )
    return "polygon", {
        **_centre(old, frame),
        "radius": frame.length(old.number("radius", Span(8, 12))),
        "vertices": vertices,
        "theta": old.number("angle", Span(20, 90))
        .linear(-DEGREE)
        .turned(2 * math.pi / max(vertices, 1))
        .plain,
        **_stroke(old, frame),
        "amplitude": 1.0,
    }


def arc(old: Parameters, frame: Frame) -> Object:
    """An arc; what runs from theta1 to theta2 there runs from theta2 to theta1 here."""
    first, second = old.number("theta1", Span(0, 45)), old.number("theta2", Span(85, 120))
    extent = Span(second.low - first.high, second.high - first.low)
    if first.low != first.high or second.low != second.high:
        old.notes.append(f"{old.owner}: theta1 and theta2 vary together as start and extent")
    if extent.low == extent.high:  # beyond a full turn matplotlib goes on from the start
        whole = extent.low % 360
        extent = Span(whole or 360.0, whole or 360.0)
    return "arc", {
        **_centre(old, frame),
        "radius": frame.length(old.number("radius", Span(8, 12))),
        "start": _turned(second, 2 * math.pi),
        "extent": extent.linear(DEGREE).plain,
        "thickness": frame.length(old.number("line_width", 1.0)),
        "amplitude": 1.0,
    }


def line(old: Parameters, frame: Frame) -> Object:
    """A straight line."""
    (row0, column0), (row1, column1) = old.pair("start", Span(0, 9)), old.pair("end", Span(12, 27))
    if column1.middle < column0.middle:
        old.notes.append(
            f"{old.owner} runs from its start to its end; the released package drew lines of this "
            "slope mirrored"
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
