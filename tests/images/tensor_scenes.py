"""An oracle of the kernels: which objects an image holds and with which parameters, by tensors."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from deepbench_torch import priors
from deepbench_torch.images.scene import Scene
from deepbench_torch.native.layout import CANDIDATE
from deepbench_torch.numerics import rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.grid import Grid
from deepbench_torch.priors.parameter import Role
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.brightness import brightness_of, parameter_of
from deepbench_torch.recipes.groups import groups_of


def draw_present(recipe: Recipe, *, seed: int, index: Tensor) -> dict[str, Tensor]:
    """Return which slots of each kind hold an object, bool of shape (B, slots).

    Object j of an image takes slot j of its kind, whether kinds are drawn or counted.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    slots = torch.arange(recipe.slots)
    if recipe.scene is not None:
        listed = [kind for part in recipe.scene for kind in part]
        return {
            kind: torch.tensor([other == kind for other in listed]).expand(len(index), -1)
            for kind in recipe.objects
        }
    if recipe.groups is not None:
        group = groups_of(recipe, seed=seed, index=index)
        u = rng.uniform(seed, [f"{kind}.count" for kind in recipe.objects], index, 1)[..., 0]
        there = {}
        for place, kind in enumerate(recipe.objects):
            rows = [counts.get(kind, priors.Fixed(0)) for counts in recipe.groups.values()]
            numbers = torch.stack([prior.icdf(u[:, place]) for prior in rows], dim=1)
            there[kind] = slots < numbers.gather(1, group[:, None])
        return there
    if recipe.count is None:
        counts = recipe.counts or {}  # a recipe has one of the two
        u = rng.uniform(seed, [f"{kind}.count" for kind in counts], index, 1)  # (B, kinds, 1)
        numbers = priors.values(list(counts.values()), u)
        drawn = dict(zip(counts, numbers.unbind(1), strict=True))
        return {kind: slots < drawn[kind] for kind in recipe.objects}
    u = rng.uniform(seed, ("scene.count", "scene.kind"), index, recipe.slots)
    exists = slots < recipe.count.icdf(u[:, 0, :1])
    chosen = (u[:, 1] * len(recipe.objects)).long()
    return {kind: exists & (chosen == place) for place, kind in enumerate(recipe.objects)}


def draw_values(
    recipe: Recipe, *, seed: int, index: Tensor, candidates: range = range(1)
) -> Tensor:
    """The parameters of every slot in the units of the recipe, kind after kind.

    Every parameter has a stream of its own, "kind.name", so a change of one prior leaves all other
    numbers as they were. The candidate layouts of an image take numbers of the same streams.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        candidates: Which of the layouts of each image, in their order.

    Returns:
        float64, shape (B, candidates, parameters of all kinds, slots).
    """
    plan = _plan(recipe)
    starts = torch.tensor([candidate * CANDIDATE for candidate in candidates])
    positions = starts[:, None] + torch.arange(recipe.slots)
    u = rng.uniform_at(seed, plan.streams, index, positions.flatten())
    u = u.view(len(index), len(plan.streams), *positions.shape)
    for kind, names in (recipe.shared or {}).items():
        for name in names:
            place = plan.streams.index(f"{kind}.{name}")
            u[:, place] = u[:, place, :, :1]
    drawn = priors.values(plan.priors, u)
    _draw_listed(drawn, u, recipe, plan)
    _set_amplitudes(drawn, recipe)
    return drawn.transpose(1, 2)


def _set_amplitudes(drawn: Tensor, recipe: Recipe) -> None:
    """Put the amplitudes that fluxes demand in their place; all in recipe units."""
    first = 0
    for kind, objects in recipe.objects.items():
        names, bright = list(objects), brightness_of(kind)
        if "flux" in names and bright is not None and bright != "flux":
            place = first + names.index("flux")
            own = {n: drawn[:, first + number] for number, n in enumerate(names)}
            own[bright] = torch.ones_like(own["flux"])
            formula = OBJECTS[kind].flux
            assert formula is not None
            drawn[:, place] = own["flux"] / formula(*(own[n] for n in OBJECTS[kind].fields))
        first += len(names)


def _draw_listed(drawn: Tensor, u: Tensor, recipe: Recipe, plan: "_Plan") -> None:
    """Put in the values of objects that are listed one by one, from the same numbers."""
    for slot, part in enumerate(recipe.scene or ()):
        for kind, own in part.items():
            first = plan.streams.index(f"{kind}.{next(iter(own))}")
            place = (slice(None), slice(first, first + len(own)), ..., slice(slot, slot + 1))
            drawn[place] = priors.values(tuple(own.values()), u[place])


def to_pixels(
    recipe: Recipe,
    values: Tensor,
    present: dict[str, Tensor],
    grid: Grid,
    *,
    dtype: torch.dtype = torch.float32,
) -> Scene:
    """The scenes of drawn values on a grid: lengths and positions in its pixels."""
    plan = _plan(recipe)
    scale, start = _frame(plan.roles, grid)
    # single precision may round a value up to a bound that it must stay below
    pixels = (values * scale).add_(start).to(dtype).minimum(plan.largest.to(dtype))
    sizes = [len(objects) for objects in recipe.objects.values()]
    tables = torch.split(pixels.transpose(0, 1), sizes)
    return Scene(tables=dict(zip(recipe.objects, tables, strict=True)), present=present)


class _Plan(NamedTuple):
    """Yield of every parameter of a recipe: its stream, prior, role and largest value."""

    streams: tuple[str, ...]
    priors: tuple[priors.Prior, ...]
    roles: tuple[Role, ...]
    largest: Tensor  # float32, (S, 1)


def _plan(recipe: Recipe) -> _Plan:
    return _plan_of(tuple((k, tuple(objects.items())) for k, objects in recipe.objects.items()))


@lru_cache(maxsize=256)
def _plan_of(kinds: tuple[tuple[str, tuple[tuple[str, priors.Prior], ...]], ...]) -> _Plan:
    """The plan for kinds given with the names and priors of their parameters."""
    named = [(kind, name, prior) for kind, parameters in kinds for name, prior in parameters]
    named = [(kind, parameter_of(kind, name), prior) for kind, name, prior in named]
    fields = [OBJECTS[kind].fields[name] for kind, name, _ in named]
    largest = [field.largest for field in fields]
    return _Plan(
        streams=tuple(f"{kind}.{name}" for kind, name, _ in named),
        priors=tuple(prior for _, _, prior in named),
        roles=tuple(field.role for field in fields),
        largest=torch.tensor(largest, dtype=torch.float32)[:, None],
    )


@lru_cache(maxsize=256)
def _frame(roles: tuple[Role, ...], grid: Grid) -> tuple[Tensor, Tensor]:
    """Factor and offset of each role from fractions to pixels, float64 of shape (S, 1)."""
    shorter = grid.shorter
    sizes: dict[Role, int] = {
        "column": grid.width,
        "row": grid.height,
        "length": shorter,
        "flux": shorter * shorter,
    }
    scale = [float(sizes.get(role, 1)) for role in roles]
    # the frame begins half a pixel before the first pixel centre
    start = [-0.5 if role in ("column", "row") else 0.0 for role in roles]
    frame = torch.tensor([scale, start], dtype=torch.float64)[..., None]
    return frame[0], frame[1]
