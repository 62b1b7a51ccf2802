"""Dispatch: kernels of a table by their numbers, as branches that the compiler takes in.

One function with all branches: nested functions, each with one, take half as long again to compile.
"""

from collections.abc import Callable, Sequence
from typing import Any

from deepbench_torch.native.compile import kernel


def one_of(kernels: Sequence[Callable[..., Any]]) -> Any:
    """Return a kernel of a number and arguments, which calls the kernel of that number with them.

    Args:
        kernels: At least one, of the same arguments and results. The number is below their count.
    """
    last = len(kernels) - 1
    lines = [f"if number == {k}: return call{k}(*arguments)" for k in range(last)]
    return _compiled("number", [*lines, f"return call{last}(*arguments)"], kernels)


def in_order(kernels: Sequence[Callable[..., Any]]) -> Any:
    """Return a kernel of records and arguments, which calls the kernel of each record that is set.

    Args:
        kernels: One a record; each takes the record, then the arguments.
    """
    lines = [
        f"if records[{k}].is_set: call{k}(records[{k}], *arguments)" for k in range(len(kernels))
    ]
    return _compiled("records", lines, kernels)


def _compiled(first: str, lines: Sequence[str], kernels: Sequence[Callable[..., Any]]) -> Any:
    """Return a kernel of some lines, in which `call0` is the first of the kernels, and so on."""
    names: dict[str, Any] = {f"call{k}": function for k, function in enumerate(kernels)}
    source = f"def chosen({first}, *arguments):\n" + "".join(f"    {line}\n" for line in lines)
    exec(source, names)  # noqa: S102, the source is of numbers alone
    return kernel(names["chosen"])
