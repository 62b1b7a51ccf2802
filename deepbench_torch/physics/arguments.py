"""Arguments of simulators: numbers and tensors as one batch, and their checks."""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.numerics.checks import as_tensor, real_tensor
from deepbench_torch.physics.ranges import ANGLE_REMEDY, Range

Number = float | Tensor

# pi as float32 rounds it, a hair above pi
LARGEST_ANGLE = float.fromhex("0x1.921fb6p+1")


def as_batch(
    owner: str, values: Mapping[str, Number], *, size: int | None = None
) -> dict[str, Tensor]:
    """Return arguments of one value a sample, as tensors of one shape.

    Args:
        owner: The simulator, for messages.
        values: By name, a number or a real tensor of shape () or (B,).
        size: B, where it is known; otherwise that of the tensors, or 1 if there is none.

    Returns:
        By name, float64 tensors of shape (B,); gradients flow through.

    Raises:
        ValueError: If a tensor has another shape or is not real.
    """
    devices = (value.device for value in values.values() if isinstance(value, Tensor))
    device = next(devices, torch.device("cpu"))
    tensors = {
        name: value
        if isinstance(value, Tensor)
        else _float64(value, where=f"{owner}.{name}").to(device)
        for name, value in values.items()
    }
    for name, tensor in tensors.items():
        check_real(f"{owner}.{name}", tensor)
        if size is None and tensor.dim() == 1:
            size = len(tensor)
    size = 1 if size is None else size
    for name, tensor in tensors.items():
        if tensor.shape not in ((), (size,)):
            raise ValueError(
                f"{owner}.{name} must be a number or a tensor of shape ({size},), one value a "
                f"sample, got shape {tuple(tensor.shape)}; expand it to the batch"
            )
    return {name: tensor.double().expand(size) for name, tensor in tensors.items()}


def _float64(value: Any, *, where: str) -> Tensor:
    """Return a number of Python or NumPy as a float64 tensor, exactly."""
    if isinstance(value, str) or value is None:
        raise ValueError(f"{where}: expected a real number, got {value!r:.60}; pass a float")
    return torch.as_tensor(value, dtype=torch.float64, device="cpu")


def as_bodies(owner: str, *, mass: Tensor, position: Tensor, velocity: Tensor) -> list[Tensor]:
    """Return mass (B, N), position and velocity (B, N, D) in one floating dtype, at least float32.

    Raises:
        ValueError: If shapes do not fit, numbers are not finite, or a mass is out of range.
    """
    fields = {"mass": mass, "position": position, "velocity": velocity}
    bodies = {name: real_tensor(field, where=f"{owner}.{name}") for name, field in fields.items()}
    _check_shapes(owner, *(tuple(field.shape) for field in bodies.values()))
    remedy = "give an absent body mass 0 and any finite place"
    for name, field in bodies.items():
        check_finite(f"{owner}.{name}", field, remedy=remedy)
    remedy = "gravity attracts; give an absent body mass 0"
    check_not_negative(f"{owner}.mass", bodies["mass"], remedy=remedy)
    total = bodies["mass"].sum(dim=1)
    remedy = "without mass there is no gravity, so give each system a body of some mass"
    check(f"the sum of {owner}.mass", total, total > 0, must="> 0", remedy=remedy)
    dtype = result_dtype(*bodies.values(), otherwise=torch.float32)
    return [field.to(dtype) for field in bodies.values()]


def _check_shapes(
    owner: str, mass: tuple[int, ...], position: tuple[int, ...], velocity: tuple[int, ...]
) -> None:
    if len(mass) != 2 or mass[1] < 1:
        raise ValueError(
            f"{owner}.mass must have shape (B, N) with N >= 1, got {mass}; "
            "one system is a batch of one, mass[None]"
        )
    for name, found in (("position", position), ("velocity", velocity)):
        if found not in ((*mass, 2), (*mass, 3)) or found != position:
            raise ValueError(
                f"{owner}.{name} must have shape (B, N, D) with D 2 or 3, the same for position "
                f"and velocity, and mass (B, N); got {found} with mass {mass}"
            )


def result_dtype(*values: Number, otherwise: torch.dtype) -> torch.dtype:
    """Return the widest floating dtype of tensors, at least float32; `otherwise` without any."""
    found = [value.dtype for value in values if isinstance(value, Tensor)]
    floating = [dtype for dtype in found if dtype.is_floating_point]
    return reduce(torch.promote_types, floating, torch.float32) if floating else otherwise


def to_array(field: Any) -> NDArray[Any]:
    """Return a tensor as a NumPy array without gradients; on the CPU they share memory."""
    return as_tensor(field).detach().cpu().numpy()


def check_real(name: str, tensor: Tensor) -> None:
    """Refuse complex numbers and truth values.

    Raises:
        ValueError: With the dtype found.
    """
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise ValueError(f"{name} must be real numbers, got {tensor.dtype}; convert it first")


def check(name: str, values: Tensor, allowed: Tensor, *, must: str, remedy: str) -> None:
    """Refuse values that are not allowed, naming the first of them.

    Args:
        name: What the values are.
        values: Of shape (B, ...).
        allowed: Whether each value makes sense: bool, the shape of `values`.
        must: What must hold, after "must be".
        remedy: What to do instead.

    Raises:
        ValueError: With the value and its place in the batch.
    """
    wrong = (~allowed).nonzero()
    if len(wrong):
        index = wrong[0].tolist()
        body = f", body {index[1]}" if len(index) > 1 else ""
        raise ValueError(
            f"{name} must be {must}, got {values[tuple(index)].item():g} "
            f"in sample {index[0]}{body}; {remedy}"
        )


def check_positive(name: str, values: Tensor, *, remedy: str) -> None:
    """Refuse values that are not finite and greater than 0; see `check`."""
    check(name, values, (values > 0) & values.isfinite(), must="finite and > 0", remedy=remedy)


def check_not_negative(name: str, values: Tensor, *, remedy: str) -> None:
    """Refuse values that are not finite and at least 0; see `check`."""
    check(name, values, (values >= 0) & values.isfinite(), must="finite and >= 0", remedy=remedy)


def check_finite(name: str, values: Tensor, *, remedy: str) -> None:
    """Refuse values that are not finite; see `check`."""
    check(name, values, values.isfinite(), must="finite", remedy=remedy)


def check_range(name: str, values: Tensor, allowed: Range) -> None:
    """Refuse values that are not finite or out of a range; see `check`."""
    suited = check_finite
    if allowed.ge is not None:
        suited = check_not_negative
    elif allowed.gt is not None:
        suited = check_positive
    suited(name, values, remedy=allowed.remedy)


def check_angle(name: str, values: Tensor) -> None:
    """Refuse angles beyond half a turn; see `check`."""
    allowed = values.abs() <= LARGEST_ANGLE
    check(name, values, allowed, must="from -pi to pi [radian]", remedy=ANGLE_REMEDY)


def check_steps(owner: str, *, duration: float, steps: int, substeps: int) -> None:
    """Refuse a division of time that gives no step forward.

    Raises:
        ValueError: With what was found.
    """
    number = real_tensor(duration, where=f"{owner}.duration")
    if number.numel() != 1:
        raise ValueError(
            f"{owner}.duration: expected one number, got {number.numel()}; simulate samples of "
            "another duration in a call of their own"
        )
    if not (math.isfinite(duration) and duration > 0):
        raise ValueError(
            f"{owner}.duration must be finite and > 0, got {duration:g}; "
            "to run backwards, turn the starting velocities round"
        )
    for name, count in (("steps", steps), ("substeps", substeps)):
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(
                f"{owner}.{name} must be a whole number >= 1, got {count!r}; "
                "the first recorded time is the start, each step adds one"
            )


def sample_times(duration: float, steps: int) -> Tensor:
    """Return the recorded times, from 0 to `duration`: float64, shape (steps + 1,)."""
    return torch.arange(steps + 1, dtype=torch.float64, device="cpu") * duration / steps
