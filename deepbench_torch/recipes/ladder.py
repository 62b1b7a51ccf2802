"""A ladder from the simplest version of a recipe to the recipe itself, a named step at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from deepbench_torch.objects import OBJECTS
from deepbench_torch.objects.parameters import Parameter
from deepbench_torch.priors import Fixed, Prior
from deepbench_torch.recipes.changes import merge

if TYPE_CHECKING:
    from deepbench_torch.recipes.recipe import Recipe
    from deepbench_torch.recipes.series import SeriesRecipe

ORIENTATION = ("theta", "phase", "start")  # the parameters that turn an object


class Rung(NamedTuple):
    """One rung of a ladder.

    Attributes:
        name: The step that leads to it; "simplest" for the lowest.
        adds: What the step adds, in words.
        recipe: What is drawn on this rung.
    """

    name: str
    adds: str
    recipe: Any


class Step(NamedTuple):
    """One step of a ladder: what it adds, and the changes of a recipe that take it away."""

    adds: str
    without: Callable[["Recipe"], dict[str, Any]]


def rungs(recipe: "Recipe") -> list[Rung]:
    """The rungs of a recipe, the simplest first and the recipe itself last.

    Every rung draws the same scenes as the one before but for what its step adds: its layouts, and
    all parameters and noise that are not simplified, are the recipe's own to the bit. Steps that
    would change nothing in this recipe are left out.

    Raises:
        ValueError: If the recipe is itself simplified.
    """
    if recipe.simplify is not None:
        raise ValueError(
            f"recipe {recipe.name} is simplified already, got simplify: "
            f"{recipe.simplify.model_dump(exclude_defaults=True)!r}; ask for the rungs of the "
            "recipe without it"
        )
    steps = {name: STEPS[name].without(recipe) for name in recipe.ladder}
    names = [name for name, changes in steps.items() if changes]
    lowest = Rung("simplest", "nothing", _without(recipe, steps, left=names, name="simplest"))
    higher = [
        Rung(name, STEPS[name].adds, _without(recipe, steps, left=names[location + 1 :], name=name))
        for location, name in enumerate(names)
    ]
    return [lowest, *higher] if names else [Rung("simplest", "nothing", recipe)]


def series_rungs(recipe: "SeriesRecipe") -> list[Rung]:
    """The rungs of a recipe of time series: the same motion without noise, then with each of both.

    Steps that would change nothing in this recipe are left out.
    """
    noise = {
        "parameters": recipe.noise.of_parameters,
        "measurement": recipe.noise.of_measurement,
    }
    names = [name for name in SERIES_STEPS if noise[name]]
    rungs = []
    for location, name in enumerate(["simplest", *names]):
        left = names[location:]
        adds = SERIES_STEPS.get(name, "nothing")
        rungs.append(Rung(name, adds, _quieter(recipe, left, name=name) if left else recipe))
    return rungs


def _quieter(recipe: "SeriesRecipe", left: Sequence[str], *, name: str) -> "SeriesRecipe":
    """The recipe without some of its noise."""
    plain = recipe.to_plain()
    plain["name"] = f"{recipe.name}-{name}"
    plain["description"] = f"{recipe.name} without {', '.join(SERIES_STEPS[step] for step in left)}"
    plain["noise"] = plain["noise"] | {step: {} for step in left}
    return type(recipe).model_validate(plain)


def _without(
    recipe: "Recipe", steps: Mapping[str, dict[str, Any]], *, left: Sequence[str], name: str
) -> "Recipe":
    """The recipe without what the steps that are left add."""
    if not left:
        return recipe
    changes: dict[str, Any] = {
        "name": f"{recipe.name}-{name}",
        "description": f"{recipe.name} without {', '.join(STEPS[step].adds for step in left)}",
    }
    for step in left:
        changes = merge(changes, steps[step])
    return recipe.replace(**changes)


def _free(recipe: "Recipe") -> Iterator[tuple[str, str, Parameter, Prior]]:
    """Kind, name, definition and prior of each parameter that varies; none in explicit scenes."""
    if recipe.scene is not None:
        return
    for kind, priors in recipe.objects.items():
        for name, prior in priors.items():
            if not isinstance(prior, Fixed):
                yield kind, name, OBJECTS[kind].fields[name], prior


def _settled(
    wanted: Callable[[str, Parameter], bool],
) -> Callable[["Recipe"], dict[str, Any]]:
    """The step that lets some parameters vary: without it each stands at its median."""

    def without(recipe: "Recipe") -> dict[str, Any]:
        values: dict[str, dict[str, float]] = {}
        for kind, name, field, prior in _free(recipe):
            if wanted(name, field):
                values.setdefault(kind, {})[name] = _median(prior)
        return {"simplify": {"values": values}} if values else {}

    return without


def _median(prior: Prior) -> float:
    return float(prior.icdf(torch.tensor([0.5], dtype=torch.float64, device="cpu")))


def _turns(name: str, _: Parameter) -> bool:
    return name in ORIENTATION


def _locations(_: str, field: Parameter) -> bool:
    return field.role in ("column", "row")


def _shines(_: str, field: Parameter) -> bool:
    return field.role == "brightness"


def _forms(name: str, field: Parameter) -> bool:
    return not (_turns(name, field) or _locations(name, field) or _shines(name, field))


def _all_classes(recipe: "Recipe") -> dict[str, Any]:
    """Half of the classes, but two at least."""
    kept = max(2, (len(recipe.objects) + 1) // 2)
    if kept >= len(recipe.objects) or recipe.scene is not None:
        return {}
    return {"simplify": {"kinds": list(recipe.objects)[:kept]}}


def _own_balance(recipe: "Recipe") -> dict[str, Any]:
    return {} if recipe.counts is None else {"simplify": {"balanced": True}}


def _more_objects(recipe: "Recipe") -> dict[str, Any]:
    return {"simplify": {"objects": 1}} if recipe.slots > 1 else {}


def _blur(recipe: "Recipe") -> dict[str, Any]:
    return {} if recipe.degrade.blur is None else {"degrade": {"blur": None}}


def _noise(recipe: "Recipe") -> dict[str, Any]:
    noisy = recipe.degrade.poisson is not None or recipe.degrade.gaussian is not None
    return {"degrade": {"poisson": None, "gaussian": None}} if noisy else {}


# From the simplest on: what an object is like comes before how many there are, noise comes last.
STEPS: dict[str, Step] = {
    "form": Step("sizes and profiles of every kind", _settled(_forms)),
    "orientation": Step("any orientation", _settled(_turns)),
    "position": Step("any position", _settled(_locations)),
    "brightness": Step("any brightness", _settled(_shines)),
    "classes": Step("all classes", _all_classes),
    "balance": Step("its own balance of classes", _own_balance),
    "objects": Step("several objects", _more_objects),
    "blur": Step("blur", _blur),
    "noise": Step("noise", _noise),
}

# Of time series: the two locations where noise comes in
SERIES_STEPS = {"parameters": "noise of the parameters", "measurement": "noise of the measurement"}
