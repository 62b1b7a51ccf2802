"""Priors of a plan as numbers, collected while it is made."""

import math

import torch

from deepbench_torch.native.records import (
    AMPLITUDE,
    CHOICE,
    FIXED,
    INTEGER,
    LOG_UNIFORM,
    NORMAL,
    NUMBERS,
    POWER_LAW,
    UNIFORM,
)
from deepbench_torch.numerics import exact_math
from deepbench_torch.priors import (
    Choice,
    Fixed,
    Integer,
    LogUniform,
    Normal,
    PowerLaw,
    Prior,
    Uniform,
)


class PriorTable:
    """The priors of a plan, collected one by one."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, tuple[float, ...], int, int, int]] = []
        self.choices: list[tuple[float, float]] = []
        self._places: dict[tuple[Prior, int], int] = {}

    def add(self, prior: Prior, *, quantity: int = AMPLITUDE) -> int:
        """Return the place of a prior.

        Args:
            prior: The prior.
            quantity: What it is of, if of the brightness of an object.
        """
        if (prior, quantity) not in self._places:
            self._places[prior, quantity] = len(self.rows)
            family, numbers = self._described(prior)
            first = len(self.choices)
            if isinstance(prior, Choice):
                self.choices += zip([*prior.edges, math.inf], prior.values, strict=True)
            padded = (*numbers, *(0.0,) * (NUMBERS - len(numbers)))
            self.rows.append((family, padded, first, len(self.choices), quantity))
        return self._places[prior, quantity]

    def _described(self, prior: Prior) -> tuple[int, tuple[float, ...]]:
        match prior:
            case Uniform(low, high):
                return UNIFORM, (low, high - low, low, math.nextafter(high, low))
            case LogUniform(low, high):
                ends = torch.tensor((low, high), dtype=torch.float64, device="cpu")
                start, end = exact_math.log(ends).tolist()
                return LOG_UNIFORM, (start, end - start, low, high)
            case PowerLaw():
                start, span, power = prior.steps()
                return POWER_LAW, (start, span, power, prior.low, prior.high)
            case Normal(mean, std, low, high):
                side, start, share = prior.truncation()
                return NORMAL, (start, share, low, high, side, side * std, mean)
            case Integer(low, high):
                return INTEGER, (low, high - low)
            case Choice():
                return CHOICE, ()
            case Fixed(at):
                return FIXED, (at,)
        raise TypeError(f"no kernel for the prior {prior.name}")
