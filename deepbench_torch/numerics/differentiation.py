"""Tensors inside transforms of torch.func: their plain values, and whether to differentiate.

`vmap`, `jvp`, `grad` and what is built from them wrap tensors. A wrapped batch cannot decide a
Python `if`, so checks read the values underneath.
"""

import torch
from torch import Tensor
from torch._C import _functorch
from torch.autograd import forward_ad


def is_wrapped(tensor: Tensor) -> bool:
    """Return whether a transform of torch.func wraps a tensor."""
    if torch.compiler.is_compiling():  # the compiler traces tensors of its own
        return False
    return bool(_functorch.is_functorch_wrapped_tensor(tensor))


def plain_values(tensor: Tensor) -> Tensor:
    """Return all values of a tensor without derivatives, in any shape if `vmap` wraps it.

    Example:
        >>> torch.func.vmap(lambda x: x * plain_values(x).amax())(torch.tensor([1.0, 2.0]))
        tensor([2., 4.])
    """
    while is_wrapped(tensor):
        tensor = _functorch.get_unwrapped(tensor)
    return tensor.detach()


def is_differentiated(tensor: Tensor) -> bool:
    """Return whether a derivative by a tensor may be needed, in any mode.

    Example:
        >>> is_differentiated(torch.zeros(1)), is_differentiated(torch.zeros(1, requires_grad=True))
        (False, True)
    """
    if tensor.requires_grad or is_wrapped(tensor):
        return True
    if torch.compiler.is_compiling():
        return False
    if forward_ad._current_level < 0:
        return False
    dual = forward_ad.unpack_dual(tensor)  # type: ignore[no-untyped-call]
    return dual.tangent is not None


def alike(tensors: list[Tensor]) -> list[Tensor]:
    """Return tensors of one shape and dtype, all wrapped if one is; bits do not change.

    What is calculated from them is then wrapped as well, so that it may be written in place.
    """
    if not any(map(is_wrapped, tensors)):
        return tensors
    return list(torch.stack(tensors).unbind())
