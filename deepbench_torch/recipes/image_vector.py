"""Vectors of images: scaling by the priors of a recipe, and the brightest object of each kind."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch.quasirandom import SobolEngine

from deepbench_torch.degrade import CONDITIONS, scale_of
from deepbench_torch.numerics import exact_math
from deepbench_torch.numerics.settings import independent_of_settings
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import Fixed, LogUniform, PowerLaw, Prior
from deepbench_torch.priors.nodes import Nodes, evenly, mean_and_std, mixture, nodes
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.recipes.brightest import CONDITION, read_images
from deepbench_torch.recipes.brightness import MAGNITUDE, brightness_of, given_name, parameter_of
from deepbench_torch.recipes.calibration import zero_point_of_sides
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.units import PixelFrame, pixel_frames
from deepbench_torch.recipes.vector import Vector
from deepbench_torch.recipes.vector_parts import AnglePart, NumberPart, VectorPart, angle_moments

SAMPLED = 4096  # points at which the moments of an amplitude that follows from others are summed
_BRIGHTER = 0.4 * math.log(10.0)  # logarithm of the flux, for a magnitude
Priors = Mapping[str, Prior]


@lru_cache(maxsize=128)
@independent_of_settings
def image_vector(recipe: AbstractImageRecipe) -> Vector:
    """Return the vector of a recipe of images; see `Vector`."""
    parts: list[VectorPart] = []
    for kind in possible_kinds(recipe):
        entries = _entries(recipe, kind)
        frames = pixel_frames(kind, recipe.grid)
        for name, parameter in OBJECTS[kind].fields.items():
            source = _Source(kind, name, parameter, frames[name])
            parts += _parts(source, _distributions(recipe, kind, name, entries), entries)
    for name, prior in recipe.degrade.conditions.items():
        frame = PixelFrame(scale_of(name, recipe.grid), 0.0)
        source = _Source(CONDITION, name, CONDITIONS[name].parameter, frame)
        parts += _parts(source, [(nodes(prior), _is_logarithmic(prior))], [{name: prior}])
    return Vector(recipe.name, tuple(parts), partial(read_images, recipe))


def possible_kinds(recipe: AbstractImageRecipe) -> Iterator[str]:
    """Yield the kinds of which an image can hold an object."""
    for kind in recipe.kinds:
        if recipe.scene is not None:
            possible = any(kind in part for part in recipe.scene)
        elif recipe.counts is not None:
            possible = recipe.counts[kind].support[1] > 0
        elif recipe.groups is not None:
            groups = zip(recipe.groups.values(), recipe.group_weights, strict=True)
            possible = any(
                weight > 0 and kind in counts and counts[kind].support[1] > 0
                for counts, weight in groups
            )
        else:
            weight = recipe.kind_weights[list(recipe.objects).index(kind)]
            replaced = recipe.simplify is not None and recipe.simplify.kinds is not None
            number = Fixed(0) if recipe.count is None else recipe.count
            possible = number.support[1] > 0 and (weight > 0 or replaced)
        if possible:
            yield kind


class _Source(NamedTuple):
    """A parameter: its owner, its name, its description and its conversion to pixels."""

    owner: str
    name: str
    parameter: Parameter
    frame: PixelFrame

    @property
    def path(self) -> str:
        """Name in a vector."""
        return f"{self.owner}/{self.name}"


def _entries(recipe: AbstractImageRecipe, kind: str) -> list[Priors]:
    """Return the priors of the objects of a kind, of each entry of a listed scene."""
    listed = recipe.scene or ({kind: recipe.objects[kind]},)
    held = {} if recipe.simplify is None else recipe.simplify.values.get(kind, {})
    fixed = {name: Fixed(value) for name, value in held.items()}
    replaced = {parameter_of(kind, name) for name in fixed}
    return [
        {n: p for n, p in part[kind].items() if parameter_of(kind, n) not in replaced} | fixed
        for part in listed
        if kind in part
    ]


def _distributions(
    recipe: AbstractImageRecipe, kind: str, name: str, entries: list[Priors]
) -> list[tuple[Nodes, bool]]:
    """Return the distribution of a parameter in each entry, and whether it is logarithmic."""
    found = []
    for priors in entries:
        if name in priors:
            found.append((nodes(priors[name]), _is_logarithmic(priors[name])))
        else:
            given = given_name(kind, priors) or name
            positive = given == MAGNITUDE or priors[given].support[0] > 0
            found.append((_derived(recipe, kind, priors, given), positive))
    return found


def _is_logarithmic(prior: Prior) -> bool:
    return isinstance(prior, LogUniform | PowerLaw)


def _derived(recipe: AbstractImageRecipe, kind: str, priors: Priors, given: str) -> Nodes:
    """Return amplitudes that follow from a flux or a magnitude and from the other parameters.

    The moments of an amplitude have no closed form: they are sums over SAMPLED points of a Sobol
    sequence, which is the same for every recipe.
    """
    engine = SobolEngine(len(priors), scramble=False)  # type: ignore[no-untyped-call]
    u = engine.draw(SAMPLED, dtype=torch.float64) + 0.5 / SAMPLED
    sampled = {name: prior.icdf(u[:, n]) for n, (name, prior) in enumerate(priors.items())}
    flux = OBJECTS[kind].flux
    if flux is None:
        raise TypeError(f"no flux of {kind}")
    numbers = []
    for name in OBJECTS[kind].fields:
        is_brightness = name == brightness_of(kind)
        numbers.append(torch.ones_like(u[:, 0]) if is_brightness else sampled[name])
    light = sampled[given]
    if given == MAGNITUDE:
        zero_point = zero_point_of_sides(recipe)
        light = exact_math.exp(((zero_point - light) * _BRIGHTER).clamp(-700.0, 700.0))
    return evenly(light / flux(*numbers))


def _parts(
    source: _Source, distributions: list[tuple[Nodes, bool]], entries: list[Priors]
) -> Iterator[VectorPart]:
    """Yield the part of a parameter; nothing if it is constant."""
    values = torch.cat([distribution.values for distribution, _ in distributions])
    if bool((values == values[0]).all()):
        return
    unit = source.parameter.unit
    if source.parameter.period:
        part = _angle(source, [each for each, _ in distributions], entries)
        if part is not None:
            yield part
        return
    number = mixture([distribution for distribution, _ in distributions])
    logarithmic = any(each for _, each in distributions) and bool((number.values > 0).all())
    solid, largest = _solid(number)
    finite = number.values.where(number.values.isfinite(), solid)
    mean, std = mean_and_std(
        Nodes(exact_math.log(finite) if logarithmic else finite, number.weights)
    )
    yield NumberPart(
        name=source.path,
        unit=unit,
        mean=mean,
        std=std,
        logarithmic=logarithmic,
        scale=source.frame.scale,
        shift=source.frame.shift,
        solid=solid,
        largest=largest,
    )


def _solid(number: Nodes) -> tuple[float, float]:
    """Return the number that stands for infinity, twice the largest finite one, and that one."""
    if bool(number.values.isfinite().all()):
        return math.inf, math.inf
    largest = float(number.values[number.values.isfinite()].max())
    return 2 * largest, largest


def _angle(source: _Source, angles: list[Nodes], entries: list[Priors]) -> AnglePart | None:
    """Return the part of an angle; None if cosine and sine are constant."""
    parameter, fold = source.parameter, source.parameter.fold
    folds = [nodes(priors[fold]) if fold else nodes(Fixed(1.0)) for priors in entries]
    period = parameter.period
    every = torch.cat([each.values for each in folds])
    if bool((every == every[0]).all()):
        period, fold = period / float(every[0]), ""
        folds = [nodes(Fixed(1.0))] * len(folds)
    found = angle_moments(list(zip(angles, folds, strict=True)), period=period)
    if found is None:
        return None
    low = min(priors[source.name].support[0] for priors in entries)
    if not math.isfinite(low):
        low = mean_and_std(mixture(angles))[0] - period / 2  # the range that is centred on the mean
    return AnglePart(
        name=source.path,
        unit=parameter.unit,
        period=period,
        fold=f"{source.owner}/{fold}" if fold else "",
        start=low,
        means=found[0],
        stds=found[1],
    )
