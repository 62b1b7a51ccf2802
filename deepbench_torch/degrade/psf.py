"""Point spreads: how a telescope and the air spread the light of a point."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from deepbench_torch.degrade.conditions import LARGER, Condition, Effect, Values
from deepbench_torch.objects.grid import Grid
from deepbench_torch.objects.kind import ObjectKind
from deepbench_torch.priors import Fixed, Uniform
from deepbench_torch.priors.parameter import Parameter

SHRINK = 1 - 1e-6  # of a reach, so that rounding does not add a pixel where it is a whole number
SLACK = 1 + 2e-7  # single precision may round a width up
FWHM = Condition(
    "fwhm",
    Parameter("length", Fixed(0.05), gt=0.0, remedy=LARGER),
    "PSFFWHM",
    "full width at half maximum [pixel]",
)
POINT_WIDTH = Parameter("length", Uniform(0.03, 0.05), gt=0.0)  # of a point's light


class PointSpread(Effect, ABC):
    """One point spread an image, of unit sum, which spreads the light of everything in it.

    Attributes:
        point: The light of a point under it, a kind whose parameters after x, y and flux the
            kernels work out; None if the kernel has a formula of its own.
    """

    point: ClassVar[ObjectKind[Any] | None] = None

    @abstractmethod
    def margin(self, grid: Grid) -> int:
        """Return the width of the border outside the frame whose light reaches an image [pixel]."""

    @abstractmethod
    def kernel(self, values: Values, margin: int) -> Tensor:
        """Return the point spread of each image round its middle pixel.

        It is sampled at pixel centres, cut, and scaled so that no light is lost.

        Args:
            values: The conditions of B images.
            margin: Pixels round the middle.

        Returns:
            float64, shape (B, 2 margin + 1, 2 margin + 1).
        """

    @abstractmethod
    def peak(self, values: Values) -> Tensor:
        """Return the brightness of a point of unit flux at its centre, shape (B,)."""

    @abstractmethod
    def points(self, record: Sequence[Tensor], values: Values, grid: Grid) -> Tensor:
        """Return the light of points, as the point spread itself, shape (N, H, W).

        Args:
            record: x, y and flux of N points [pixel], shape (N,) each.
            values: The conditions of their images, shape (N,) each.
            grid: Pixel centres of an H by W image.
        """

    def apply(self, scene: Tensor, values: Values, *, margin: int) -> Tensor:
        """Return scenes with their light spread.

        Args:
            scene: Light, with a margin m round the frame, float, shape (B, H + 2 m, W + 2 m).
            values: The conditions of B images.
            margin: m.

        Returns:
            Light without the margin, of the same dtype, shape (B, H, W); differentiable.
        """
        if not len(scene):
            return scene[:, 2 * margin :, 2 * margin :]
        kernel = self.kernel(values, margin).to(scene)
        size = scene.shape[1], scene.shape[2]
        spectrum = torch.fft.rfft2(scene) * torch.fft.rfft2(kernel, s=size)
        spread: Tensor = torch.fft.irfft2(spectrum, s=size)
        return spread[:, 2 * margin :, 2 * margin :]
