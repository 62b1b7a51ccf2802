"""Compact storage of weights: 16 bits, or int8 with one scale for each output channel.

Vectors, such as biases and the statistics of BatchNorm, stay float32: they are few, and small
errors of a variance act on a complete channel.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

Precision = Literal["float32", "float16", "bfloat16", "int8"]
PRECISIONS = get_args(Precision)
SCALE = "::scale"  # end of the key of an int8 tensor's scales
HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
LARGEST = 127  # largest int8 value in use, so that the range is symmetric


def quantize(state: Mapping[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """Return a state dict with its matrices and convolutions in a compact type.

    Args:
        state: State dict of a network.
        precision: "float32", "float16" (11 bits of significand), "bfloat16" (8), or "int8", where
            each output channel is scaled by its largest absolute weight.

    Raises:
        ValueError: If a weight is beyond the range of a 16-bit type.

    Example:
        >>> small = quantize({"weight": torch.tensor([[1.0, -0.5]])}, "int8")
        >>> small["weight"].tolist(), small["weight::scale"].tolist()
        ([[127, -64]], [0.007874015718698502])
    """
    stored: dict[str, Tensor] = {}
    for key, value in state.items():
        tensor = value.detach().cpu().contiguous()
        if not tensor.is_floating_point() or tensor.dim() < 2 or precision == "float32":
            stored[key] = tensor.float() if tensor.is_floating_point() else tensor
        elif precision in HALVES:
            stored[key] = _to_half(tensor, HALVES[precision], key=key)
        else:
            stored[key], stored[key + SCALE] = _to_int8(tensor.float())
    return stored


def dequantize(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the float32 state dict of a compact one."""
    state = {}
    for key, tensor in stored.items():
        if key.endswith(SCALE):
            continue
        scale = stored.get(key + SCALE)
        if scale is not None:
            state[key] = tensor.float() * scale.reshape(-1, *[1] * (tensor.dim() - 1))
        else:
            state[key] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def _to_half(tensor: Tensor, dtype: torch.dtype, *, key: str) -> Tensor:
    half = tensor.to(dtype)
    if bool((half.isinf() & tensor.isfinite()).any()):
        largest = float(tensor.abs().max())
        raise ValueError(
            f"{key}: expected at most {torch.finfo(dtype).max:g} in {dtype}, got {largest:g}; take "
            "float32"
        )
    return half


def _to_int8(tensor: Tensor) -> tuple[Tensor, Tensor]:
    largest = tensor.abs().flatten(1).amax(1)
    scale = torch.where(largest > 0, largest / LARGEST, 1.0)
    levels = (tensor / scale.reshape(-1, *[1] * (tensor.dim() - 1))).round()
    return levels.to(torch.int8), scale
