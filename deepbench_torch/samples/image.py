"""Samples of images, and the parameters of their scenes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.given_scene import GeneratedScene
from deepbench_torch.samples.base import AbstractSample


class SceneTables(GeneratedScene):
    """The parameters of a scene by kind and name; tensors are made when they are read.

    Args:
        table: All parameters, float32, shape (S, B, slots).
        places: For each kind, the place of its first parameter and the names of all.
        present: For each kind, which slots hold an object.
    """

    __slots__ = ("_made", "_places", "_present", "_table")

    def __init__(
        self,
        table: Tensor,
        places: Mapping[str, tuple[int, Sequence[str]]],
        present: "PresentTables",
    ) -> None:
        self._table = table
        self._present = present
        self._places = places
        self._made: dict[str, dict[str, Tensor]] = {}

    def __getitem__(self, kind: str) -> dict[str, Tensor]:
        if kind not in self._made:
            first, names = self._places[kind]
            columns = self._table[first : first + len(names)].unbind()
            self._made[kind] = dict(zip(names, columns, strict=True))
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __or__(self, other: Mapping[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
        return dict(self) | dict(other)

    def __repr__(self) -> str:
        return repr(dict(self))

    @property
    @override
    def present(self) -> "PresentTables":
        return self._present


class PresentTables(Mapping[str, Tensor]):
    """Masks of the slots that hold an object; tensors are made when they are read.

    Args:
        table: bool, shape (K, B, slots).
        places: For each kind, its place in the table.
    """

    __slots__ = ("_places", "_table")

    def __init__(self, table: Tensor, places: Mapping[str, int]) -> None:
        self._table = table
        self._places = places

    def __getitem__(self, kind: str) -> Tensor:
        return self._table[self._places[kind]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __or__(self, other: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(self) | dict(other)

    def __repr__(self) -> str:
        return repr(dict(self))


@final
@dataclass(frozen=True, kw_only=True)
class Sample(AbstractSample):
    """B images and all that is true of them.

    Attributes:
        image: What a camera records, float32, shape (B, 1, H, W).
        clean: The same without noise, float32, shape (B, 1, H, W).
        label: Class indices, int64, shape (B,); or which kinds are present, float32, shape (B, K).
        index: Row numbers, int64, shape (B,).
        scene: By kind and name, the parameters in pixels and radians, float32, shape (B, slots). A
            slot that is not present holds the object that would have been sampled there.
        present: By kind, which slots hold an object, bool, shape (B, slots).
        conditions: By name, the numbers of point spread, background and noise of each image, in
            pixels and radians, float32, shape (B,), as `fwhm`, `exposure`, `background` or `sigma`.
        recipe: What the images hold, at their size.

    Example:
        >>> import deepbench_torch as db
        >>> import torch
        >>> sample = db.generate("sky", 0, torch.arange(2))
        >>> sample.image.shape, list(sample.scene), sample.present["star"].shape
        (torch.Size([2, 1, 64, 64]), ['star', 'galaxy', 'spiral'], torch.Size([2, 4]))
    """

    image: Tensor
    scene: Mapping[str, Mapping[str, Tensor]]
    present: Mapping[str, Tensor]
    conditions: Mapping[str, Tensor]
    recipe: Recipe

    @property
    @override
    def data(self) -> Tensor:
        return self.image

    @property
    def total(self) -> Tensor:
        """The total light of each image without noise, float64, shape (B,)."""
        return total_light(self.clean[:, 0])

    @property
    def signal_to_noise(self) -> Tensor:
        """The signal-to-noise ratio of all light of an image together, float32, shape (B,).

        That of a matched filter, the root of the sum over pixels of light**2 / variance, where the
        light is without the gradient of the background; infinite without noise.
        """
        light, effects = self.clean[:, 0], self.recipe.degrade
        variance = effects.variance(light, self.conditions)
        if effects.gradient is not None:
            light = light - effects.gradient.light(self.conditions, self.recipe.grid, like=light)
        ratio = (light.square() / variance).nan_to_num(nan=0.0, posinf=torch.inf)
        return ratio.sum((1, 2)).sqrt()

    def parts(self, pixels: int) -> Iterator["Sample"]:
        """Yield the sample in parts of whole rows, each with at most so many pixels of objects."""
        objects = torch.stack([there.sum(1) for there in self.present.values()]).sum(0)
        most = max(objects.tolist(), default=0)
        rows = max(1, pixels // (self.recipe.grid.height * self.recipe.grid.width * max(1, most)))
        for start in range(0, len(objects), rows):
            yield self._part(slice(start, start + rows))

    def _part(self, rows: slice) -> "Sample":
        return replace(
            self,
            image=self.image[rows],
            clean=self.clean[rows],
            label=self.label[rows],
            index=self.index[rows],
            scene={
                kind: {name: values[rows] for name, values in parameters.items()}
                for kind, parameters in self.scene.items()
            },
            present={kind: there[rows] for kind, there in self.present.items()},
            conditions={name: values[rows] for name, values in self.conditions.items()},
        )

    @override
    def tables(self) -> dict[str, Tensor]:
        parts = self.scene, self.present, self.conditions
        return {"label": self.label} | scene_tables(self.recipe, *parts)


def scene_tables(
    recipe: Recipe,
    scene: Mapping[str, Mapping[str, Tensor]],
    present: Mapping[str, Tensor],
    conditions: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return the parameters of scenes, which slots hold an object, and the conditions that vary.

    The keys are their paths in a file. Other conditions are those of the recipe.
    """
    tables = {}
    for kind, parameters in scene.items():
        tables[f"present/{kind}"] = present[kind]
        for name, values in parameters.items():
            tables[f"parameters/{kind}/{name}"] = values
    return tables | {f"conditions/{name}": conditions[name] for name in recipe.degrade.varying}


_DIGITS = 34  # bits of the brightest pixel that a total keeps


def total_light(clean: Tensor) -> Tensor:
    """Return the sum of the pixels of each image (B, H, W), float64, shape (B,).

    Pixels are rounded to 2**-34 of the brightest and added as integers, which no order of addition
    changes: the same bits on every machine.
    """
    exponent = clean.detach().abs().amax((1, 2)).frexp().exponent
    scale = torch.ldexp(torch.ones_like(exponent, dtype=torch.float64), _DIGITS - exponent)
    whole = (clean.detach().double() * scale[:, None, None]).round().long()
    return whole.sum((1, 2)).double() / scale
