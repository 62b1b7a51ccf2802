"""Kernels of priors: their values at uniform numbers."""

from typing import Any

from deepbench_torch.native.compile import inline, kernel
from deepbench_torch.native.double import exact_exp, exact_log, normal_quantile
from deepbench_torch.native.intrinsics import floor64
from deepbench_torch.native.records import (
    CHOICE,
    FIXED,
    INTEGER,
    LOG_UNIFORM,
    POWER_LAW,
    UNIFORM,
)


@inline
def smaller(first: Any, second: Any) -> Any:
    """Return the smaller number."""
    return first if first < second else second


@inline
def larger(first: Any, second: Any) -> Any:
    """Return the larger number."""
    return first if first > second else second


@inline
def _clamped(value: Any, low: Any, high: Any) -> Any:
    return smaller(larger(value, low), high)


@kernel
def prior_value(plan: Any, place: Any, u: Any) -> Any:
    """Return the value of a prior at a cumulative probability, as `Prior.value`."""
    prior = plan.priors[place]
    family, n = prior.family, prior.numbers
    if family == UNIFORM:
        return _clamped(u * n[1] + n[0], n[2], n[3])
    if family == LOG_UNIFORM:
        return _clamped(exact_exp(u * n[1] + n[0]), n[2], n[3])
    if family == FIXED:
        return n[0]
    if family == INTEGER:
        return smaller(floor64(u * (n[1] + 1.0)), n[1]) + n[0]
    if family == CHOICE:
        choice = prior.first
        while choice < prior.last - 1 and u >= plan.choices[choice, 0]:
            choice += 1
        return plan.choices[choice, 1]
    if family == POWER_LAW:
        return _clamped(exact_exp(exact_log(u * n[1] + n[0]) * n[2]), n[3], n[4])
    return _normal(n, u)


@kernel
def _normal(n: Any, u: Any) -> Any:
    start, share, low, high, side, deviation, mean = n[0], n[1], n[2], n[3], n[4], n[5], n[6]
    p = (u if side > 0.0 else 1.0 - u) * share + start
    p = _clamped(p, 2.0**-1000, 1.0 - 2.0**-53)
    return _clamped(normal_quantile(p) * deviation + mean, low, high)
