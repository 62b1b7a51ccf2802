"""Least squares by the method of Levenberg and Marquardt, many images in one batch."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.images.measure.bounds import Bounds
from deepbench_torch.images.measure.fisher import matrix_of
from deepbench_torch.images.measure.model import Model
from deepbench_torch.images.measure.noise import Noise

FIRST_DAMPING, MOST_DAMPING, LEAST_DAMPING = 1e-2, 1e12, 1e-9
LONGEST_STEP = 1.0  # of a logarithm or a logit
CLOSE = 1e-8  # expected decrease of chi2 at a minimum: 1e-4 standard errors
ROUNDING = 1e-13  # of chi2


class Problem(NamedTuple):
    """Images, and the model to fit to them.

    Attributes:
        model: Image of the object.
        data: Images, float64, shape (B, H, W).
        noise: Their noise.
        places: Places of the free parameters.
    """

    model: Model
    data: Tensor
    noise: Noise
    places: list[int]

    def residual(self, values: Tensor) -> Tensor:
        """Return images minus models, shape (B, H, W)."""
        return self.data - self.model.render(values)

    def rows(self, index: Tensor) -> "Problem":
        """Return the problem of some images."""
        return self._replace(data=self.data[index], noise=self.noise.rows(index))

    def with_brightness(
        self, named: Mapping[str, float | Tensor], given: Mapping[str, Tensor]
    ) -> Tensor:
        """Return parameters (P, B) whose brightness fits the images best.

        Args:
            named: Values of all parameters but the brightness; that of a part relative to it.
            given: Values of a user, which do not change.
        """
        kind, count = self.model.kind, len(self.data)
        rows = []
        for name in kind.parameters:
            value = torch.as_tensor(named.get(name, 1.0), dtype=torch.float64, device="cpu")
            rows.append(value.expand(count))
        values = torch.stack(rows)
        bright = [
            place
            for place, (name, field) in enumerate(kind.fields.items())
            if field.role in ("brightness", "flux") and name not in given
        ]
        if bright:
            light = self.model.render(values)
            weight = 1 / self.noise.variance(torch.zeros_like(light))
            top = (weight * light * self.data).sum((1, 2))
            share = top / (weight * light * light).sum((1, 2)).clamp_min(1e-300)
            values[bright] *= share.clamp_min(1e-6)
        return values


class Solution(NamedTuple):
    """Parameters (P, B), whether each image's are at a minimum, and the steps tried, (B,)."""

    values: Tensor
    converged: Tensor
    iterations: Tensor


def solve(problem: Problem, values: Tensor, *, iterations: int) -> Solution:
    """Return the parameters of least chi2 near some starting values.

    A step solves (F + damping diag F) step = gradient. A step that lowers chi2 is taken and the
    damping is divided by 10; otherwise it is multiplied by 10. Images that have converged leave
    the batch.

    Args:
        problem: Images and model.
        values: Starting values, shape (P, B).
        iterations: Most steps.
    """
    bounds = Bounds.of([list(problem.model.kind.fields.values())[p] for p in problem.places])
    values, count = values.clone(), len(problem.data)
    free = bounds.to_free(values[problem.places])
    damping = free.new_full((count,), FIRST_DAMPING)
    converged = torch.zeros(count, dtype=torch.bool, device="cpu")
    tried = torch.zeros(count, dtype=torch.int64, device="cpu")
    active = (
        torch.arange(count, dtype=torch.int64, device="cpu")
        if problem.places
        else converged.nonzero()[:, 0]
    )
    for _ in range(iterations):
        if not len(active):
            break
        step = _step(problem.rows(active), values[:, active], free[:, active], damping[active])
        tried[active] += 1
        free[:, active], values[:, active] = step.free, step.values
        damping[active] = step.damping
        converged[active] = step.converged
        active = active[~(step.converged | (step.damping > MOST_DAMPING))]
    if not problem.places:
        converged[:] = True
    return Solution(values, converged, tried)


class _Step(NamedTuple):
    """State of some images after a step that was tried."""

    values: Tensor
    free: Tensor
    damping: Tensor
    converged: Tensor


def _step(problem: Problem, values: Tensor, free: Tensor, damping: Tensor) -> _Step:
    """Try a step of some images."""
    bounds = Bounds.of([list(problem.model.kind.fields.values())[p] for p in problem.places])
    own, slope = bounds.to_values(free)
    values = values.clone()
    values[problem.places] = own
    light, columns = problem.model.derivatives(values, problem.places)
    weight = 1 / problem.noise.variance(light)
    columns = columns * slope[:, :, None, None]
    residual = problem.data - light
    matrix = matrix_of(columns, weight)
    gradient = (columns * (weight * residual)).sum((2, 3)).T  # (B, P)
    move = _damped(matrix, gradient, damping)
    expected = (gradient * move).sum(1)
    longest = torch.where(bounds.is_free.T, 0.0, move.abs()).amax(1).clamp_min(LONGEST_STEP)
    trial = free + (move * (LONGEST_STEP / longest)[:, None]).T
    moved = values.clone()
    moved[problem.places] = bounds.to_values(trial)[0]
    before = (weight * residual.square()).sum((1, 2))
    after = (weight * problem.residual(moved).square()).sum((1, 2))
    close = expected <= CLOSE + ROUNDING * before
    better = (after <= before) & after.isfinite()
    damping = torch.where(better, (damping / 10).clamp_min(LEAST_DAMPING), damping * 10)
    return _Step(
        torch.where(better, moved, values),
        torch.where(better, trial, free),
        damping,
        close & (damping <= 1),
    )


def _damped(matrix: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    """Return the solution of (F + damping diag F) step = gradient, shape (B, P)."""
    diagonal = matrix.diagonal(dim1=1, dim2=2)
    scale = diagonal.clamp_min(1e-300).rsqrt()
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    one = torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    scaled = torch.where(scaled.isfinite(), scaled, one) + (damping + 1e-12)[:, None, None] * one
    solved: Tensor = torch.linalg.solve_ex(scaled, gradient * scale)[0] * scale
    return solved.nan_to_num(0.0, 0.0, 0.0)
