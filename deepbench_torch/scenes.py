"""Scenes: which objects an image holds, with which parameters, and their light together."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch import priors, rng
from deepbench_torch.grid import Grid
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import Role
from deepbench_torch.recipes import Recipe

CHUNK = 1 << 18  # pixels drawn at once: 1 MiB an intermediate, whatever the batch


class Scene(NamedTuple):
    """What B images hold, in padded slots.

    Attributes:
        tables: By kind, its parameters in their order, float32 of shape (parameters, B, slots), in
            pixels and radians. A slot that is not present holds the object that would have been
            drawn there.
        present: By kind, bool of shape (B, slots).
    """

    tables: dict[str, Tensor]
    present: dict[str, Tensor]

    @property
    def parameters(self) -> dict[str, dict[str, Tensor]]:
        """By kind and name, float32 of shape (B, slots)."""
        return {
            kind: dict(zip(OBJECTS[kind].parameters, table, strict=True))
            for kind, table in self.tables.items()
        }


def draw_scene(recipe: Recipe, *, seed: int, index: Tensor) -> Scene:
    """The scenes of some rows, always worked out on the CPU so that their bits never differ.

    Object j of an image takes slot j of its kind. Every parameter has a stream of its own,
    "kind.name", so a change of one prior leaves all other numbers as they were.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    plan = _plan(tuple((kind, *objects) for kind, objects in recipe.objects.items()))
    u = rng.uniform(seed, plan.streams, index, recipe.slots)  # (B, streams, slots)
    distributions = [prior for objects in recipe.objects.values() for prior in objects.values()]
    values = _to_pixels(priors.values(distributions, u[:, 2:]), plan, recipe.grid)
    sizes = [len(objects) for objects in recipe.objects.values()]
    tables = torch.split(values.transpose(0, 1), sizes)  # (parameters, B, slots) each
    return Scene(
        tables=dict(zip(recipe.objects, tables, strict=True)),
        present=_present(recipe, u[:, 0, 0], u[:, 1]),
    )


def _present(recipe: Recipe, count_u: Tensor, kind_u: Tensor) -> dict[str, Tensor]:
    """Which slots hold an object, from unit numbers of shapes (B,) and (B, slots)."""
    count = recipe.count.value(count_u)
    exists = torch.arange(recipe.slots) < count[:, None]  # (B, slots)
    chosen = (kind_u * len(recipe.objects)).long()
    return {kind: exists & (chosen == place) for place, kind in enumerate(recipe.objects)}


class _Plan(NamedTuple):
    """The streams of a scene, what each of its parameters measures and its largest value."""

    streams: tuple[str, ...]
    roles: tuple[Role, ...]
    largest: Tensor  # float32, (S, 1)


@lru_cache(maxsize=256)
def _plan(kinds: tuple[tuple[str, ...], ...]) -> _Plan:
    """The plan for kinds given as (kind, parameter, parameter, ...)."""
    names = [(kind, name) for kind, *parameters in kinds for name in parameters]
    fields = [OBJECTS[kind].fields[name] for kind, name in names]
    below = torch.tensor([[field.below] for field in fields], dtype=torch.float32)
    return _Plan(
        streams=("scene.count", "scene.kind", *(f"{kind}.{name}" for kind, name in names)),
        roles=tuple(field.role for field in fields),
        largest=below.nextafter(torch.tensor(-torch.inf)).where(below.isfinite(), below),
    )


def _to_pixels(values: Tensor, plan: _Plan, grid: Grid) -> Tensor:
    """Values (B, S, slots) from the units of a recipe to pixels, as float32."""
    scale, start = _frame(plan.roles, grid)
    # single precision may round a value up to a bound that it must stay below
    return (values * scale).add_(start).float().minimum(plan.largest)


@lru_cache(maxsize=256)
def _frame(roles: tuple[Role, ...], grid: Grid) -> tuple[Tensor, Tensor]:
    """Factor and offset of each role from fractions to pixels, float64 of shape (S, 1)."""
    sizes: dict[Role, int] = {"column": grid.width, "row": grid.height, "length": grid.shorter}
    scale = [float(sizes.get(role, 1)) for role in roles]
    # the frame begins half a pixel before the first pixel centre
    start = [-0.5 if role in ("column", "row") else 0.0 for role in roles]
    frame = torch.tensor([scale, start], dtype=torch.float64)[..., None]
    return frame[0], frame[1]


def compose(scene: Scene, grid: Grid, *, device: torch.device) -> Tensor:
    """The light of each scene, its objects added up.

    Args:
        scene: B scenes.
        grid: Pixel centres of an H by W image.
        device: Where to draw.

    Returns:
        float32, shape (B, H, W).
    """
    batch = len(next(iter(scene.present.values())))
    image = torch.zeros(batch, *grid.shape, dtype=torch.float32, device=device)
    for kind, present in scene.present.items():
        for slot, there in enumerate(present.unbind(1)):
            rows = there.nonzero()[:, 0]
            _add(image, kind, scene.tables[kind][:, rows, slot], rows, grid)
    return image


def _add(image: Tensor, kind: str, table: Tensor, rows: Tensor, grid: Grid) -> None:
    """Draw objects of one kind, parameters (parameters, n), and add them to n rows of `image`."""
    definition = OBJECTS[kind]
    per_chunk = max(1, CHUNK // (grid.shape[0] * grid.shape[1]))
    parts = zip(torch.split(table, per_chunk, dim=1), torch.split(rows, per_chunk), strict=True)
    for columns, places in parts:
        if len(places):
            light = definition.draw(definition.record(*columns.to(image.device)), grid)
            image.index_add_(0, places.to(image.device), light)
