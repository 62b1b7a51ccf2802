"""Doubtful numbers in valid series recipes: implausible sizes in the system's units."""

import math
from collections.abc import Iterator

from deepbench_torch.numerics.checks import Fault, Location
from deepbench_torch.numerics.quantities import si_scale
from deepbench_torch.priors import Fixed, Prior
from deepbench_torch.priors.converted import quartiles, short_text
from deepbench_torch.recipes.doubts import remedy_by
from deepbench_torch.recipes.series_fields import AbstractSeriesRecipe
from deepbench_torch.systems import Quantity

LARGEST = 1e7  # times the usual size
SMALLEST = 1e-9


def series_doubts(recipe: AbstractSeriesRecipe) -> Iterator[Fault]:
    """Yield the numbers of a recipe that are valid, but implausible in the system's units.

    A parameter is doubtful if a quarter of its values exceeds 1e7 times the usual size. A positive
    parameter is also doubtful below 1e-9 times that size. A duration or a noise is doubtful above
    1e7.
    """
    system = recipe.definition
    for name, prior in recipe.parameters.items():
        quantity = system.fields[name]
        yield from _doubt(("parameters", name), prior, quantity.unit, *_usual(quantity))
    duration = Fixed(recipe.time.duration)
    yield from _doubt(("time", "duration"), duration, system.time_unit, 1.0, 0.0)
    units = {channel.quantity: channel.unit for channel in recipe.channels}
    for name, sigma in recipe.noise.of_measurement.items():
        yield from _doubt(("noise", "measurement", name), Fixed(sigma), units[name], 1.0, 0.0)


def _usual(quantity: Quantity) -> tuple[float, float]:
    """Return the largest size of the usual values, and the smallest if they are positive."""
    sizes = [abs(end) for end in quantity.rule.prior.support]
    return max(sizes) or 1.0, min(sizes) if quantity.rule.lower == 0 else 0.0


def _doubt(
    location: Location, prior: Prior, unit: str, largest: float, smallest: float
) -> Iterator[Fault]:
    def doubts(found: Prior) -> bool:
        sizes = [abs(value) for value in quartiles(found) if math.isfinite(value)]
        return any(size > LARGEST * largest or 0 < size < SMALLEST * smallest for size in sizes)

    if not doubts(prior):
        return
    rule = f"a number in {unit}" if unit else "a number"
    scale = si_scale(unit)
    remedy = f"write it in {unit}" if unit else "write a smaller number"
    if scale != 1:
        converted = remedy_by(lambda value: value / scale, prior, doubts=doubts)
        remedy = f"in SI units {converted}" if "probably" in converted else remedy
    size = f"the usual size, {smallest:g} to {largest:g}" if smallest else f"about {largest:g}"
    yield Fault(location, f"expected {rule} of {size}, got {short_text(prior)}; {remedy}")
