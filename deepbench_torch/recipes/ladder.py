"""Difficulty ladders: from the simplest version of a recipe to the recipe itself, step by step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from deepbench_torch.degrade import NOISES, Gradient
from deepbench_torch.priors import Fixed, Prior, is_prior, prior_from_plain
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.recipes.base import Rung
from deepbench_torch.recipes.brightness import fields_of
from deepbench_torch.recipes.image_fields import AbstractImageRecipe
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe

ORIENTATION = ("theta", "phase", "start")  # the parameters that rotate an object
Changes = dict[str, Any]


class Step(NamedTuple):
    """One step of a ladder.

    Attributes:
        adds: Short description of what the step adds.
        without: Function that returns the changes of a recipe that remove the step.
    """

    adds: str
    without: Callable[[AbstractImageRecipe], Changes]


def rungs(recipe: AbstractImageRecipe, order: Sequence[str]) -> list[Rung]:
    """Return the rungs of a recipe, the simplest first and the recipe itself last.

    Each rung has the same scenes as the rung below, except for the factor that its step adds.
    Layouts, noise and parameters that are not simplified equal those of the recipe bit for bit.
    Steps that change nothing in this recipe are left out.

    Args:
        recipe: The recipe.
        order: Names of `STEPS` in the order in which they are added.

    Raises:
        ValueError: If the recipe is itself simplified.
    """
    if recipe.simplify is not None:
        raise ValueError(
            f"recipe {recipe.name}: expected no simplify, got "
            f"{recipe.simplify.model_dump(exclude_defaults=True)!r}; request the rungs of the "
            "recipe without it"
        )
    names = [name for name in order if STEPS[name].without(recipe)]
    lowest = Rung("simplest", "nothing", _without(recipe, names, name="simplest"))
    higher = [
        Rung(name, STEPS[name].adds, _without(recipe, names[number:], name=name))
        for number, name in enumerate(names, start=1)
    ]
    return [lowest, *higher] if names else [Rung("simplest", "nothing", recipe)]


def series_rungs(recipe: AbstractSeriesRecipe) -> list[Rung]:
    """Return the rungs of a series recipe: the motion without noise, then each noise added.

    Steps that change nothing in this recipe are left out.
    """
    noise = {
        "parameters": recipe.noise.of_parameters,
        "measurement": recipe.noise.of_measurement,
    }
    names = [name for name in SERIES_STEPS if noise[name]]
    rungs = []
    for number, name in enumerate(["simplest", *names]):
        removed = names[number:]
        adds = SERIES_STEPS.get(name, "nothing")
        rungs.append(
            Rung(name, adds, _without_noise(recipe, removed, name=name) if removed else recipe)
        )
    return rungs


def _without_noise(
    recipe: AbstractSeriesRecipe, removed: Sequence[str], *, name: str
) -> AbstractSeriesRecipe:
    """Return the recipe without the noise of some steps."""
    plain = recipe.to_plain()
    plain["name"] = f"{recipe.name}-{name}"
    plain["description"] = (
        f"{recipe.name} without {', '.join(SERIES_STEPS[step] for step in removed)}"
    )
    plain["noise"] = plain["noise"] | {step: {} for step in removed}
    return type(recipe).model_validate(plain)


def _without(
    recipe: AbstractImageRecipe, removed: Sequence[str], *, name: str
) -> AbstractImageRecipe:
    """Return the recipe without the factors of some steps."""
    if not removed:
        return recipe
    lower = recipe.replace(
        name=f"{recipe.name}-{name}",
        description=f"{recipe.name} without {', '.join(STEPS[step].adds for step in removed)}",
    )
    for step in removed:  # each by what the steps before left
        lower = lower.replace(**STEPS[step].without(lower))
    return lower


def _varying(recipe: AbstractImageRecipe) -> Iterator[tuple[str, str, Parameter, Prior]]:
    """Yield kind, name, definition and prior of each parameter that varies; none for a scene."""
    if recipe.scene is not None:
        return
    for kind, priors in recipe.objects.items():
        for name, prior in priors.items():
            if not isinstance(prior, Fixed):
                yield kind, name, fields_of(kind)[name], prior


def _hold_fixed(
    wanted: Callable[[str, Parameter], bool],
) -> Callable[[AbstractImageRecipe], Changes]:
    """Return the `without` of a step that varies some parameters: each is fixed at its median."""

    def without(recipe: AbstractImageRecipe) -> Changes:
        values: dict[str, dict[str, float]] = {}
        for kind, name, field, prior in _varying(recipe):
            if wanted(name, field):
                values.setdefault(kind, {})[name] = _median(prior)
        return {"simplify": {"values": values}} if values else {}

    return without


def _median(prior: Prior) -> float:
    return float(prior.icdf(torch.tensor([0.5], dtype=torch.float64, device="cpu")))


def _is_orientation(name: str, _: Parameter) -> bool:
    return name in ORIENTATION


def _is_position(_: str, field: Parameter) -> bool:
    return field.role in ("column", "row")


def _is_brightness(_: str, field: Parameter) -> bool:
    return field.role in ("brightness", "flux")


def _is_form(name: str, field: Parameter) -> bool:
    return not (
        _is_orientation(name, field) or _is_position(name, field) or _is_brightness(name, field)
    )


def _fewer_classes(recipe: AbstractImageRecipe) -> Changes:
    """Keep half of the classes, at least two."""
    kept = max(2, (len(recipe.objects) + 1) // 2)
    if kept >= len(recipe.objects) or recipe.scene is not None or recipe.groups is not None:
        return {}
    return {"simplify": {"kinds": list(recipe.objects)[:kept]}}


def _balanced(recipe: AbstractImageRecipe) -> Changes:
    return {} if recipe.counts is None else {"simplify": {"balanced": True}}


def _one_object(recipe: AbstractImageRecipe) -> Changes:
    return {"simplify": {"objects": 1}} if recipe.slots > 1 else {}


def _no_blur(recipe: AbstractImageRecipe) -> Changes:
    return _without_effects(recipe, "psf", "blur")


def _no_noise(recipe: AbstractImageRecipe) -> Changes:
    return _without_effects(recipe, Gradient.key, *(noise.key for noise in NOISES))


def _without_effects(recipe: AbstractImageRecipe, *names: str) -> Changes:
    """Return the changes that remove some effects; none if the recipe has none of them."""
    found = [name for name in names if getattr(recipe.degrade, name) is not None]
    return {"degrade": dict.fromkeys(found)} if found else {}


def _same_conditions(recipe: AbstractImageRecipe) -> Changes:
    """Set each number of blur and noise that varies to its median."""
    plain = recipe.degrade.model_dump(mode="json", exclude_none=True)
    fixed = _medians(plain)
    return {"degrade": fixed} if fixed != plain else {}


def _medians(plain: Any) -> Any:
    """Return plain values with each prior replaced by its median."""
    if not isinstance(plain, Mapping):
        return plain
    if is_prior(plain):
        return _median(prior_from_plain(plain))
    return {key: _medians(value) for key, value in plain.items()}


# In default order: first the properties of an object, then the number of objects, then noise
STEPS: dict[str, Step] = {
    "form": Step("sizes and profiles of every kind", _hold_fixed(_is_form)),
    "orientation": Step("any orientation", _hold_fixed(_is_orientation)),
    "position": Step("any position", _hold_fixed(_is_position)),
    "brightness": Step("any brightness", _hold_fixed(_is_brightness)),
    "classes": Step("all classes", _fewer_classes),
    "balance": Step("its own balance of classes", _balanced),
    "objects": Step("several objects", _one_object),
    "blur": Step("blur", _no_blur),
    "noise": Step("noise", _no_noise),
    "conditions": Step("conditions that vary", _same_conditions),
}

# Steps of time series
SERIES_STEPS = {"parameters": "noise of the parameters", "measurement": "noise of the measurement"}
