"""Plans: a recipe and a seed as arrays, which the kernels read."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepbench_torch.degrade import (
    CONDITIONS,
    NOISES,
    ArraySpread,
    family_of,
    scale_of,
    stream_of,
)
from deepbench_torch.native.layout import analysis_grid
from deepbench_torch.native.prior_table import PriorTable
from deepbench_torch.native.records import (
    AMPLITUDE,
    CONDITION,
    COUNTS,
    FLUX,
    GROUPS,
    KIND,
    LISTED,
    MAGNITUDE,
    NO_SPREAD,
    NOISE,
    NOT_SET,
    ONE_COUNT,
    PARAMETER,
    PRIOR,
    SETTINGS,
    Plan,
)
from deepbench_torch.numerics import rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.point import POINT
from deepbench_torch.priors import Choice, Fixed, Integer, Prior
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.brightness import (
    brightness_of,
    given_in,
    given_name,
    parameter_of,
    stand_ins,
)
from deepbench_torch.recipes.calibration import zero_point_of_sides
from deepbench_torch.recipes.groups import GROUP_STREAM, group_ends
from deepbench_torch.recipes.units import pixel_frame

_WORD = (1 << 64) - 1
QUANTITIES = {"flux": FLUX, "magnitude": MAGNITUDE}  # by the name of their prior


def make_plan(recipe: Recipe, seed: int) -> Plan:
    """Return the plan of a recipe and a seed."""
    priors = PriorTable()
    names = [(kind, name) for kind in recipe.objects for name in OBJECTS[kind].parameters]
    own = [
        priors.add(prior, quantity=_quantity(kind, name))
        for kind, parts in recipe.objects.items()
        for name, prior in parts.items()
    ]
    chosen = np.repeat(np.array(own, np.int64)[:, None], recipe.slots, axis=1)
    for slot, part in enumerate(recipe.scene or ()):
        for kind, values in part.items():
            for name, prior in values.items():
                place = names.index((kind, parameter_of(kind, name)))
                chosen[place, slot] = priors.add(prior, quantity=_quantity(kind, name))
    kinds = _kinds(recipe, seed, priors)
    settings = _settings(recipe, seed, priors)
    conditions, groups = _conditions(recipe, seed, priors), _groups(recipe, priors)
    return Plan(
        settings=settings,
        kinds=kinds,
        parameters=_parameters(recipe, seed, names),
        priors=np.array(priors.rows, PRIOR),
        chosen=np.ascontiguousarray(chosen),
        choices=np.array(priors.choices or [(0.0, 0.0)], np.float64),
        listed=_listed(recipe),
        conditions=conditions,
        noises=_noises(recipe, seed),
        groups=groups,
        group_ends=np.array(group_ends(recipe), np.float64),
        spread=_spread_pixels(recipe),
    )


def _origin(seed: int, stream: str) -> int:
    return rng.origin(seed, stream) & _WORD


def _settings(recipe: Recipe, seed: int, priors: PriorTable) -> NDArray[Any]:
    """Return the settings: one number each for the whole recipe."""
    made = np.zeros(1, SETTINGS)
    counting = _counting(recipe)
    simplify, layout = recipe.simplify, recipe.layout
    effects, spread = recipe.degrade, recipe.degrade.spread
    grid, judged = recipe.grid, analysis_grid(recipe)
    facts = {
        "slots": recipe.slots,
        "counting": counting,
        "weighted": recipe.weights is not None,
        "count_prior": priors.add(recipe.count) if recipe.count is not None else -1,
        "candidates": 0 if layout is None else layout.candidates,
        "visible": 0.0 if layout is None else layout.visible,
        "least_pixels": 1 if layout is None else layout.least_pixels,
        "zero_point": zero_point_of_sides(recipe),
        "union": recipe.compose == "union",
        "height": grid.height,
        "width": grid.width,
        "margin": 0 if spread is None else spread.margin(grid),
        "layout_height": judged.height,
        "layout_width": judged.width,
        "layout_margin": judged.margin,
        "spread": NO_SPREAD if spread is None else family_of(spread),
        "gradient": effects.gradient is not None,
        "most": recipe.slots if simplify is None or simplify.objects is None else simplify.objects,
        "reassigns": counting == ONE_COUNT and len(recipe.kinds) < len(recipe.objects),
        "classes": len(recipe.kinds),
        "count": _origin(seed, "scene.count"),
        "kind": _origin(seed, "scene.kind"),
        "group": _origin(seed, GROUP_STREAM),
        "reassigned": _origin(seed, "simplify.kind"),
    }
    for name, value in facts.items():
        made[name] = value
    return made


def _kinds(recipe: Recipe, seed: int, priors: PriorTable) -> NDArray[Any]:
    from deepbench_torch.native import brightness, light  # with numba, when a row is first made

    made = np.zeros(len(recipe.objects), KIND)
    spread = recipe.degrade.spread
    points = POINT if spread is None or spread.point is None else spread.point
    weights, first = recipe.kind_weights, 0
    for place, (kind, own) in enumerate(recipe.objects.items()):
        counted = (recipe.counts or {}).get(kind)
        last = first + len(own)
        is_point = kind == POINT.name
        made[place] = (
            light.address(points if is_point else OBJECTS[kind], recipe.image.samples),
            light.address(OBJECTS[kind]),
            first,
            last,
            -1 if counted is None else priors.add(counted),
            # the last kind that comes at all ends at 1 exactly
            math.fsum(weights[: place + 1]) / math.fsum(weights),
            _origin(seed, f"{kind}.count"),
            recipe.kinds.index(kind) if kind in recipe.kinds else -1,
            _origin(seed, f"simplify.{kind}"),
            *_balance(recipe, counted),
            is_point and spread is not None,
            brightness.address(kind) if _has_stand_in(recipe, kind) else 0,
            first + [*OBJECTS[kind].fields].index(brightness_of(kind) or next(iter(own))),
        )
        first = last
    return made


def _quantity(kind: str, name: str) -> int:
    """Return what a prior of this name is of the brightness of a kind."""
    return QUANTITIES[name] if name in stand_ins(kind) else AMPLITUDE


def _has_stand_in(recipe: Recipe, kind: str) -> bool:
    """Return whether the amplitude of any object of a kind follows from its flux or magnitude."""
    held = {} if recipe.simplify is None else recipe.simplify.values
    parts: list[Mapping[str, Iterable[str]]] = [recipe.objects, *(recipe.scene or ()), held]
    return any(name in part.get(kind, ()) for part in parts for name in stand_ins(kind))


def _balance(recipe: Recipe, counted: Prior | None) -> tuple[float, float]:
    """Return below which number a kind stays, and below which it is put in where it is missing."""
    if recipe.simplify is None or not recipe.simplify.balanced or counted is None:
        return math.inf, -math.inf
    share = 1 - chance_of_none(counted)
    if share >= 0.5:
        return 0.5 / share, -math.inf
    return math.inf, (0.5 - share) / (1 - share)


def chance_of_none(prior: Prior) -> float:
    """Return the probability that a number of objects is 0."""
    match prior:
        case Fixed(at):
            return float(at == 0)
        case Integer(low, high):
            return float(low == 0) / (high - low + 1)
        case Choice(values, weights):
            shares = weights or (1.0,) * len(values)
            return sum(w for v, w in zip(values, shares, strict=True) if v == 0) / sum(shares)
    raise TypeError(f"{prior.name} is no prior of a number of objects")


def _parameters(recipe: Recipe, seed: int, names: list[tuple[str, str]]) -> NDArray[Any]:
    made = np.zeros(len(names), PARAMETER)
    held = {} if recipe.simplify is None else recipe.simplify.values
    grid, judged = recipe.grid, analysis_grid(recipe)
    for place, (kind, name) in enumerate(names):
        field, own = OBJECTS[kind].fields[name], held.get(kind, {})
        given = given_name(kind, own) if name == brightness_of(kind) else name
        scale, shift, _ = pixel_frame(field.role, grid)
        made[place] = (
            _origin(seed, f"{kind}.{name}"),
            scale,
            shift,
            *pixel_frame(field.role, judged)[:2],
            own.get(given or name, math.nan),
            _quantity(kind, given or name),
            scale / grid.shorter if field.role in ("column", "row", "length") else 1.0,
            given_in(recipe.objects[kind], kind, name) in (recipe.shared or {}).get(kind, ()),
            field.largest,
        )
    return made


def _listed(recipe: Recipe) -> NDArray[np.bool_]:
    made = np.zeros((len(recipe.objects), recipe.slots), np.bool_)
    for slot, part in enumerate(recipe.scene or ()):
        for kind in part:
            made[list(recipe.objects).index(kind), slot] = True
    return made


def _counting(recipe: Recipe) -> int:
    """Return the code of the rule that sets how many objects an image holds."""
    rules = {LISTED: recipe.scene, COUNTS: recipe.counts, GROUPS: recipe.groups}
    return next((code for code, rule in rules.items() if rule is not None), ONE_COUNT)


def _groups(recipe: Recipe, priors: PriorTable) -> NDArray[np.int64]:
    rows = [
        [priors.add(counts[kind]) if kind in counts else -1 for kind in recipe.objects]
        for counts in (recipe.groups or {}).values()
    ]
    return np.array(rows or [[-1] * len(recipe.objects)], np.int64)


def _conditions(recipe: Recipe, seed: int, priors: PriorTable) -> NDArray[Any]:
    made = np.zeros(len(CONDITIONS), CONDITION)
    own = recipe.degrade.conditions
    for place, name in enumerate(CONDITIONS):
        prior = priors.add(own[name]) if name in own else NOT_SET
        made[place] = _origin(seed, stream_of(name)), prior, scale_of(name, recipe.grid)
    return made


def _noises(recipe: Recipe, seed: int) -> NDArray[Any]:
    made, own = np.zeros(len(NOISES), NOISE), [noise.key for noise in recipe.degrade.noises]
    for place, noise in enumerate(NOISES):
        stream = rng.of_realization(noise.stream, recipe.realization)
        made[place] = noise.key in own, _origin(seed, stream)
    return made


def _spread_pixels(recipe: Recipe) -> NDArray[np.float32]:
    spread = recipe.degrade.spread
    if not isinstance(spread, ArraySpread):
        return np.ones((1, 1), np.float32)
    pixels: NDArray[np.float32] = spread.pixels.numpy()
    return pixels
