"""Conversion of priors to another unit, and their quartiles and short text."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch

from deepbench_torch.priors.continuous import LogUniform, Normal, PowerLaw, Uniform
from deepbench_torch.priors.discrete import Choice
from deepbench_torch.priors.prior import Fixed, Prior


@lru_cache(maxsize=4096)
def quartiles(prior: Prior) -> tuple[float, float, float]:
    """Return the quartiles of a prior: 25, 50 and 75 % of its values are below them.

    Example:
        >>> from deepbench_torch.priors import Uniform
        >>> quartiles(Uniform(0, 4))
        (1.0, 2.0, 3.0)
    """
    low, middle, high = prior.icdf(
        torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64, device="cpu")
    ).tolist()
    return low, middle, high


def converted(prior: Prior, convert: Callable[[float], float]) -> Prior:
    """Return a prior in another unit; whole numbers become a range.

    Args:
        prior: Prior to convert.
        convert: Linear, increasing function of one value.
    """
    if isinstance(prior, Choice):
        return Choice(tuple(map(convert, prior.values)), prior.weights)
    low, high = (convert(end) for end in prior.support)
    if isinstance(prior, Normal):
        mean, above = convert(prior.mean), convert(prior.mean + prior.std)
        return Normal(mean, above - mean, low, high)
    if low == high:
        return Fixed(low)
    if isinstance(prior, PowerLaw) and low > 0:
        return PowerLaw(low, high, prior.slope)
    return (LogUniform if isinstance(prior, LogUniform) else Uniform)(low, high)


def short_text(prior: Prior) -> str:
    """Return a prior as a recipe writes it, with three digits.

    Example:
        >>> from deepbench_torch.priors import Uniform
        >>> short_text(Uniform(1 / 3, 14))
        '{uniform: [0.333, 14]}'
    """
    return _text(prior.to_plain())


def _text(plain: object) -> str:
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{key}: {_text(part)}" for key, part in plain.items()) + "}"
    if isinstance(plain, list):
        return "[" + ", ".join(map(_text, plain)) + "]"
    return f"{plain:.3g}" if isinstance(plain, float) else str(plain)
