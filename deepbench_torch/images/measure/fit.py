"""Fit of one object to images, with errors from the Fisher matrix."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from deepbench_torch.images.measure.fisher import covariance_of, errors_of, matrix_of
from deepbench_torch.images.measure.model import (
    Number,
    Psf,
    free_places,
    read_model,
    read_numbers,
)
from deepbench_torch.images.measure.noise import NoiseLevel, doubles, read_noise
from deepbench_torch.images.measure.solve import Problem, Solution, solve
from deepbench_torch.images.measure.start import HALF_TURN, STARTS, moments_of
from deepbench_torch.numerics.checks import check_integer
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects.grid import Grid

ITERATIONS = 100


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """Objects that were fitted to B images.

    Attributes:
        kind: Kind of the objects.
        parameters: By name, in pixels and radians, float64, shape (B,).
        errors: Standard errors by name, from the Fisher matrix at the fit, 0 for fixed parameters,
            shape (B,).
        names: Names of the fitted parameters, in the order of the covariance.
        covariance: Inverse Fisher matrix, shape (B, P, P); infinite if the image does not determine
            all parameters.
        chi2: Sum over pixels of residual**2 / variance, shape (B,).
        degrees_of_freedom: Pixels of finite noise less the fitted parameters, shape (B,).
        model: Noiseless image of the fit, shape (B, H, W).
        residual: Image minus model, shape (B, H, W).
        converged: Whether the fit found a minimum of chi2, bool, shape (B,).
        iterations: Steps that were tried, int64, shape (B,).
    """

    kind: str
    parameters: dict[str, Tensor]
    errors: dict[str, Tensor]
    names: tuple[str, ...]
    covariance: Tensor
    chi2: Tensor
    degrees_of_freedom: Tensor
    model: Tensor
    residual: Tensor
    converged: Tensor
    iterations: Tensor

    @property
    def reduced_chi2(self) -> Tensor:
        """chi2 by its degrees of freedom, about 1 for a good fit, shape (B,)."""
        return self.chi2 / self.degrees_of_freedom

    def __repr__(self) -> str:
        count = len(self.chi2)
        lines = [f"Fit of a {self.kind} to {count} image{'s' * (count != 1)}, of the first:"]
        for name, values in self.parameters.items():
            error = float(self.errors[name][0]) if count else math.nan
            value = float(values[0]) if count else math.nan
            lines.append(f"    {name} = {value:.6g}" + (f" +- {error:.2g}" if error else ", fixed"))
        lines.append(f"    reduced chi2: {', '.join(f'{c:.3f}' for c in self.reduced_chi2[:1])}")
        return "\n".join([*lines, f"    converged: {int(self.converged.sum())} of {count}"])


@independent_of_settings
def fit(
    kind: str,
    image: Tensor,
    *,
    noise: NoiseLevel,
    psf: Psf | None = None,
    start: Mapping[str, Number] | None = None,
    fixed: Mapping[str, Number] | None = None,
    samples: int = 1,
    iterations: int = ITERATIONS,
) -> Fit:
    """Fit one object to each of some images by the derivatives of its formula.

    The method is that of Levenberg and Marquardt: damped Gauss-Newton steps with exact derivatives,
    each image with a damping of its own. torch's LBFGS has one step length for all images of a
    batch. The matrix of a step is the Fisher matrix, from which the errors follow. Parameters keep
    their ranges by a change of variables. The variance of photon noise follows the model, so the
    fit is that of the largest likelihood of the counts. The image has no background beside the
    object.

    A spiral and a lensed galaxy have more than one minimum: compare `reduced_chi2` with 1, and pass
    `start` if it is larger.

    Args:
        kind: "star", "galaxy", "spiral", "lensed" or "point"; shapes have steps at their edges.
        image: Shape (H, W), (1, H, W) or (B, 1, H, W).
        noise: Standard deviation of the noise in units of brightness, one number or one of each
            pixel, infinite for pixels to leave out; or {"exposure": ..., "background": ...,
            "sigma": ...} as in `sample.conditions`.
        psf: Point spread, {"fwhm": 2.5} for a Gaussian, {"fwhm": 2.5, "alpha": 3.0} for a Moffat
            profile [pixel]; needed for a point.
        start: Starting values of some parameters, numbers or shape (B,); the others are estimated
            from the moments of the image.
        fixed: Parameters that are known, numbers or shape (B,). The number of arms stays as it is
            in `start` or estimated, because it is whole.
        samples: Points along each axis of a pixel, as `image.samples` of a recipe.
        iterations: Most steps.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import deepbench_torch as db, torch
        >>> sample = db.generate("star", 0, torch.arange(1))
        >>> found = db.fit("star", sample.image, noise=sample.conditions)
        >>> bool(found.converged), round(float(found.parameters["x"] - sample.scene["star"]["x"]))
        (True, 0)
    """
    data = _read_image(image)
    rule = "fit: iterations: expected a whole number from 1"
    iterations = check_integer(iterations, rule, least=1, most=10**6)
    grid = Grid(data.shape[1], data.shape[2], samples=samples)
    model = read_model(kind, grid, psf, where="fit")
    shape = len(data), grid.height, grid.width
    noises = read_noise(noise, where="fit", shape=shape)
    held = read_numbers(model, fixed or {}, where="fit: fixed")
    given = read_numbers(model, start or {}, where="fit: start") | held
    _check_counts(given, batch=len(data))
    places = free_places(model, held)
    problem = Problem(model, data, noises, places)
    values = best_start(problem, given)
    return _result(problem, solve(problem, values, iterations=iterations))


def _read_image(image: Tensor) -> Tensor:
    """Return images as float64, shape (B, H, W)."""
    data = doubles(image, where="fit: image")
    if data.dim() == 4 and data.shape[1] == 1:
        data = data[:, 0]
    elif data.dim() == 2 or (data.dim() == 3 and len(data) == 1):
        data = data.view(1, *data.shape[-2:])
    else:
        raise ValueError(
            f"fit: image: expected shape (H, W), (1, H, W) or (B, 1, H, W), got "
            f"{tuple(data.shape)}; add the axis of channels with image[:, None]"
        )
    if not bool(data.isfinite().all()):
        raise ValueError(
            "fit: image: expected finite pixels, got nan or inf; replace them by 0 and set their "
            "noise to float('inf')"
        )
    return data


def _check_counts(given: Mapping[str, Tensor], *, batch: int) -> None:
    """Check that values of a user are one number or one for each image."""
    for name, values in given.items():
        if len(values) not in (1, batch):
            raise ValueError(
                f"fit: {name}: expected a number, or one for each of {batch} "
                f"image{'s' * (batch != 1)}, got {len(values)}; pass one value for each image"
            )


def best_start(problem: Problem, given: Mapping[str, Tensor]) -> Tensor:
    """Return the starting values of least chi2, shape (P, B).

    Args:
        problem: Images and model.
        given: Values of a user by name, which rule.
    """
    kind, data = problem.model.kind, problem.data
    dark = problem.noise.variance(torch.zeros_like(data))
    found = moments_of(data, dark.sqrt())
    best, least = data.new_zeros(len(kind.fields), len(data)), data.new_full((len(data),), math.inf)
    for candidate in STARTS[kind.name](found):
        named = {"x": found.x, "y": found.y, **candidate} | dict(given)
        values = problem.with_brightness(named, given)
        chi2 = (problem.residual(values).square() / dark).sum((1, 2))
        better = chi2 < least
        best, least = torch.where(better, values, best), torch.where(better, chi2, least)
    return best


def _result(problem: Problem, solution: Solution) -> Fit:
    """Return the fit of a solution, with errors."""
    kind, noise = problem.model.kind, problem.noise
    values = solution.values.clone()
    for name in HALF_TURN.get(kind.name, ()):
        place = kind.parameters.index(name)
        if place in problem.places:
            values[place] = values[place].remainder(math.pi)
    light, columns = problem.model.derivatives(values, problem.places)
    variance = noise.variance(light)
    covariance = covariance_of(matrix_of(columns, 1 / variance))
    names = tuple(kind.parameters[place] for place in problem.places)
    errors = errors_of(names, covariance)
    residual = problem.data - light
    return Fit(
        kind=kind.name,
        parameters=dict(zip(kind.parameters, values, strict=True)),
        errors={n: errors.get(n, torch.zeros_like(values[0])) for n in kind.parameters},
        names=names,
        covariance=covariance,
        chi2=(residual.square() / variance).sum((1, 2)),
        degrees_of_freedom=variance.isfinite().sum((1, 2)) - len(names),
        model=light,
        residual=residual,
        converged=solution.converged,
        iterations=solution.iterations,
    )
