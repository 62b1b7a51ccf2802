"""Pendulums of an old configuration, as recipes of time series."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from deepbench_torch.convert.parameters import Parameters, number

# What the released package calls a parameter, and what a recipe calls it
NAMES = {
    "pendulum_arm_length": "length",
    "starting_angle_radians": "angle",
    "acceleration_due_to_gravity": "gravity",
    "big_G_newton": "big_g",
    "phi_planet": "phi",
    "mass_pendulum_bob": "mass",
    "coefficient_friction": "friction",
}
NEEDED = ("pendulum_arm_length", "starting_angle_radians")
HAMILTONIAN_NOISE = 0.1  # of q and p; the released package adds it to what it returns


def pendulum(
    given: Mapping[str, Any], moments: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    """The recipe of a Pendulum, which has small angles and noise at every moment."""
    plain = _common(given, moments, noise=noise, notes=notes)
    notes.append(
        "the angle follows cos(sqrt(gravity / length) time); the released package took the time "
        "out of the cosine, which no pendulum does"
    )
    return {
        "system": "pendulum",
        **plain,
        "options": {"method": "small_angle"},
        "noise": {"draw": "step", "parameters": _relative(given, plain["parameters"])},
    }


def hamiltonian(
    given: Mapping[str, Any], moments: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    """The recipe of a HamiltonianPendulum, with the noise of what it returns."""
    plain = _common(given, moments, noise=noise, notes=notes)
    parameters = plain["parameters"]
    parameters.pop("friction", None)
    parameters["q"] = parameters.pop("angle")
    parameters["p"] = 0.0
    notes.append(
        "the swing starts at starting_angle_radians; the released package started at a random "
        "angle from 1.3 to 2.3 whatever was asked for"
    )
    return {
        "system": "hamiltonian_pendulum",
        **plain,
        "noise": {"measurement": dict.fromkeys(("q", "p"), HAMILTONIAN_NOISE)},
    }


def _common(
    given: Mapping[str, Any], moments: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    for name in NEEDED:
        if given.get(name) is None:
            raise ValueError(f"image_parameters.{name} must be given, got none")
    old = Parameters("image_parameters", given, noise=noise, notes=notes)
    old.given("noise_std_percent")
    parameters = {
        new: old.number(name, 0.0).plain
        for name, new in NAMES.items()
        if given.get(name) is not None
    }
    if "gravity" in parameters:  # the released package looks at the other two only without it
        parameters.pop("big_g", None)
        parameters.pop("phi", None)
    old.finish()
    return {"time": _time(moments, notes), "parameters": {"mass": 10.0} | parameters}


def _relative(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, float]:
    """The noise of those parameters that there are, relative to them."""
    noise = given.get("noise_std_percent") or {}
    if not isinstance(noise, Mapping):
        raise ValueError(f"noise_std_percent must be a mapping, got {noise!r:.60}")
    unknown = [name for name in noise if name not in NAMES]
    if unknown:
        raise ValueError(f"noise_std_percent must name {', '.join(NAMES)}, got {unknown[0]!r}")
    return {
        NAMES[name]: number(f"noise_std_percent.{name}", level)
        for name, level in noise.items()
        if level and NAMES[name] in parameters
    }


def _time(moments: object, notes: list[str]) -> dict[str, Any]:
    """Moments as evenly spaced ones from 0 on."""
    if not isinstance(moments, list | tuple) or len(moments) < 2:
        raise ValueError(f"object_parameters.time must be a list of moments, got {moments!r:.60}")
    times = [number("object_parameters.time", moment) for moment in moments]
    steps = [after - before for before, after in pairwise(times)]
    if times[0] != 0 or max(steps) - min(steps) > 1e-6 * max(steps):
        notes.append(
            f"object_parameters.time, {times[0]:g} to {times[-1]:g}, becomes as many moments, "
            "evenly from 0 on"
        )
    return {"duration": times[-1], "steps": len(times) - 1}
