"""Star: a Moffat profile, the usual shape of a point source seen through air."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.grid import Grid, per_pixel, scaled
from deepbench_torch.objects.parameters import ObjectKind, Parameter
from deepbench_torch.priors import LogUniform, Uniform


class Star(NamedTuple):
    """A batch of stars; every field is a float tensor of shape (B,).

    Attributes:
        x: Column of the centre [pixel].
        y: Row of the centre [pixel].
        amplitude: Brightness at the centre.
        gamma: Width of the core [pixel].
        alpha: Steepness of the wings; the light is finite only for alpha > 1.
    """

    x: Tensor
    y: Tensor
    amplitude: Tensor
    gamma: Tensor
    alpha: Tensor


def render(star: Star, grid: Grid, *, reuse: bool = False) -> Tensor:
    """Draw each star alone on its own image.

    Moffat (1969, A&A 3, 455): I(r) = amplitude * (1 + (r / gamma)**2) ** -alpha, at pixel
    centres, not averaged over pixels, as `astropy.modeling.models.Moffat2D` does. The full width
    at half maximum is 2 gamma sqrt(2**(1 / alpha) - 1).

    Args:
        star: The stars, B of them.
        grid: Pixel centres of an H by W image.
        reuse: Write results over what is read no more; then there are no gradients.

    Returns:
        Images, shape (B, H, W), dtype of `star.x`.
    """
    ratio2 = grid.squared_distance(star.x, star.y)  # (B, H, W)
    ratio2 = scaled(ratio2, per_pixel(1 / star.gamma**2), reuse=reuse).add_(1)
    # exp and log, not a power: torch rounds a power by its place in the batch
    wings = torch.log(ratio2, out=ratio2 if reuse else None)
    wings = scaled(wings, per_pixel(-star.alpha), reuse=reuse).exp_()
    return scaled(wings, per_pixel(star.amplitude), reuse=reuse)


def edge(star: Star) -> Tensor:
    """Return the brightness at which stars end, a tenth of their centre's, shape (B,)."""
    return star.amplitude / 10


STAR = ObjectKind(
    name="star",
    fields={
        # the core inside the frame
        "x": Parameter("column", Uniform(0.2, 0.8)),
        "y": Parameter("row", Uniform(0.2, 0.8)),
        # 10 to 200 sigma at the peak, many faint and few bright stars
        "amplitude": Parameter("brightness", LogUniform(0.5, 10.0), above=0.0, closed=True),
        # full width at half maximum 2 to 6 pixels of 64
        "gamma": Parameter(
            "length",
            Uniform(0.04, 0.08),
            above=0.0,
            remedy="a star of no width draws nothing, so leave its slot empty instead",
        ),
        # 2.5 fits many observed images, 4.765 follows from turbulence theory (Trujillo et al. 2001)
        "alpha": Parameter(
            "number",
            Uniform(2.5, 4.8),
            above=1.0,
            remedy="at 1 or below its light is infinite; seeing through air gives 2.5 to 4.8",
        ),
    },
    record=Star,
    draw=render,
    edge=edge,
    draw_over=partial(render, reuse=True),
)
