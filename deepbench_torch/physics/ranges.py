"""The values of physical quantities that make sense, for simulators and recipes alike."""

from typing import NamedTuple


class Range(NamedTuple):
    """Values of a quantity that make sense.

    Attributes:
        gt: Values must be greater than this; None for no such bound.
        ge: Values must be greater than or equal to this.
        remedy: What to do instead of a value out of range.
    """

    gt: float | None = None
    ge: float | None = None
    remedy: str = "give a finite number"


DAMPING = "a negative one adds energy to the {}; change the sign"

LENGTH = Range(gt=0.0, remedy="give the distance from pivot to bob in metres")
MASS = Range(gt=0.0, remedy="give the mass of the bob in kilograms")
FREE_FALL = Range(gt=0.0, remedy="give its size; that it pulls down is in the formula")
VELOCITY = Range(remedy="give radians a second")
MOMENTUM = Range(remedy="it is mass length**2 dq/dt")
FRICTION = Range(ge=0.0, remedy=DAMPING.format("pendulum"))
GRAVITATION = Range(ge=0.0, remedy="it attracts; give its size")
DRAG = Range(ge=0.0, remedy=DAMPING.format("bodies"))
SOFTENING = Range(gt=0.0, remedy="a tenth of the usual distance between bodies is a start")
ANGLE_REMEDY = "if it is in degrees, multiply it by pi / 180"
