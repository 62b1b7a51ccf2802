"""Conversion of the pendulums of an old configuration to recipes of time series."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from deepbench_torch.convert.parameters import Parameters, number

# Name in the released package: name in a recipe
NAMES = {
    "pendulum_arm_length": "length",
    "starting_angle_radians": "angle",
    "acceleration_due_to_gravity": "gravity",
    "big_G_newton": "big_g",
    "phi_planet": "phi",
    "mass_pendulum_bob": "mass",
    "coefficient_friction": "friction",
}
REQUIRED = ("pendulum_arm_length", "starting_angle_radians")
HAMILTONIAN_NOISE = 0.1  # of q and p; the released package adds it to the values that it returns


def pendulum(
    values: Mapping[str, Any], times: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    """Return the recipe of a Pendulum: small angles, noise at every time."""
    plain = _common(values, times, noise=noise, notes=notes)
    notes.append(
        "the angle follows cos(sqrt(gravity / length) * time); the released package multiplied "
        "the cosine by the time, unlike a pendulum"
    )
    return {
        "system": "pendulum",
        **plain,
        "options": {"method": "small_angle"},
        "noise": {"draw": "step", "parameters": _relative(values, plain["parameters"])},
    }


def hamiltonian(
    values: Mapping[str, Any], times: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    """Return the recipe of a HamiltonianPendulum with its measurement noise."""
    plain = _common(values, times, noise=noise, notes=notes)
    parameters = plain["parameters"]
    parameters.pop("friction", None)
    parameters["q"] = parameters.pop("angle")
    parameters["p"] = 0.0
    notes.append(
        "the swing starts at starting_angle_radians; the released package ignored it and "
        "started at a random angle from 1.3 to 2.3"
    )
    return {
        "system": "hamiltonian_pendulum",
        **plain,
        "noise": {"measurement": dict.fromkeys(("q", "p"), HAMILTONIAN_NOISE)},
    }


def _common(
    values: Mapping[str, Any], times: object, *, noise: float, notes: list[str]
) -> dict[str, Any]:
    for name in REQUIRED:
        if values.get(name) is None:
            raise ValueError(f"image_parameters.{name}: expected a number, got nothing; add it")
    old = Parameters("image_parameters", values, noise=noise, notes=notes)
    old.is_set("noise_std_percent")
    parameters = {
        new: old.number(name, 0.0).plain
        for name, new in NAMES.items()
        if values.get(name) is not None
    }
    if "gravity" in parameters:  # the released package reads the other two only without it
        parameters.pop("big_g", None)
        parameters.pop("phi", None)
    old.note_unknown()
    return {"time": _time(times, notes), "parameters": {"mass": 10.0} | parameters}


def _relative(values: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, float]:
    """Return the relative noise of the parameters that the recipe has."""
    noise = values.get("noise_std_percent") or {}
    if not isinstance(noise, Mapping):
        found = f"got {noise!r:.60}; write `parameter: noise` lines"
        raise ValueError(f"noise_std_percent: expected a mapping, {found}")
    unknown = [name for name in noise if name not in NAMES]
    if unknown:
        found = f"got {unknown[0]!r:.60}; remove it or correct its name"
        raise ValueError(f"noise_std_percent: expected some of {', '.join(NAMES)}, {found}")
    return {
        NAMES[name]: number(f"noise_std_percent.{name}", level)
        for name, level in noise.items()
        if level and NAMES[name] in parameters
    }


def _time(listed: object, notes: list[str]) -> dict[str, Any]:
    """Return the duration and the number of steps of evenly spaced times from 0."""
    if not isinstance(listed, list | tuple) or len(listed) < 2:
        found = f"got {listed!r:.60}; write [0, 1, 2]"
        raise ValueError(f"object_parameters.time: expected two times or more, {found}")
    times = [number("object_parameters.time", time) for time in listed]
    steps = [after - before for before, after in pairwise(times)]
    if times[0] != 0 or max(steps) - min(steps) > 1e-6 * max(steps):
        notes.append(
            f"object_parameters.time, {times[0]:g} to {times[-1]:g}, becomes {len(times)} evenly "
            "spaced times from 0"
        )
    return {"duration": times[-1], "steps": len(times) - 1}
