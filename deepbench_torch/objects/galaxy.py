"""Galaxy: an elliptical Sersic profile, the usual shape of a galaxy without arms."""

import math
from functools import partial
from typing import NamedTuple

from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel
from deepbench_torch.objects import sersic
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import LogUniform, Uniform


class Galaxy(NamedTuple):
    """A batch of galaxies; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        amplitude: Brightness at the effective radius.
        radius: Effective radius along the major axis, which holds half of the light [pixel].
        n: Sersic index; 1 is an exponential disc, 4 de Vaucouleurs' law.
        ellip: Ellipticity 1 - b / a.
        theta: Position angle of the major axis [radian].
    """

    x: Tensor
    y: Tensor
    amplitude: Tensor
    radius: Tensor
    n: Tensor
    ellip: Tensor
    theta: Tensor


def render(galaxy: Galaxy, grid: Grid, *, reuse: bool = False) -> Tensor:
    """Draw each galaxy alone on its own image.

    `sersic.profile` of the elliptical radius, as `astropy.modeling.models.Sersic2D`.

    Args:
        galaxy: The galaxies, B of them.
        grid: Pixel centres of an H by W image.
        reuse: Write results over what is read no more; then there are no gradients.

    Returns:
        Images, shape (B, H, W), dtype of `galaxy.x`.
    """
    major, minor = grid.rotated(galaxy.x, galaxy.y, galaxy.theta)
    squeezed = minor * minor * per_pixel(1 / (1 - galaxy.ellip) ** 2)
    radius2 = squeezed.add_(major * major)
    return sersic.profile(radius2, galaxy.amplitude, galaxy.radius, galaxy.n, reuse=reuse)


def edge(galaxy: Galaxy) -> Tensor:
    """Return the brightness at the ellipse that holds half of the light, shape (B,)."""
    return galaxy.amplitude


GALAXY = ObjectKind(
    name="galaxy",
    fields={
        # half of the light inside the frame
        "x": Parameter("column", Uniform(0.2, 0.8)),
        "y": Parameter("row", Uniform(0.2, 0.8)),
        # 3 to 30 sigma at the effective radius; for n = 1 the centre is 5.4 times brighter
        "amplitude": Parameter("brightness", LogUniform(0.15, 1.5), above=0.0, closed=True),
        # 6 to 13 pixels of 64: the profile extends over several pixels
        "radius": Parameter("length", Uniform(0.1, 0.2), above=0.0),
        # from dwarfs (0.8) over discs (1) to lenticulars (2.5)
        "n": Parameter(
            "number",
            Uniform(0.8, 2.5),
            above=sersic.LEAST_N,
            below=sersic.LARGEST_N,
            closed=True,
        ),
        # round to 1 : 3.3; a flatter galaxy is an edge-on disc
        "ellip": Parameter("number", Uniform(0.0, 0.7), above=0.0, below=1.0, closed=True),
        # half a turn: an ellipse rotated by pi is unchanged
        "theta": Parameter("angle", Uniform(0.0, math.pi)),
    },
    record=Galaxy,
    draw=render,
    edge=edge,
    draw_over=partial(render, reuse=True),
)
