"""Fisher matrix: the smallest errors of parameters that any unbiased method can reach."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from deepbench_torch.images.measure.model import (
    Number,
    Psf,
    check_known,
    free_places,
    read_model,
    read_numbers,
)
from deepbench_torch.images.measure.noise import NoiseLevel, read_noise
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects.grid import Grid


@final
@dataclass(frozen=True, eq=False)
class Fisher:
    """Fisher matrix of the parameters of one object, or of B objects.

    Attributes:
        names: Names of the parameters, in the order of rows and columns.
        matrix: Fisher matrix, float64, shape (P, P); (B, P, P) for B objects.
    """

    names: tuple[str, ...]
    matrix: Tensor

    @cached_property
    def covariance(self) -> Tensor:
        """The inverse, shape (P, P) or (B, P, P): the least covariance (Cramer-Rao).

        Infinite or beyond any bound if the image does not determine a parameter, as the angle of a
        round galaxy.
        """
        return covariance_of(self.matrix)

    @property
    def errors(self) -> dict[str, Tensor]:
        """The least standard error of each parameter, shape () or (B,)."""
        return errors_of(self.names, self.covariance)


@independent_of_settings
def fisher(
    kind: str,
    parameters: Mapping[str, Number],
    grid: Grid,
    *,
    noise: NoiseLevel,
    psf: Psf | None = None,
    fixed: Iterable[str] = (),
) -> Fisher:
    """Return the Fisher matrix of an object's parameters in a noisy image.

    F = J^T V^-1 J, with the derivatives J of the noiseless pixels by the parameters and the
    variance V of the pixels. It is exact for Gaussian noise of known variance and for photon noise
    without read-out; photon noise beside read-out is taken as Gaussian with the variance of both.

    Args:
        kind: "star", "galaxy", "spiral", "lensed" or "point"; shapes have steps at their edges.
        parameters: All parameters of the kind in pixels and radians: numbers, or tensors (B,).
        grid: Pixels of the image.
        noise: Standard deviation of the noise in units of brightness, one number or one of each
            pixel, shape (H, W); or {"exposure": ..., "background": ..., "sigma": ...} as in
            `sample.conditions`: photons per unit of brightness, brightness of the sky, and
            standard deviation of the read-out.
        psf: Point spread, {"fwhm": 2.5} for a Gaussian, {"fwhm": 2.5, "alpha": 3.0} for a Moffat
            profile [pixel]; needed for a point.
        fixed: Names of parameters that are known. Whole numbers, as `arms`, are always known.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import deepbench_torch as db
        >>> star = {"x": 14.0, "y": 14.0, "amplitude": 5.0, "gamma": 2.0, "alpha": 3.0}
        >>> bound = db.fisher("star", star, db.Grid(28, 28), noise=0.1)
        >>> bound.names, round(float(bound.errors["x"]), 4)
        (('x', 'y', 'amplitude', 'gamma', 'alpha'), 0.0178)
    """
    model = read_model(kind, grid, psf, where="fisher")
    model.kind.check_names(parameters)
    known = dict.fromkeys(fixed)
    check_known(model, known, where="fisher: fixed")
    given = read_numbers(model, parameters, where="fisher: parameters")
    ordered = [given[name] for name in model.kind.parameters]
    count = max(map(len, ordered))
    values = torch.stack([each.expand(count) for each in ordered])
    places = free_places(model, known)
    shape = values.shape[1], grid.height, grid.width
    noises = read_noise(noise, where="fisher", shape=shape)
    light, columns = model.derivatives(values, places)
    matrix = matrix_of(columns, 1 / noises.variance(light))
    single = all(not isinstance(each, Tensor) or each.dim() == 0 for each in parameters.values())
    names = tuple(model.kind.parameters[place] for place in places)
    return Fisher(names, matrix[0] if single else matrix)


def matrix_of(columns: Tensor, weight: Tensor) -> Tensor:
    """Return J^T V^-1 J, shape (B, P, P).

    Args:
        columns: Derivatives J, shape (P, B, H, W).
        weight: Inverse variances, shape (B, H, W).
    """
    flat = columns.flatten(2).transpose(0, 1)  # (B, P, pixels)
    return flat @ (flat * weight.flatten(1)[:, None]).transpose(1, 2)


def covariance_of(matrix: Tensor) -> Tensor:
    """Return the inverse of Fisher matrices, infinite where there is none, shape (..., P, P)."""
    scale = matrix.diagonal(dim1=-2, dim2=-1).clamp_min(1e-300).rsqrt()
    scaled = matrix * scale[..., :, None] * scale[..., None, :]
    root, fault = torch.linalg.cholesky_ex(scaled)
    regular = (fault == 0)[..., None, None]
    one = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    inverse = torch.cholesky_inverse(torch.where(regular, root, one))
    inverse = inverse * scale[..., :, None] * scale[..., None, :]
    return torch.where(regular, inverse, torch.inf)


def errors_of(names: tuple[str, ...], covariance: Tensor) -> dict[str, Tensor]:
    """Return the root of the diagonal by name."""
    errors = covariance.diagonal(dim1=-2, dim2=-1).sqrt()
    return {name: errors[..., place] for place, name in enumerate(names)}
