"""Gradient: a background that rises evenly across the image, as of moonlight or of the sky."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from deepbench_torch.degrade.conditions import Condition, Effect, Setting, Values, of_images
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter


class Gradient(Effect):
    """A linear background of mean 0, which stays in the image.

    Attributes:
        slope: Difference of brightness across the image's shorter side.
        angle: Direction in which it rises [radian].
    """

    key: ClassVar = "gradient"
    conditions: ClassVar = {
        "slope": Condition(
            "gradient",
            Parameter("brightness", Fixed(0.0)),
            "SKYGRAD",
            "rise of the sky over the shorter side",
        ),
        "angle": Condition(
            "gradient_angle",
            Parameter("angle", Fixed(0.0), period=2 * math.pi),
            "SKYANGLE",
            "direction of the rise [radian]",
        ),
    }

    slope: Setting
    angle: Setting = 0.0

    def light(self, values: Values, grid: Grid, *, like: Tensor) -> Tensor:
        """Return the background of each image, shape (B, H, W), of the dtype and device of `like`.

        Args:
            values: The conditions of B images.
            grid: Pixel centres of an H by W image.
            like: Any float tensor.
        """
        slope = of_images(values, "gradient", like) / grid.shorter
        angle = of_images(values, "gradient_angle", like)
        column, row = grid.centres(like)
        across, down = column - (grid.width - 1) / 2, row - (grid.height - 1) / 2
        return across * (slope * torch.cos(angle)) + down * (slope * torch.sin(angle))
