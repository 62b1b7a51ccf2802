"""Blur: the point spread of a telescope, a round Gaussian."""

import math

import torch
from pydantic import BaseModel
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.fields import Positive

REACH = 5  # standard deviations after which the point spread is cut; 1e-6 of the light lies beyond


class Blur(BaseModel):
    """A round Gaussian that spreads the light of each pixel.

    Attributes:
        sigma: Standard deviation, as a fraction of the image's shorter side.
    """

    sigma: Positive

    def margin(self, shorter: int) -> int:
        """Return how many pixels beyond the frame light comes from.

        Args:
            shorter: Pixels of the image's shorter side.
        """
        return max(1, math.ceil(REACH * self.sigma * shorter))

    def taps(self, shorter: int) -> list[float]:
        """Return the weights along an axis, from the middle outward to the margin.

        They are the Gaussian at pixel centres, scaled so that no light is lost.

        Args:
            shorter: Pixels of the image's shorter side.
        """
        places = torch.arange(self.margin(shorter) + 1, dtype=torch.float64, device="cpu")
        steps = places / (self.sigma * shorter)
        weights = exact_math.exp((-0.5 * steps * steps).clamp_min(-700)).tolist()
        total = math.fsum(weights) * 2 - 1
        return [weight / total for weight in weights]

    def apply(self, scene: Tensor, *, shorter: int) -> Tensor:
        """Return a scene with the light of each pixel spread.

        Sums run in a fixed order over whole images, so a batch is blurred like its singles.

        Args:
            scene: Light, with `margin` pixels round the frame, shape (B, H + 2 m, W + 2 m).
            shorter: Pixels of the image's shorter side, the smaller of H and W.

        Returns:
            Light without the margin, shape (B, H, W).
        """
        taps = self.taps(shorter)
        return _blur_axis(_blur_axis(scene, taps, dim=1), taps, dim=2)


def _blur_axis(image: Tensor, taps: list[float], dim: int) -> Tensor:
    reach = len(taps) - 1
    size = image.shape[dim] - 2 * reach
    total = image.narrow(dim, reach, size) * taps[0]
    for step in range(1, reach + 1):
        sides = image.narrow(dim, reach - step, size) + image.narrow(dim, reach + step, size)
        total.add_(sides.mul_(taps[step]))
    return total
