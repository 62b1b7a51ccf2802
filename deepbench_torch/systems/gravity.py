"""Parameters of both pendulums: their arm, their bob, and gravity, as such or as a product."""

import math
from collections.abc import Collection

from torch import Tensor

from deepbench_torch.physics import ranges
from deepbench_torch.priors import Fixed, LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.systems.system import Options, Parameters, Quantity, SampledSystems

LENGTH = Quantity("m", Parameter("number", Uniform(0.5, 2.0), **ranges.LENGTH._asdict()))
MASS = Quantity("kg", Parameter("number", Fixed(1.0), **ranges.MASS._asdict()))
ANGLE = Quantity(
    "radian",
    Parameter(
        "number",
        Uniform(-2.8, 2.8),
        ge=-math.pi,
        le=math.pi,
        remedy=ranges.ANGLE_REMEDY,
    ),
    role="start",
    turns=True,
)
GRAVITY = {
    "gravity": Quantity(
        "m / s^2",
        Parameter("number", LogUniform(1.6, 25.0), **ranges.FREE_FALL._asdict()),
    ),
    "big_g": Quantity(
        "m^3 / (kg s^2)",
        Parameter("number", Fixed(6.674e-11), gt=0.0, remedy="in this world it is 6.674e-11"),
    ),
    "phi": Quantity(
        "kg / m^2",
        Parameter(
            "number",
            LogUniform(2.4e10, 3.7e11),
            gt=0.0,
            remedy="it is a planet's mass / radius^2, 1.47e11 for the Earth",
        ),
    ),
}


def needs_gravity(names: list[str], given: Collection[str]) -> list[str]:
    """Return these names without the kind of gravity that is not given: `gravity` if none is.

    Raises:
        ValueError: If two kinds are given.
    """
    product = [name for name in ("big_g", "phi") if name in given]
    if product and "gravity" in given:
        rule = "either gravity or big_g and phi, whose product it is"
        raise ValueError(
            f"expected {rule}, got gravity and {' and '.join(product)}; set gravity to null"
        )
    left_out = ("gravity",) if product else ("big_g", "phi")
    return [name for name in names if name not in left_out]


def gravity_of(parameters: Parameters) -> Tensor:
    """Return the acceleration of free fall [m / s^2], given or as big_g phi."""
    if "gravity" in parameters:
        return parameters["gravity"]
    return parameters["big_g"] * parameters["phi"]


def as_sampled(sampled: dict[str, Tensor], options: Options) -> SampledSystems:
    """Return a system whose parameters are what was drawn."""
    return SampledSystems(sampled)
