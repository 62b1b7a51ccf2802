"""Table of the effects: every other module derives its names, codes and order from it.

A new noise or point spread is its class, its row here, and its kernel, in `native.noise` or
`native.psf`. The rows of one file keep their conditions in the order of this table.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from deepbench_torch.degrade.conditions import Condition, Effect
from deepbench_torch.degrade.gaussian import Gaussian
from deepbench_torch.degrade.gradient import Gradient
from deepbench_torch.degrade.moffat import Moffat
from deepbench_torch.degrade.noise import Noise, Pedestal, Photons, ReadOut
from deepbench_torch.degrade.psf import PointSpread
from deepbench_torch.degrade.psf_array import ArraySpread
from deepbench_torch.numerics import rng
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors import Prior

PROFILES: tuple[type[PointSpread], ...] = (Gaussian, Moffat)  # point spreads by a formula
FAMILIES: tuple[type[PointSpread], ...] = (*PROFILES, ArraySpread)
NOISES: tuple[type[Noise], ...] = (Photons, Pedestal, ReadOut)  # in the order in which they act
EFFECTS: tuple[type[Effect], ...] = (*FAMILIES, Gradient, *NOISES)
CONDITIONS: dict[str, Condition] = {
    condition.name: condition for effect in EFFECTS for condition in effect.conditions.values()
}


def places_of(effect: type[Effect]) -> tuple[int, ...]:
    """Return the indices in CONDITIONS of the conditions of an effect, field by field."""
    names = list(CONDITIONS)
    return tuple(names.index(condition.name) for condition in effect.conditions.values())


def family_of(spread: PointSpread) -> int:
    """Return the index in FAMILIES of a point spread.

    Raises:
        TypeError: If it is of no family of the table.
    """
    for index, family in enumerate(FAMILIES):
        if family.key == spread.key:
            return index
    raise TypeError(
        f"point spread {spread.key}: expected a row of degrade.table.FAMILIES, got none"
    )


def scale_of(name: str, grid: Grid) -> float:
    """Return the pixels of a condition's unit in a recipe, 1 for other conditions than lengths."""
    return float(grid.shorter) if CONDITIONS[name].parameter.role == "length" else 1.0


def stream_of(name: str) -> str:
    """Return the stream of a condition; no other number is of it."""
    return f"conditions.{name}"


def sample_conditions(
    priors: Mapping[str, Prior], grid: Grid, *, seed: int, index: Tensor
) -> dict[str, Tensor]:
    """Return the conditions of some rows, the same bits as the kernels of `native.scene` write.

    Args:
        priors: The prior of each condition, in the units of a recipe.
        grid: Pixels of the images.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.

    Returns:
        By name, in pixels and radians, float32, shape (B,).
    """
    values = {}
    for name, prior in priors.items():
        u = rng.uniform(seed, (stream_of(name),), index, 1)[:, 0, 0]
        values[name] = (prior.icdf(u) * scale_of(name, grid)).float()
    return values


def middle(priors: Mapping[str, Prior], grid: Grid) -> dict[str, Tensor]:
    """Return the median of each condition, in pixels and radians, float32, shape (1,)."""
    half = torch.tensor([0.5], dtype=torch.float64, device="cpu")
    return {
        name: (prior.icdf(half) * scale_of(name, grid)).float() for name, prior in priors.items()
    }
