"""Vectors: the parameters of a row as numbers for a network, in units of their priors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import torch
from torch import Tensor

from deepbench_torch.numerics.checks import nearest, real_tensor
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.recipes.vector_parts import (
    AnglePart,
    NumberPart,
    VectorPart,
    encode_angles,
    encode_numbers,
)


class Reader(Protocol):
    """Function that returns the parameters of rows and which of them exist."""

    def __call__(
        self,
        given: Any,
        present: Mapping[str, Any] | None,
        conditions: Mapping[str, Any] | None,
        names: Sequence[str],
    ) -> tuple[Tensor, Tensor]:
        """Return values, float64, shape (B, N), and which of them exist, bool, (B, N).

        Args:
            given: A sample, or the parameters of one.
            present: Mask of the slots that hold an object or a body.
            conditions: Conditions by name.
            names: Names of N parameters.
        """


@final
@dataclass(frozen=True, repr=False)
class Vector:
    """The parameters of a row that vary, each with mean 0 and variance 1 under its prior.

    Scaling:
        A log-uniform or power-law prior is scaled in the logarithm. An angle has two columns, the
        cosine and the sine of k times the angle, where 2 pi / k is the symmetry of the object: k is
        2 for an ellipse, the number of vertices for a polygon and 1 for an arc. A uniform angle has
        columns of variance 1 by the factor sqrt(2). Mean and variance are integrals over the prior;
        those of an amplitude that follows from `flux` or `magnitude` are sums over 4,096 fixed
        points, and those of initial positions that a system changes over 4,096 of its systems. An
        infinite thickness counts as twice the largest finite one. Constant parameters are left out.

    Objects:
        The vector has the parameters of the brightest present object of each kind. Brightness is
        the flux of the whole object, alone, also where it is covered or beyond the frame; among
        shapes of one amplitude the largest object is the brightest. A kind without a formula of the
        flux is compared by amplitude. Columns of an absent kind are NaN, so a loss can select the
        columns that are `isfinite`. Time series have columns for each slot, NaN without a body. A
        `layout`, and the choice of the brightest of several objects, shift mean and variance a
        little from those of the prior.

    Sizes:
        The vector is the same at every image size; decoded lengths are in the pixels of the
        recipe's own size.

    Attributes:
        owner: Name of the recipe.
        parts: Parameters and their scaling.
        read: Function that reads the parameters of a sample.

    Example:
        >>> import deepbench_torch as db, torch
        >>> vector = db.load_recipe("galaxy").vector.select(["galaxy/radius", "galaxy/theta"])
        >>> vector.names
        ('galaxy/radius', 'galaxy/theta:cos', 'galaxy/theta:sin')
        >>> sample = db.generate("galaxy", 0, torch.arange(4))
        >>> numbers = vector.encode(sample)
        >>> numbers.shape
        torch.Size([4, 3])
        >>> found = vector.decode(numbers)["galaxy/radius"]
        >>> torch.allclose(found, sample.scene["galaxy"]["radius"][:, 0])
        True
    """

    owner: str
    parts: tuple[VectorPart, ...]
    read: Reader = field(compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, as "galaxy/radius" or "galaxy/theta:cos"."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, as "galaxy/radius"; the keys that `decode` returns."""
        return tuple(part.name for part in self.parts)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each parameter that `decode` returns, "" for a plain number."""
        return tuple(part.unit for part in self.parts)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.names)

    def __repr__(self) -> str:
        counts = (len(self.parts), "parameter"), (len(self), "column")
        title = " in ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts)
        title = f"Vector of {self.owner}: {title}"
        width = max(map(len, self.parameters), default=0)
        return "\n    ".join([title, *(f"{p.name:{width}}  {p.text()}" for p in self.parts)])

    def select(self, names: str | Iterable[str]) -> "Vector":
        """Return the vector of some parameters, in this order.

        Args:
            names: Names of parameters, as "galaxy/radius".

        Raises:
            ValueError: If a name is unknown or comes twice.

        Example:
            >>> import deepbench_torch as db
            >>> db.load_recipe("sky").vector.select("star/gamma")
            Vector of sky: 1 parameter in 1 column
                star/gamma  2.56 +- 0.3695 pixel
        """
        chosen = [names] if isinstance(names, str) else list(names)
        known = {part.name: part for part in self.parts}
        for place, name in enumerate(chosen):
            if name not in known:
                raise ValueError(f"vector: {unknown_parameter(self, name)}")
            if name in chosen[:place]:
                raise ValueError(f"vector: expected each name once, got {name!r} again; remove it")
        return Vector(self.owner, tuple(known[name] for name in chosen), self.read)

    @independent_of_settings
    def encode(
        self,
        scene: Any,
        present: Mapping[str, Any] | None = None,
        *,
        conditions: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """Return the columns of some rows, float32, shape (B, D), on the CPU.

        Args:
            scene: A sample; or its parameters, as `sample.scene` of images or `sample.parameters`
                of time series.
            present: Which slots hold an object or a body, as `sample.present`; only beside
                parameters. If None, every slot whose parameters are not all NaN.
            conditions: Conditions of images, as `sample.conditions`; only beside parameters. If
                None, their columns are NaN.

        Raises:
            ValueError: If a kind or a parameter is unknown or missing, or a shape does not fit.
        """
        needed = dict.fromkeys(name for part in self.parts for name in (part.name, *part.needs))
        values, exists = self.read(scene, present, conditions, names=list(needed))
        places = {name: place for place, name in enumerate(needed)}
        numbers = [part for part in self.parts if isinstance(part, NumberPart)]
        angles = [part for part in self.parts if isinstance(part, AnglePart)]
        own = [[places[part.name] for part in parts] for parts in (numbers, angles)]
        # angles without a fold take 1, which stands behind the values
        folds = [places[part.fold] if part.fold else len(places) for part in angles]
        ones = values.new_ones(len(values), 1)
        plain = encode_numbers(numbers, values[:, own[0]])
        pairs = encode_angles(angles, values[:, own[1]], torch.cat((values, ones), 1)[:, folds])
        plain = torch.where(exists[:, own[0]], plain, torch.nan)
        pairs = torch.where(exists[:, own[1], None], pairs, torch.nan)
        columns = torch.cat((plain, pairs.flatten(1)), 1).float()
        return columns[:, self._order]

    @property
    def _order(self) -> list[int]:
        """Place of each column among those of numbers followed by those of angles."""
        parts = sorted(self.parts, key=lambda part: isinstance(part, AnglePart))
        names = [name for part in parts for name in part.names]
        return [names.index(name) for name in self.names]

    def decode(self, values: Tensor) -> dict[str, Tensor]:
        """Return parameters by name, in pixels, radians and the units of a sample.

        Angles are within their symmetry, from the least angle of their prior on. A number that the
        prior cannot return, as a network may estimate it, is returned as it is.

        Args:
            values: Columns as `encode` returns them, float, shape (B, D) or (..., D).

        Returns:
            float32, shape (B,) or (...) each; differentiable.

        Raises:
            ValueError: If the last dimension is not D, or an angle's symmetry is that of a
                parameter that is not selected.
        """
        numbers = real_tensor(values, where="decode").double()
        if not numbers.dim() or numbers.shape[-1] != len(self):
            raise ValueError(
                f"decode: expected {len(self)} columns, shape (B, {len(self)}), got "
                f"{tuple(numbers.shape)}; pass values as encode returns them"
            )
        sizes = [len(part.names) for part in self.parts]
        columns = dict(zip(self.parts, torch.split(numbers, sizes, dim=-1), strict=True))
        decoded: dict[str, Tensor] = {}
        for part in sorted(self.parts, key=lambda part: len(part.needs)):
            for name in part.needs:
                if name not in decoded:
                    raise ValueError(
                        f"decode: expected {name} beside {part.name}, whose symmetry it is, got "
                        f"none; use select([{name!r}, {part.name!r}])"
                    )
            decoded[part.name] = part.decode(columns[part], decoded)
        return {name: decoded[name].float() for name in self.parameters}


def unknown_parameter(vector: Vector, name: object) -> str:
    """Return the rule, the value and the remedy of a name that is no parameter of a vector."""
    hint = nearest(str(name).split(":")[0], vector.parameters).strip()
    remedy = hint or f"use one of {', '.join(vector.parameters) or 'none'}"
    return f"expected a parameter of {vector.owner} that varies, got {name!r:.60}; {remedy}"
