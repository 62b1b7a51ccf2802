"""Inverse cumulative distributions of several priors in one batch."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.priors.continuous import Interval, LogUniform, Uniform
from deepbench_torch.priors.prior import Prior


def values(priors: Sequence[Prior], u: Tensor) -> Tensor:
    """Return the values of several priors, one column each, bit-identical to `icdf` of each.

    Priors on an interval are computed together, which saves most of the time of a small batch.

    Args:
        priors: S priors.
        u: float64 strictly between 0 and 1, shape (B, S, ...).

    Returns:
        float64, the shape of `u`.
    """
    plan = _plan(tuple(priors))
    start, span, least, last = (ends.view(-1, *[1] * (u.dim() - 2)) for ends in plan.ends)
    result = (u * span).add_(start)
    if plan.logarithmic:
        result[:, plan.logarithmic] = exact_math.exp(result[:, plan.logarithmic])
    result.clamp_(least, last)
    for column in plan.others:
        result[:, column] = priors[column].icdf(u[:, column])
    return result


class _Plan(NamedTuple):
    """Columns of several priors by kind.

    Attributes:
        logarithmic: Columns of log-uniform priors.
        others: Columns of priors that are not on an interval.
        ends: Start and span before exp, least and last value; float64, shape (S,) each.
    """

    logarithmic: list[int]
    others: list[int]
    ends: tuple[Tensor, Tensor, Tensor, Tensor]


@lru_cache(maxsize=1024)
def _plan(priors: tuple[Prior, ...]) -> _Plan:
    """Return the columns by kind; the ends of priors that are not on an interval are unused."""
    kinds = [type(prior) for prior in priors]
    intervals = [prior.support if isinstance(prior, Interval) else (0.0, 1.0) for prior in priors]
    low, high = torch.tensor(intervals, dtype=torch.float64, device="cpu").view(-1, 2).unbind(1)
    logarithmic = torch.tensor(
        [kind is LogUniform for kind in kinds], dtype=torch.bool, device="cpu"
    )
    one = torch.ones_like(low)
    start = torch.where(logarithmic, exact_math.log(low.where(logarithmic, one)), low)
    end = torch.where(logarithmic, exact_math.log(high.where(logarithmic, one)), high)
    last = torch.where(logarithmic, high, torch.nextafter(high, low))
    return _Plan(
        logarithmic=[column for column, kind in enumerate(kinds) if kind is LogUniform],
        others=[column for column, kind in enumerate(kinds) if kind not in (Uniform, LogUniform)],
        ends=(start, end - start, low, last),
    )
