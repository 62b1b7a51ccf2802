"""astropy Quantities at every entrance for numbers: converted or refused, never stripped."""

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units as u

import deepbench_torch as db
from deepbench_torch.numerics.quantities import in_unit
from deepbench_torch.objects import OBJECTS
from deepbench_torch.physics import hamiltonian, nbody, pendulum
from deepbench_torch.priors import Choice, Fixed, Integer, LogUniform, Normal, Uniform
from deepbench_torch.priors import prior_from_plain as plain_prior
from deepbench_torch.priors.parameter import Role
from deepbench_torch.recipes.units import series_units
from deepbench_torch.systems import SYSTEMS

TIME = torch.arange(3.0)
ONE = torch.ones(1, 2)
POSITIONS = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
START: dict[str, Any] = {"mass": ONE, "position": POSITIONS, "velocity": POSITIONS * 0}


def swing(**changes: Any) -> Any:
    defaults: dict[str, Any] = {
        "time": TIME,
        "length": 2.0,
        "angle": 0.5,
        "gravity": 9.0,
        "friction": 0.1,
    }
    return pendulum.simulate(**(defaults | changes)).angle


def phase(**changes: Any) -> Any:
    defaults = {"q": 0.5, "length": 2.0, "gravity": 9.0, "duration": 2.0, "steps": 3}
    return hamiltonian.simulate(**(defaults | changes)).q


def orbits(**changes: Any) -> Any:
    defaults = START | {"softening": 0.1, "duration": 1.0, "steps": 2}
    return nbody.simulate(**(defaults | changes)).position


def star(**changes: Any) -> Any:
    defaults = {"x": 4.0, "y": 3.0, "amplitude": 1.0, "gamma": 2.0, "alpha": 3.0} | changes
    batch = {name: torch.as_tensor(value)[None] if type(value) is float else value
             for name, value in defaults.items()}  # fmt: skip
    return OBJECTS["star"].render(batch, db.Grid(7, 9))


def galaxy(**changes: Any) -> Any:
    defaults = {"x": 4.0, "y": 3.0, "amplitude": 1.0, "radius": 2.0, "n": 1.0, "ellip": 0.5}
    return db.reference.render("galaxy", defaults | {"theta": 0.5} | changes, db.Grid(7, 9))


def sky(**changes: Any) -> Any:
    return db.load_recipe("sky").replace(**changes)


def motion(**changes: Any) -> Any:
    return db.load_recipe("pendulum").replace(**changes)


def size(image_size: Any) -> Any:
    return db.generate("star", 0, torch.tensor([0]), image_size=image_size).image


# Entrance, arguments with units, the same arguments without units
CONVERTED: list[tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]] = [
    (swing, {"length": 200 * u.cm}, {"length": 2.0}),
    (swing, {"angle": 30 * u.deg}, {"angle": math.radians(30)}),
    (swing, {"gravity": 900 * u.cm / u.s**2}, {"gravity": 9.0}),
    (swing, {"velocity": 1 * u.rad / u.min}, {"velocity": 1 / 60}),
    (swing, {"friction": 60 * u.kg / u.min}, {"friction": 1.0}),
    (swing, {"mass": 2000 * u.g}, {"mass": 2.0}),
    (swing, {"time": [0, 1000, 2000] * u.ms}, {"time": torch.tensor([0.0, 1.0, 2.0])}),
    (swing, {"length": [100, 200] * u.cm}, {"length": torch.tensor([1.0, 2.0]).double()}),
    (phase, {"q": 30 * u.deg}, {"q": math.radians(30)}),
    (phase, {"p": 1 * u.g * u.m**2 / u.s}, {"p": 1e-3}),
    (phase, {"length": 1 * u.km, "mass": 1 * u.t}, {"length": 1000.0, "mass": 1000.0}),
    (phase, {"duration": 1 * u.min}, {"duration": 60.0}),
    (orbits, {"softening": 10 * u.percent}, {"softening": 0.1}),
    (star, {"x": [4.0] * u.pix}, {"x": torch.tensor([4.0]).double()}),
    (star, {"amplitude": [50.0] * u.percent}, {"amplitude": torch.tensor([0.5]).double()}),
    (galaxy, {"theta": 30 * u.deg}, {"theta": math.radians(30)}),
    (galaxy, {"radius": 2 * u.pix, "x": 4 * u.pix}, {}),
    (size, {"image_size": 12 * u.pix}, {"image_size": 12}),
    (size, {"image_size": (12 * u.pix, 10)}, {"image_size": (12, 10)}),
    (size, {"image_size": [12, 10] * u.pix}, {"image_size": (12, 10)}),
    (db.Grid, {"height": 5 * u.pix, "width": 6, "margin": 1 * u.pix},
     {"height": 5, "width": 6, "margin": 1}),
    (Uniform, {"low": 10 * u.percent, "high": 1}, {"low": 0.1, "high": 1}),
    (plain_prior, {"plain": 10 * u.percent}, {"plain": 0.1}),
    (sky, {"image": {"height": 32 * u.pix}}, {"image": {"height": 32}}),
    (sky, {"objects": {"galaxy": {"theta": 30 * u.deg}}},
     {"objects": {"galaxy": {"theta": math.radians(30)}}}),
    (sky, {"objects": {"galaxy": {"theta": {"uniform": [0, 90] * u.deg}}}},
     {"objects": {"galaxy": {"theta": {"uniform": [0.0, math.radians(90)]}}}}),
    (sky, {"objects": {"galaxy": {"theta": {"choice": {"values": [0 * u.deg, 90 * u.deg],
                                                       "weights": [1, 2]}}}}},
     {"objects": {"galaxy": {"theta": {"choice": {"values": [0.0, math.radians(90)],
                                                  "weights": [1, 2]}}}}}),
    (sky, {"count": None, "scene": [{"galaxy": {"theta": 90 * u.deg}}]},
     {"count": None, "scene": [{"galaxy": {"theta": math.radians(90)}}]}),
    (sky, {"simplify": {"values": {"galaxy": {"theta": 90 * u.deg}}}},
     {"simplify": {"values": {"galaxy": {"theta": math.radians(90)}}}}),
    (sky, {"objects": {"star": {"x": 50 * u.percent}}}, {"objects": {"star": {"x": 0.5}}}),
    (sky, {"degrade": {"blur": {"sigma": 10 * u.percent}}}, {"degrade": {"blur": {"sigma": 0.1}}}),
    (motion, {"parameters": {"length": {"uniform": [50 * u.cm, 1 * u.m]}}},
     {"parameters": {"length": {"uniform": [0.5, 1.0]}}}),
    (motion, {"parameters": {"angle": {"normal": {"mean": 90 * u.deg, "std": 1 * u.deg,
                                                  "low": 0 * u.deg, "high": 3}}}},
     {"parameters": {"angle": {"normal": {"mean": math.radians(90), "std": math.radians(1),
                                          "low": 0.0, "high": 3}}}}),
    (motion, {"time": {"duration": 1 * u.min}}, {"time": {"duration": 60.0}}),
    (motion, {"noise": {"measurement": {"x": 1 * u.cm, "angle": 1 * u.deg}}},
     {"noise": {"measurement": {"x": 0.01, "angle": math.radians(1)}}}),
    (motion, {"noise": {"parameters": {"length": 5 * u.percent}}},
     {"noise": {"parameters": {"length": 0.05}}}),
]  # fmt: skip
# Entrance, arguments with a wrong unit, location in the message
REFUSED: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    *((swing, {name: 3 * u.K}, f"pendulum.{name}") for name in (*pendulum.UNITS, "time")),
    *((phase, {name: 3 * u.K}, f"hamiltonian.{name}") for name in (*hamiltonian.UNITS, "duration")),
    (orbits, {"mass": np.ones((1, 2)) * u.kg}, "nbody.mass"),
    (orbits, {"position": POSITIONS.numpy() * u.au}, "nbody.position"),
    (orbits, {"velocity": POSITIONS.numpy() * u.km / u.s}, "nbody.velocity"),
    *((orbits, {name: 1 * u.m}, f"nbody.{name}")
      for name in ("gravity", "softening", "damping", "duration")),
    *((star, {name: [2.0] * u.m}, f"star.{name}") for name in OBJECTS["star"].fields),
    (star, {"gamma": [2.0] * u.arcsec}, "star.gamma"),
    *((galaxy, {name: 2 * u.m}, f"galaxy.{name}") for name in OBJECTS["galaxy"].fields),
    (size, {"image_size": 3 * u.m}, "image_size"),
    (size, {"image_size": (3, 3 * u.deg)}, "image_size"),
    (size, {"image_size": 3.5 * u.pix}, "image_size"),
    (db.Grid, {"height": 3 * u.m, "width": 3}, "Grid.height"),
    (db.Grid, {"height": 3, "width": 3.5 * u.pix}, "Grid.width"),
    (Uniform, {"low": 0 * u.deg, "high": 90 * u.deg}, "uniform.low"),
    (LogUniform, {"low": 1, "high": 9 * u.m}, "log_uniform.high"),
    (Normal, {"mean": 0, "std": 1 * u.pix}, "normal.std"),
    (Integer, {"low": 0, "high": 3 * u.pix}, "integer.high"),
    (Fixed, {"at": 3 * u.s}, "fixed.at"),
    (Choice, {"values": (1, 2 * u.m)}, "choice.values.1"),
    (plain_prior, {"plain": 3 * u.m}, "recipe"),
    (plain_prior, {"plain": {"uniform": [0 * u.deg, 1 * u.deg]}}, "uniform.low"),
    (sky, {"image": {"height": 3 * u.m}}, "image.height"),
    (sky, {"image": {"height": 3.5 * u.pix}}, "image.height"),
    (sky, {"size": 3 * u.m}, "size"),
    (sky, {"seed": 3 * u.s}, "seed"),
    (sky, {"count": {"integer": [1, 2 * u.pix]}}, "count.integer.1"),
    (sky, {"objects": {"star": {"x": 14 * u.pix}}}, "objects.star.x"),
    (sky, {"objects": {"star": {"gamma": {"uniform": [1, 2] * u.arcsec}}}},
     "objects.star.gamma.uniform"),
    (sky, {"objects": {"star": {"amplitude": 3 * u.mag}}}, "objects.star.amplitude"),
    (sky, {"objects": {"galaxy": {"theta": 3 * u.m}}}, "objects.galaxy.theta"),
    (sky, {"count": None, "scene": [{"star": {"x": 1 * u.pix}}]}, "scene.0.star.x"),
    (sky, {"degrade": {"blur": {"sigma": 2 * u.pix}}}, "degrade.blur.sigma"),
    (sky, {"degrade": {"gaussian": {"sigma": 2 * u.electron}}}, "degrade.gaussian.sigma"),
    (sky, {"layout": {"visible": 0.5 * u.m}}, "layout.visible"),
    *((motion, {"parameters": {name: 1 * u.K}}, f"parameters.{name}")
      for name in ("length", "angle", "velocity", "gravity", "friction", "mass")),
    (motion, {"time": {"duration": 3 * u.m}}, "time.duration"),
    (motion, {"time": {"steps": 3 * u.s}}, "time.steps"),
    (motion, {"noise": {"measurement": {"x": 1 * u.deg}}}, "noise.measurement.x"),
    (motion, {"noise": {"parameters": {"length": 1 * u.cm}}}, "noise.parameters.length"),
]  # fmt: skip


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor | np.ndarray):
        return first.shape == second.shape and np.array_equal(first, second)
    return bool(first == second)


@pytest.mark.parametrize(("entrance", "changes", "plain"), CONVERTED)
def test_a_known_unit_is_converted(
    entrance: Callable[..., Any], changes: dict[str, Any], plain: dict[str, Any]
) -> None:
    assert same(entrance(**changes), entrance(**plain))


@pytest.mark.parametrize(("entrance", "changes", "location"), REFUSED)
def test_a_wrong_unit_is_refused(
    entrance: Callable[..., Any], changes: dict[str, Any], location: str
) -> None:
    with pytest.raises(ValueError, match=rf"(^|: ){location}: expected .+, got .+; .+"):
        entrance(**changes)


def test_every_unit_of_every_system_is_known_to_astropy() -> None:
    for system in SYSTEMS.values():
        unit_at = series_units(system.name)
        for name, quantity in system.fields.items():
            assert unit_at(("parameters", name)).name == quantity.unit
            assert in_unit(2 * u.dimensionless_unscaled, "", where="x") == 2
            in_unit(0 * u.Unit(_astropy(quantity.unit)), quantity.unit, where=name)
        assert unit_at(("time", "duration")).name == system.time_unit


def _astropy(unit: str) -> str:
    return unit.replace("solar mass", "solMass").replace("^", "**").replace("radian", "rad")


def test_every_role_has_a_unit() -> None:
    roles: set[Role] = {field.role for kind in OBJECTS.values() for field in kind.fields.values()}
    assert roles == {"column", "row", "length", "angle", "brightness", "flux", "number"}


def test_astropy_is_not_imported_for_plain_numbers() -> None:
    code = (
        "import sys, torch, deepbench_torch as db; db.generate('sky', 0, torch.arange(2));"
        "db.load_recipe('sky').replace(count=2); print('astropy' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
