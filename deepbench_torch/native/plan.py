"""Plans: a recipe and a seed as arrays, which the kernels read.

Plans are kept by recipe for as long as it lives: to make one takes longer than to make a row.
"""

import math
import weakref
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from deepbench_torch.degrade import PhotonNoise, ReadOutNoise
from deepbench_torch.native.layout import analysis_grid
from deepbench_torch.numerics import exact_math, rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Choice, Fixed, Integer, LogUniform, Normal, Prior, Uniform
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.units import pixel_frame

UNIFORM, LOG_UNIFORM, NORMAL, INTEGER, CHOICE, FIXED = range(6)
ONE_COUNT, COUNTS, LISTED = range(3)  # how the number of objects is decided
NUMBERS = 7  # of one prior
_WORD = (1 << 64) - 1

_WHOLE_SETTINGS = (
    "slots",
    "counting",
    "count_prior",
    "candidates",
    "union",
    "height",
    "width",
    "margin",
    "layout_height",
    "layout_width",
    "layout_margin",
    "photons",
    "read_out",
    "most",
    "adopt",
    "classes",
)
SETTINGS = np.dtype(
    [(name, np.int64) for name in _WHOLE_SETTINGS]
    + [("visible", np.float64)]
    + [(name, np.float32) for name in ("exposure", "background", "sigma")]
    + [(name, np.uint64) for name in ("count", "kind", "adopted", "poisson", "gaussian")],
    align=True,
)
KIND = np.dtype(
    [
        ("address", np.int64),  # of the kernel that adds its light
        ("first", np.int64),  # of its parameters
        ("last", np.int64),  # one after the last of them
        ("prior", np.int64),  # of its number
        ("count", np.uint64),  # stream of its number
        ("kept", np.int64),  # its place among the classes; -1 where it is left out
        ("balance", np.uint64),  # stream that balances it
        ("keep_below", np.float64),  # it stays where its number lies below
        ("add_below", np.float64),  # it is put in where its number lies below and it is missing
    ],
    align=True,
)
PARAMETER = np.dtype(
    [
        ("stream", np.uint64),
        ("scale", np.float64),  # from the units of the recipe to pixels, of the image
        ("shift", np.float64),
        ("layout_scale", np.float64),  # the same of the grid on which layouts are judged
        ("layout_shift", np.float64),
        ("held", np.float64),  # the value that it always has; NaN where it is free
        ("largest", np.float32),
    ],
    align=True,
)
PRIOR = np.dtype(
    [
        ("family", np.int64),
        ("numbers", np.float64, (NUMBERS,)),
        ("first", np.int64),  # of its choices
        ("last", np.int64),
    ],
    align=True,
)


class Plan(NamedTuple):
    """A recipe and a seed, for the kernels.

    Attributes:
        settings: What there is one of, SETTINGS, shape (1,).
        kinds: KIND, shape (K,), in the recipe's order.
        parameters: Those of all kinds, PARAMETER, shape (S,).
        priors: PRIOR, shape (P,).
        chosen: The prior of each parameter and slot, int64, shape (S, slots).
        choices: Cumulative shares and values of the priors' choices, float64, shape (C, 2).
        listed: Which slots hold an object where a recipe lists them, bool, shape (K, slots).
        taps: Weights of the blur from the middle outward, float32, shape (reach + 1,).
    """

    settings: NDArray[Any]
    kinds: NDArray[Any]
    parameters: NDArray[Any]
    priors: NDArray[Any]
    chosen: NDArray[np.int64]
    choices: NDArray[np.float64]
    listed: NDArray[np.bool_]
    taps: NDArray[np.float32]


class Known:
    """What is kept of a recipe.

    Attributes:
        scene_places: For each class, the place of its first parameter and the names of all.
        kinds: For each class, its place among the kinds of the recipe.
        plans: By seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        firsts, first = {}, 0
        for kind, own in recipe.objects.items():
            firsts[kind] = first, tuple(own)
            first += len(own)
        self.scene_places = {kind: firsts[kind] for kind in recipe.classes}
        self.kinds = {kind: list(recipe.objects).index(kind) for kind in recipe.classes}
        self.plans: dict[int, Plan] = {}

    def plan(self, recipe: Recipe, seed: int) -> Plan:
        """Return the plan of a seed."""
        if seed not in self.plans:
            if len(self.plans) >= _MOST_SEEDS:
                self.plans.clear()
            self.plans[seed] = make_plan(recipe, seed)
        return self.plans[seed]


_MOST_SEEDS = 64  # plans kept of one recipe
# by identity: to hash a recipe takes as long as to make a row
_known: dict[int, tuple["weakref.ref[Recipe]", Known]] = {}


def known(recipe: Recipe) -> Known:
    """Return what is kept of a recipe, for as long as it lives."""
    number = id(recipe)
    kept = _known.get(number)
    if kept is None or kept[0]() is not recipe:
        kept = weakref.ref(recipe, lambda _: _known.pop(number, None)), Known(recipe)
        _known[number] = kept
    return kept[1]


def make_plan(recipe: Recipe, seed: int) -> Plan:
    """Return the plan of a recipe and a seed."""
    priors = _Priors()
    names = [(kind, name) for kind, own in recipe.objects.items() for name in own]
    own = [priors.add(prior) for parts in recipe.objects.values() for prior in parts.values()]
    chosen = np.repeat(np.array(own, np.int64)[:, None], recipe.slots, axis=1)
    for slot, part in enumerate(recipe.scene or ()):
        for kind, values in part.items():
            for name, prior in values.items():
                chosen[names.index((kind, name)), slot] = priors.add(prior)
    kinds = _kinds(recipe, seed, priors)
    settings = _settings(recipe, seed, priors)
    return Plan(
        settings=settings,
        kinds=kinds,
        parameters=_parameters(recipe, seed, names),
        priors=np.array(priors.rows, PRIOR),
        chosen=np.ascontiguousarray(chosen),
        choices=np.array(priors.choices or [(0.0, 0.0)], np.float64),
        listed=_listed(recipe),
        taps=_taps(recipe),
    )


def _origin(seed: int, stream: str) -> int:
    return rng.origin(seed, stream) & _WORD


def _settings(recipe: Recipe, seed: int, priors: "_Priors") -> NDArray[Any]:
    """Return what there is one of."""
    made = np.zeros(1, SETTINGS)
    counting = LISTED if recipe.scene is not None else COUNTS if recipe.count is None else ONE_COUNT
    simplify, layout = recipe.simplify, recipe.layout
    blur, photons, read_out = (
        recipe.degrade.blur,
        recipe.degrade.poisson,
        recipe.degrade.gaussian,
    )
    grid, judged = recipe.grid, analysis_grid(recipe)
    facts = {
        "slots": recipe.slots,
        "counting": counting,
        "count_prior": priors.add(recipe.count) if recipe.count is not None else -1,
        "candidates": 0 if layout is None else layout.candidates,
        "visible": 0.0 if layout is None else layout.visible,
        "union": recipe.compose == "union",
        "height": grid.height,
        "width": grid.width,
        "margin": 0 if blur is None else blur.margin(grid.shorter),
        "layout_height": judged.height,
        "layout_width": judged.width,
        "layout_margin": judged.margin,
        "photons": photons is not None,
        "exposure": 1.0 if photons is None else photons.exposure,
        "background": 0.0 if photons is None else photons.background,
        "read_out": read_out is not None,
        "sigma": 0.0 if read_out is None else read_out.sigma,
        "most": recipe.slots if simplify is None or simplify.objects is None else simplify.objects,
        "adopt": counting == ONE_COUNT and len(recipe.classes) < len(recipe.objects),
        "classes": len(recipe.classes),
        "count": _origin(seed, "scene.count"),
        "kind": _origin(seed, "scene.kind"),
        "adopted": _origin(seed, "simplify.kind"),
        "poisson": _origin(seed, PhotonNoise.stream),
        "gaussian": _origin(seed, ReadOutNoise.stream),
    }
    for name, value in facts.items():
        made[name] = value
    return made


def _kinds(recipe: Recipe, seed: int, priors: "_Priors") -> NDArray[Any]:
    from deepbench_torch.native import light  # with numba, when the first row is made

    made = np.zeros(len(recipe.objects), KIND)
    first = 0
    for place, (kind, own) in enumerate(recipe.objects.items()):
        counted = (recipe.counts or {}).get(kind)
        last = first + len(own)
        made[place] = (
            light.address(kind),
            first,
            last,
            -1 if counted is None else priors.add(counted),
            _origin(seed, f"{kind}.count"),
            recipe.classes.index(kind) if kind in recipe.classes else -1,
            _origin(seed, f"simplify.{kind}"),
            *_balance(recipe, counted),
        )
        first = last
    return made


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
        field = OBJECTS[kind].fields[name]
        made[place] = (
            _origin(seed, f"{kind}.{name}"),
            *pixel_frame(field.role, grid)[:2],
            *pixel_frame(field.role, judged)[:2],
            held.get(kind, {}).get(name, math.nan),
            field.largest,
        )
    return made


def _listed(recipe: Recipe) -> NDArray[np.bool_]:
    made = np.zeros((len(recipe.objects), recipe.slots), np.bool_)
    for slot, part in enumerate(recipe.scene or ()):
        for kind in part:
            made[list(recipe.objects).index(kind), slot] = True
    return made


def _taps(recipe: Recipe) -> NDArray[np.float32]:
    if recipe.degrade.blur is None:
        return np.ones(1, np.float32)
    return np.array(recipe.degrade.blur.taps(recipe.grid.shorter), np.float32)


class _Priors:
    """The priors of a plan, collected one by one."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, tuple[float, ...], int, int]] = []
        self.choices: list[tuple[float, float]] = []
        self._places: dict[Prior, int] = {}

    def add(self, prior: Prior) -> int:
        """Return the place of a prior."""
        if prior not in self._places:
            self._places[prior] = len(self.rows)
            family, numbers = self._described(prior)
            first = len(self.choices)
            if isinstance(prior, Choice):
                self.choices += zip([*prior.edges, math.inf], prior.values, strict=True)
            padded = (*numbers, *(0.0,) * (NUMBERS - len(numbers)))
            self.rows.append((family, padded, first, len(self.choices)))
        return self._places[prior]

    def _described(self, prior: Prior) -> tuple[int, tuple[float, ...]]:
        match prior:
            case Uniform(low, high):
                return UNIFORM, (low, high - low, low, math.nextafter(high, low))
            case LogUniform(low, high):
                ends = torch.tensor((low, high), dtype=torch.float64, device="cpu")
                start, end = exact_math.log(ends).tolist()
                return LOG_UNIFORM, (start, end - start, low, high)
            case Normal(mean, std, low, high):
                side, start, share = prior.truncation()
                return NORMAL, (start, share, low, high, side, side * std, mean)
            case Integer(low, high):
                return INTEGER, (low, high - low)
            case Choice():
                return CHOICE, ()
            case Fixed(at):
                return FIXED, (at,)
        raise TypeError(f"no kernel for the prior {prior.name}")
