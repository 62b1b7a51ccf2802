"""The table of objects that the laws of `objects/test_laws.py` are held against.

A new kind needs its rows in `CASES`, the first of them typical: nothing at an end of its range.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.numerics import rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.kind import ObjectKind

Image = NDArray[np.float64]
Values = dict[str, float]
GRID = db.Grid(17, 23)  # never square, and odd, so that vector loops have a rest


class Case(NamedTuple):
    """An object to be drawn and what is known of it.

    Attributes:
        name: Its kind.
        label: What is special about it.
        parameters: In pixels and radians.
        rtol: How closely the image in float64 follows the reference, relative to each pixel.
        single: How closely that in float32 does, relative to each pixel.
        smooth: The parameters by which every pixel is differentiable; None for all of them. Edges
            that are steps leave the amplitude alone.
    """

    name: str
    label: str
    parameters: Values
    rtol: float = 1e-5
    single: float = 1e-4
    smooth: tuple[str, ...] | None = None

    @property
    def kind(self) -> ObjectKind[Any]:
        return OBJECTS[self.name]


STAR: Values = {"x": 13.0, "y": 9.5, "amplitude": 2.0, "gamma": 1.7, "alpha": 2.5}
GALAXY: Values = {
    "x": 10.3, "y": 7.6, "amplitude": 1.5, "radius": 3.0, "n": 1.2, "ellip": 0.4, "theta": 0.7,
}  # fmt: skip
SPIRAL: Values = {
    "x": 11.3, "y": 8.6, "amplitude": 2.0, "radius": 4.5, "arms": 2, "scale": 2.2, "bar": 0.8,
    "winding": 4.0, "width": 1.1, "theta": 0.6, "ellip": 0.3, "phase": 0.4, "core_amplitude": 0.5,
    "core_radius": 1.3, "core_ellip": 0.2,
}  # fmt: skip
LENSED: Values = {
    "x": 11.3, "y": 8.6, "einstein_radius": 5.2, "ellip": 0.3, "theta": 0.7, "shear": 0.06,
    "shear_theta": 1.9, "source_x": 0.5, "source_y": -0.7, "amplitude": 1.5, "radius": 1.6,
    "n": 1.2, "source_ellip": 0.3, "source_theta": 0.4,
}  # fmt: skip

# At 2n = 20 torch's incomplete gamma function takes another series and b_n jumps by 5e-10 of
# itself: too little to be seen, but not by a difference over 1e-6.
WITHOUT_N = tuple(name for name in GALAXY if name != "n")


def star(label: str, **changes: float) -> Case:
    return Case("star", label, STAR | changes)


def galaxy(label: str, *, smooth: tuple[str, ...] | None = None, **changes: float) -> Case:
    return Case("galaxy", label, GALAXY | changes, smooth=smooth)


def spiral(label: str, **changes: float) -> Case:
    smooth = tuple(name for name in SPIRAL if name != "arms")  # a number of arms is whole
    return Case("spiral", label, SPIRAL | changes, smooth=smooth)


def lensed(label: str, **changes: float) -> Case:
    return Case("lensed", label, LENSED | changes)


# Outlines, so that every size shows; no pixel centre of GRID lies within 0.001 pixel of an edge.
SHAPES: dict[str, Values] = {
    "ellipse": {
        "x": 11.3, "y": 8.1, "width": 13.3, "height": 7.1, "theta": 0.43, "thickness": 1.37,
        "amplitude": 0.8,
    },
    "circle": {"x": 11.3, "y": 8.1, "radius": 5.27, "thickness": 1.37, "amplitude": 0.8},
    "rectangle": {
        "x": 11.3, "y": 8.1, "width": 11.3, "height": 7.1, "theta": 0.43, "thickness": 1.37,
        "amplitude": 0.8,
    },
    "polygon": {
        "x": 11.3, "y": 8.1, "radius": 6.23, "vertices": 5, "theta": 0.43, "thickness": 1.37,
        "amplitude": 0.8,
    },
    "arc": {
        "x": 11.3, "y": 8.1, "radius": 6.23, "start": 0.43, "extent": 2.2, "thickness": 1.87,
        "amplitude": 0.8,
    },
    "line": {
        "x0": 4.3, "y0": 4.1, "x1": 17.2, "y1": 11.7, "thickness": 1.87, "amplitude": 0.8,
    },
}  # fmt: skip


def shape(name: str, label: str, **changes: float) -> Case:
    return Case(name, label, SHAPES[name] | changes, rtol=0, single=1e-7, smooth=("amplitude",))


# Stars and galaxies follow astropy to float64 but for two small numbers: 1e-12 pixel^2, added to
# squared radii for the sake of the gradient, and the 5e-10 in b_n; at a tenth of a pixel from the
# centre of a steep galaxy they come to less than 1e-8, and 1e-5 leaves room for other versions.
# The reference of the spiral takes the pitch from differences of r(phi): 1e-8 near an arm's end.
# In single precision an exponent of up to 70 is rounded a few times by 2**-24 of itself: 4e-5.
CASES = [
    Case("point", "typical", {"x": 9.3, "y": 7.8, "flux": 3.0}, smooth=("flux",)),
    Case("point", "beyond the frame", {"x": -6.2, "y": 25.0, "flux": 3.0}, smooth=("flux",)),
    star("typical"),
    star("on a pixel", y=9.0),
    star("in the corner", x=0.0, y=0.0),
    star("beyond the frame", x=-6.2, y=25.0),
    star("of barely finite light", alpha=1.001),
    star("steep and narrow", gamma=0.2, alpha=8.0),
    star("wide", gamma=40.0),
    star("dark", amplitude=0.0),
    galaxy("typical"),
    galaxy("on a pixel", x=10.0, y=7.0),
    galaxy("on a pixel and steep", x=0.0, y=0.0, n=4.0),
    galaxy("beyond the frame", x=30.1, y=-4.0, n=2.0),
    galaxy("flattest", n=0.4),
    galaxy("Gaussian", n=0.5),
    galaxy("of de Vaucouleurs", n=4.0),
    galaxy("steep", n=9.8),
    galaxy("steepest", n=10.0, smooth=WITHOUT_N),
    galaxy("round", ellip=0.0),
    galaxy("edge-on", ellip=0.9, theta=2.5),
    galaxy("steep and edge-on", n=9.8, ellip=0.9, theta=math.pi),
    galaxy("small", radius=0.4),
    spiral("typical"),
    spiral("on a pixel", x=11.0, y=8.0),
    spiral("on a pixel and unturned", x=11.0, y=8.0, theta=0.0),
    spiral("face-on", ellip=0.0, core_ellip=0.0),
    spiral("edge-on", ellip=0.9, core_ellip=0.9),
    spiral("tightly wound", winding=9.0, scale=3.6),
    spiral("with a large bar", bar=0.25, arms=3),
    spiral("with a small bar", bar=2.0, arms=4),
    spiral("with thin arms", width=0.4),
    spiral("with one arm", arms=1),
    spiral("beyond the frame", x=-3.0, y=19.2),
    lensed("typical"),
    lensed("by a sphere", ellip=0.0),
    lensed("without shear", shear=0.0),
    lensed("by a sphere without shear", ellip=0.0, shear=0.0),
    lensed("by a nearly round mass", ellip=1e-6),
    lensed("by a flat mass", ellip=0.9, theta=2.5),
    lensed("in a strong shear", shear=0.7),
    lensed("into a ring", ellip=0.0, shear=0.0, source_x=0.0, source_y=0.0, source_ellip=0.0),
    lensed("into a small image", source_x=9.0, source_y=4.0),
    lensed("beyond the frame", x=-6.2, y=25.0),
    lensed("steep and edge-on", n=4.0, source_ellip=0.9),
    lensed("dark", amplitude=0.0),
    *(shape(name, "typical") for name in SHAPES),
    *(shape(name, "solid", thickness=math.inf) for name in SHAPES if name != "line"),
    *(shape(name, "dark", amplitude=0.0) for name in SHAPES),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.label}")
each_object = pytest.mark.parametrize("name", OBJECTS)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])


def tensors(parameters: Values, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """A batch of one."""
    return {name: torch.tensor([value], dtype=dtype) for name, value in parameters.items()}


def typical(name: str) -> Case:
    """The first case of a kind."""
    return next(case for case in CASES if case.name == name)


def drawn(name: str, count: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Objects of the default priors in the frame of `GRID`, and all cases of the kind."""
    kind = OBJECTS[name]
    u = rng.uniform(0, kind.parameters, torch.arange(count), 1)[..., 0]
    sizes = {"column": GRID.width, "row": GRID.height, "length": GRID.shorter}
    parameters = {}
    for place, (parameter, prior) in enumerate(kind.prior.items()):
        cases = [case.parameters[parameter] for case in CASES if case.name == name]
        scale = sizes.get(kind.fields[parameter].role, 1)
        values = torch.cat((prior.icdf(u[:, place]) * scale, torch.tensor(cases).double()))
        parameters[parameter] = values.to(dtype)
    return parameters


def brightness_of(name: str) -> str:
    """The parameter of a kind to which all of its light is proportional."""
    return "flux" if "flux" in OBJECTS[name].parameters else "amplitude"
