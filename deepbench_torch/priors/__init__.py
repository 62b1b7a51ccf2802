"""Priors: the distributions from which parameters are drawn.

A prior turns unit numbers into values by its inverse cumulative distribution, so it holds no state,
and tells with `contains` which values it can give. Values are float64 with the same bits on every
machine.
"""

from deepbench_torch.priors.columns import values
from deepbench_torch.priors.continuous import LogUniform, Normal, Uniform
from deepbench_torch.priors.discrete import Choice, Integer
from deepbench_torch.priors.plain import PRIORS, is_prior, prior_from_plain
from deepbench_torch.priors.prior import Fixed, Prior

__all__ = [
    "PRIORS",
    "Choice",
    "Fixed",
    "Integer",
    "LogUniform",
    "Normal",
    "Prior",
    "Uniform",
    "is_prior",
    "prior_from_plain",
    "values",
]
