"""Settings of the process: what is generated depends on none of them.

Tensors are made with an explicit dtype and device, so torch's defaults change nothing. This module
holds the settings that reach into arithmetic itself: subnormal numbers and lost threads.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

from deepbench_torch.numerics import forks

P = ParamSpec("P")
R = TypeVar("R")

_SUBNORMAL = 5e-324  # equals 0 where subnormal numbers are flushed to 0


def independent_of_settings(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, which keeps subnormal numbers and survives a fork.

    `torch.set_flush_denormal(True)` would change the faintest pixels, and OpenMP threads that a
    fork has lost would never answer. Either way a call runs on one thread, for other threads keep
    the arithmetic that they were started with; the settings are the same after the call.
    """

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.compiler.is_compiling():  # settings cannot change inside of a compiled graph
            return function(*args, **kwargs)
        flushed = _SUBNORMAL == 0
        if not flushed and not forks.lost_threads():
            return function(*args, **kwargs)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        torch.set_flush_denormal(False)
        try:
            return function(*args, **kwargs)
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_num_threads(threads)

    return guarded
