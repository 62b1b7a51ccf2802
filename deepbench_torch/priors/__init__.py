"""Priors: the distributions from which parameters are sampled.

A prior maps uniform numbers to values by its inverse cumulative distribution, so it has no state.
Its `contains` returns whether a value is possible. Values are float64, bit-identical on every CPU.
"""

from deepbench_torch.priors.columns import values
from deepbench_torch.priors.continuous import LogUniform, Normal, PowerLaw, Uniform
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
    "PowerLaw",
    "Prior",
    "Uniform",
    "is_prior",
    "prior_from_plain",
    "values",
]
