"""Targets: what a dataset hands out beside the image, row by row, from a Sample."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from deepbench_torch.generate import Sample

Target = str | Sequence[str]


def _label(sample: Sample) -> list[Any]:
    return sample.label.tolist() if sample.label.dim() == 1 else list(sample.label.unbind())


def _index(sample: Sample) -> list[int]:
    return [int(index) for index in sample.index.tolist()]


def _clean(sample: Sample) -> list[Tensor]:
    return list(sample.clean.unbind())


def _parameters(sample: Sample) -> list[dict[str, dict[str, Tensor]]]:
    """By kind: each parameter and `present`, all of shape (slots,)."""
    return [
        {
            kind: {name: values[row] for name, values in parameters.items()}
            | {"present": sample.present[kind][row]}
            for kind, parameters in sample.scene.items()
        }
        for row in range(len(sample.index))
    ]


TARGETS: dict[str, Callable[[Sample], list[Any]]] = {
    "label": _label,
    "parameters": _parameters,
    "clean": _clean,
    "index": _index,
}


def check_target(target: Target) -> Target:
    """The target if every name in it is known.

    Raises:
        ValueError: Naming the first that is not, and all that are.
    """
    names = [target] if isinstance(target, str) else list(target)
    for name in names:
        if name not in TARGETS:
            raise ValueError(
                f"there is no target {name!r}; a target is one of {', '.join(TARGETS)}, "
                "or a list of them for a dict by name"
            )
    return target if isinstance(target, str) else tuple(names)


def target_rows(sample: Sample, target: Target) -> list[Any]:
    """The target of each row of a sample: a value, or a dict by name for several names."""
    if isinstance(target, str):
        return TARGETS[target](sample)
    columns = [TARGETS[name](sample) for name in target]
    return [dict(zip(target, row, strict=True)) for row in zip(*columns, strict=True)]
