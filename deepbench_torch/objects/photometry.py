"""Photometry: total light, width and magnitude of objects, worked out from their parameters."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.objects.kind import ObjectKind

# What is derived from parameters, and its unit in tables and files
UNITS = {"flux": "brightness pixel2", "fwhm": "pixel", "magnitude": "mag"}
MEANINGS = {
    "flux": "total light, summed over pixels",
    "fwhm": "full width at half maximum along the major axis",
    "magnitude": "zero_point - 2.5 log10(flux)",
}
_MAGNITUDES = -2.5 / math.log(10.0)


def derived(
    kind: ObjectKind[Any], parameters: Mapping[str, Tensor], *, zero_point: float | None = None
) -> dict[str, Tensor]:
    """Return the quantities that follow from the parameters of objects.

    They describe each object alone and whole: without noise, and as if nothing lay over it or
    beyond the frame. The point spread leaves the flux as it is; the width is that before it. The
    same bits on every CPU.

    Args:
        kind: The kind of the objects, as `OBJECTS["star"]`.
        parameters: Every parameter by name, in pixels and radians, floating, any one shape.
        zero_point: Magnitude of an object of flux 1; None for no magnitudes.

    Returns:
        By name, float64, the shape of the parameters: "flux", the total light, which is the sum of
        the pixels [brightness pixel^2]; "fwhm", the full width at half maximum along the major axis
        [pixel]; and "magnitude". A quantity that the kind does not have, or that is a parameter
        itself, is left out. Differentiable by the parameters.

    Example:
        >>> import deepbench_torch as db, torch
        >>> star = {"x": 0.0, "y": 0.0, "amplitude": 2.0, "gamma": 3.0, "alpha": 3.0}
        >>> star = {name: torch.tensor([value]) for name, value in star.items()}
        >>> derived(db.OBJECTS["star"], star, zero_point=25.0)["flux"]
        tensor([28.2743], dtype=torch.float64)
    """
    numbers = [parameters[name].double() for name in kind.fields]
    found = {}
    if kind.flux is not None:
        found["flux"] = kind.flux(*numbers)
        if zero_point is not None:
            found["magnitude"] = magnitude(found["flux"], zero_point=zero_point)
    if kind.fwhm is not None:
        found["fwhm"] = kind.fwhm(*numbers)
    return {name: found[name] for name in UNITS if name in found and name not in kind.fields}


def magnitude(flux: Tensor, *, zero_point: float) -> Tensor:
    """Return zero_point - 2.5 log10(flux), float64; infinity for no light.

    Args:
        flux: Total light, at least 0, float64, any shape.
        zero_point: Magnitude of flux 1.
    """
    lit = flux > 0.0
    logarithm = exact_math.natural_log(torch.where(lit, flux, 1.0))
    return torch.where(lit, zero_point + _MAGNITUDES * logarithm, math.inf)
