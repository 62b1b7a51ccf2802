"""Targets of time series: values that a dataset returns beside a series."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from torch import Tensor

from deepbench_torch.samples import SeriesSample, own_rows, row_dicts, vector_rows


def _series_parameters(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return each parameter, float32 of shape () or (slots,), and `present` if there are slots.

    `data.samples(...)` returns them in float64, as the simulators used them.
    """
    return _named_rows(sample, sample.parameters)


def _series_used(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return the parameters with noise; those with noise at every step have shape (T,) first."""
    return _named_rows(sample, sample.used)


def _named_rows(sample: SeriesSample, named: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    columns = dict(named)
    if sample.recipe.system in sample.present:
        columns["present"] = sample.present[sample.recipe.system]
    single = {name: _single(values) for name, values in columns.items()}
    return row_dicts(single, len(sample.index))


def _single(values: Tensor) -> Tensor:
    return values.float() if values.is_floating_point() else values


def _series_energy(sample: SeriesSample) -> list[dict[str, Tensor]]:
    """Return kinetic, potential and total energy without noise, float32 of shape (T,) each."""
    kinetic, potential = sample.kinetic, sample.potential
    return row_dicts(
        {"kinetic": kinetic, "potential": potential, "total": kinetic + potential},
        len(sample.index),
    )


SERIES_TARGETS: dict[str, Callable[[SeriesSample], list[Any]]] = {
    "label": lambda sample: own_rows(sample.label),
    "parameters": _series_parameters,
    "used": _series_used,
    "vector": vector_rows,
    "clean": lambda sample: own_rows(sample.clean),
    "energy": _series_energy,
    "index": lambda sample: sample.index.tolist(),
}


def series_truths(sample: SeriesSample, names: Collection[str]) -> Iterator[SeriesSample]:
    """Yield what targets are computed from: the sample."""
    yield sample
