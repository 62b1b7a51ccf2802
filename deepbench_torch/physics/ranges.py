"""The values of physical quantities that make sense, for simulators and recipes alike."""

import math
from typing import NamedTuple


class Range(NamedTuple):
    """Values of a quantity that make sense.

    Attributes:
        above: Values must be larger than this, or equal to it if `closed`.
        closed: Whether `above` itself makes sense.
        remedy: What to do instead of a value out of range.
    """

    above: float = -math.inf
    closed: bool = False
    remedy: str = "give a finite number"


DAMPING = "a negative one adds energy to the {}; change the sign"

LENGTH = Range(0.0, remedy="give the distance from pivot to bob in metres")
MASS = Range(0.0, remedy="give the mass of the bob in kilograms")
FREE_FALL = Range(0.0, remedy="give its size; that it pulls down is in the formula")
VELOCITY = Range(remedy="give radians a second")
MOMENTUM = Range(remedy="it is mass length**2 dq/dt")
FRICTION = Range(0.0, closed=True, remedy=DAMPING.format("pendulum"))
GRAVITATION = Range(0.0, closed=True, remedy="it attracts; give its size")
DRAG = Range(0.0, closed=True, remedy=DAMPING.format("bodies"))
SOFTENING = Range(0.0, remedy="a tenth of the usual distance between bodies is a start")
ANGLE_REMEDY = "if it is in degrees, multiply it by pi / 180"
