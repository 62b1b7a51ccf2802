"""Scenes as tensors: which objects an image holds, as `native.scene` samples them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch.objects import OBJECTS


class Scene(NamedTuple):
    """Objects of B images, in padded slots.

    Attributes:
        tables: By kind, its parameters in their order, shape (parameters, B, slots), in pixels and
            radians. A slot that is not present holds the object that would have been sampled there.
        present: By kind, bool of shape (B, slots).
    """

    tables: dict[str, Tensor]
    present: dict[str, Tensor]

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Mapping[str, Tensor]], present: Mapping[str, Tensor]
    ) -> "Scene":
        """Return the scene of named parameters, as `parameters` gives them."""
        tables = {kind: torch.stack(list(named.values())) for kind, named in parameters.items()}
        return cls(tables, dict(present))

    @classmethod
    def together(cls, parts: Sequence["Scene"]) -> "Scene":
        """Return scenes one after another as one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            {kind: torch.cat([part.tables[kind] for part in parts], 1) for kind in parts[0].tables},
            {kind: torch.cat([part.present[kind] for part in parts]) for kind in parts[0].present},
        )

    def clone(self) -> "Scene":
        """Return a copy, whose tensors can have gradients if inference mode is off."""
        return Scene(
            {kind: table.clone() for kind, table in self.tables.items()},
            {kind: present.clone() for kind, present in self.present.items()},
        )

    def only(self, kinds: Sequence[str]) -> "Scene":
        """Return the scene without other kinds than these."""
        return Scene(
            {kind: self.tables[kind] for kind in kinds},
            {kind: self.present[kind] for kind in kinds},
        )

    @property
    def parameters(self) -> dict[str, dict[str, Tensor]]:
        """By kind and name, shape (B, slots)."""
        return {
            kind: dict(zip(OBJECTS[kind].parameters, table, strict=True))
            for kind, table in self.tables.items()
        }
