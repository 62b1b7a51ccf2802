"""Time series equal what the simulators of `physics` return for the truth beside them."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.physics import hamiltonian, nbody, pendulum
from deepbench_torch.physics.arguments import sample_times
from deepbench_torch.priors import Normal
from deepbench_torch.recipes.series_priors import sample_priors
from tests.series.series_cases import CASES, PRODUCT, made, noisy, short

ROWS = torch.arange(12)


def columns(sample: db.SeriesSample, *, of: Tensor) -> dict[str, Tensor]:
    """Channels by name, shape (B, T)."""
    names = [channel.name for channel in sample.recipe.channels]
    return dict(zip(names, of.unbind(2), strict=True))


def gravity(parameters: dict[str, Tensor]) -> Tensor:
    if "gravity" in parameters:
        return parameters["gravity"]
    return parameters["big_g"] * parameters["phi"]


def silent(case: str) -> db.SeriesSample:
    """Some rows without noise of measurement."""
    return db.generate(CASES[case].replace(noise={"measurement": None}), 0, ROWS)


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].noise.draw == "trajectory"])
def test_the_truth_gives_the_series_again(case: str) -> None:
    """Oracle: the simulator, from the parameters drawn and from those that acted."""
    sample = silent(case)
    for parameters, series in ((sample.parameters, sample.clean), (sample.used, sample.series)):
        assert torch.equal(AGAIN[sample.recipe.system](sample.recipe, parameters), series)


def pendulum_again(recipe: db.SeriesRecipe, p: dict[str, Tensor]) -> Tensor:
    method: Any = recipe.chosen["method"]
    motion = pendulum.simulate(
        sample_times(recipe.time.duration, recipe.time.steps),
        length=p["length"],
        angle=p["angle"],
        gravity=gravity(p),
        velocity=p["velocity"],
        friction=p["friction"],
        mass=p["mass"],
        method=method,
    )
    return torch.cat(
        (motion.angle[..., None], motion.velocity[..., None], motion.position), dim=2
    ).float()


def hamiltonian_again(recipe: db.SeriesRecipe, p: dict[str, Tensor]) -> Tensor:
    path = hamiltonian.simulate(
        p["q"],
        p["p"],
        length=p["length"],
        gravity=gravity(p),
        mass=p["mass"],
        duration=recipe.time.duration,
        steps=recipe.time.steps,
        substeps=recipe.time.substeps,
    )
    return torch.stack((path.q, path.p, path.dq_dt, path.dp_dt), dim=2).float()


def nbody_again(recipe: db.SeriesRecipe, p: dict[str, Tensor]) -> Tensor:
    """Each system with its own number of bodies: none stands for an absent one."""
    axes = ("x", "y", "z")[: int(recipe.chosen["dimensions"])]
    series = torch.zeros(len(p["mass"]), recipe.time.steps + 1, recipe.slots, 2 * len(axes))
    for row, count in enumerate(p["bodies"].long().tolist()):
        motion = nbody.simulate(
            p["mass"][row : row + 1, :count],
            torch.stack([p[axis][row, :count] for axis in axes], dim=1)[None],
            torch.stack([p[f"v{axis}"][row, :count] for axis in axes], dim=1)[None],
            gravity=float(p["gravity"][row]),
            softening=float(p["softening"][row]),
            damping=float(p["damping"][row]),
            duration=recipe.time.duration,
            steps=recipe.time.steps,
            substeps=recipe.time.substeps,
        )
        series[row, :, :count] = torch.cat((motion.position, motion.velocity), dim=3)[0].float()
    return series.flatten(2)


AGAIN = {
    "pendulum": pendulum_again,
    "hamiltonian_pendulum": hamiltonian_again,
    "nbody": nbody_again,
}


def test_systems_of_bodies_are_bound_and_their_centre_rests() -> None:
    """Invariants: the energy is (virial - 1) times the potential's size; momentum stays 0."""
    recipe = short("nbody")
    sample = db.generate(recipe, 0, torch.arange(200))
    share = sample.kinetic[:, 0].double() / -sample.potential[:, 0].double()
    torch.testing.assert_close(share, sample.parameters["virial"], rtol=1e-6, atol=0)
    assert (sample.kinetic + sample.potential < 0).all()
    bodies = sample.clean.double().view(200, recipe.shape[0], 5, 4)
    momentum = (bodies * sample.parameters["mass"][:, None, :, None]).sum(2)
    # float32 rounds each velocity, up to 30 au / yr, by 6e-8 of itself
    assert momentum.abs().max() < 1e-5


def row_of(parameters: dict[str, Tensor], row: int, bodies: int) -> dict[str, Any]:
    """The parameters of one system: an array of its bodies each, or a number."""
    return {
        name: values[row].numpy()[:bodies] if values.dim() == 2 else float(values[row])
        for name, values in parameters.items()
    }


def test_bodies_start_at_equal_shares_of_escape_round_their_centre() -> None:
    """Oracle: the words of the recipe in numpy, a system at a time, up to the scale of speeds."""
    recipe = short("nbody")
    samples, sample = sample_priors(recipe, seed=0, index=ROWS), db.generate(recipe, 0, ROWS)
    for row, count in enumerate(samples["bodies"].long().tolist()):
        sampled, found = (row_of(each, row, count) for each in (samples, sample.parameters))
        share = sampled["mass"] / sampled["mass"].sum()
        position = np.stack((sampled["x"], sampled["y"]), axis=1)
        position = position - share @ position
        apart = np.linalg.norm(position[:, None] - position, axis=2)
        pull = sampled["gravity"] * sampled["mass"] / np.hypot(apart, sampled["softening"])
        escape = np.sqrt(2 * (pull.sum(axis=1) - pull.diagonal()))
        way = np.stack((sampled["vx"], sampled["vy"]), axis=1)
        turn = position[:, ::-1] * [-1, 1] / np.linalg.norm(position, axis=1, keepdims=True)
        way = way + sampled["rotation"] * turn
        speed = way / np.linalg.norm(way, axis=1, keepdims=True) * escape[:, None]
        speed = speed - share @ speed
        velocity = np.stack((found["vx"], found["vy"]), axis=1)
        np.testing.assert_allclose(np.stack((found["x"], found["y"]), axis=1), position, atol=1e-12)
        # sums and roots of numbers of order 1 to 30
        np.testing.assert_allclose(
            velocity / np.linalg.norm(velocity), speed / np.linalg.norm(speed), atol=1e-12
        )


def test_absent_bodies_are_zero_and_the_others_are_there() -> None:
    sample = db.generate(short("nbody"), 0, torch.arange(300))
    there = sample.present["nbody"]
    assert torch.equal(there.sum(1), sample.parameters["bodies"].long())
    assert set(there.sum(1).tolist()) == {2, 3, 4, 5}
    bodies = sample.series.view(300, -1, 5, 4)
    assert torch.equal((bodies != 0).any(3).any(1), there)
    assert torch.equal(sample.parameters["mass"] > 0, there)
    for name in ("x", "y", "vx", "vy"):
        assert (sample.parameters[name][~there] == 0).all()


def test_bodies_that_start_at_rest_or_alone() -> None:
    """A cold collapse and a single body have no kinetic energy to scale."""
    cold = {"vx": 0.0, "vy": 0.0, "rotation": 0.0}
    sample = db.generate(short("nbody", parameters=cold), 0, ROWS)
    assert (sample.kinetic[:, 0] == 0).all()
    assert (sample.kinetic[:, -1] > 0).all()
    alone = db.generate(short("nbody", parameters={"bodies": 1}), 0, ROWS)
    assert alone.clean.abs().max() < 1e-15  # its place less itself, rounded


@pytest.mark.parametrize(
    ("name", "bound"), [("pendulum", 1e-6), ("hamiltonian_pendulum", 2e-5), ("nbody", 2e-3)]
)
def test_packaged_recipes_keep_their_energy(name: str, bound: float) -> None:
    """The bounds that the comments of the recipes state; 1e-6 is the rounding of float32."""
    sample = db.generate(name, 0, torch.arange(64))
    total = sample.kinetic.double() + sample.potential.double()
    scale = total[:, :1].abs() if name == "nbody" else sample.potential.abs().amax(1)[:, None]
    assert ((total - total[:, :1]).abs() / scale).max() < bound


@pytest.mark.parametrize("case", ["pendulum", "pendulum pushed", "pendulum small"])
def test_energies_of_a_pendulum(case: str) -> None:
    """Oracle: m v**2 / 2 of its speed and m g h of its height, from the positions alone."""
    sample = silent(case)
    column, p = columns(sample, of=sample.clean.double()), sample.parameters
    speed = column["velocity"] * p["length"][:, None]
    kinetic = p["mass"][:, None] * speed**2 / 2
    potential = (p["mass"] * p["gravity"])[:, None] * (column["y"] + p["length"][:, None])
    torch.testing.assert_close(kinetic, sample.kinetic.double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(potential, sample.potential.double(), rtol=1e-4, atol=1e-5)


def test_gravity_of_a_planet_is_gravity() -> None:
    """The hierarchical case: the same motion as of the product, given."""
    of_planet = db.generate(short("pendulum", parameters=PRODUCT), 0, ROWS[:1])
    product = float(gravity(of_planet.parameters)[0])
    given = db.generate(short("pendulum", parameters={"gravity": product}), 0, ROWS[:1])
    assert torch.equal(of_planet.clean, given.clean)
    assert of_planet.recipe.classes == ["length", "angle", "phi"]


def test_noise_by_step_shows_each_time_of_a_pendulum_by_itself() -> None:
    """Oracle: the simulator at one moment with the parameters of that moment, one by one."""
    sample = silent("pendulum noisy by step")
    used = sample.used
    for number, time in enumerate(sample.time.tolist()):
        now = {name: v[:, number] if v.dim() == 2 else v for name, v in used.items()}
        motion = pendulum.simulate(
            torch.tensor([time], dtype=torch.float64),
            length=now["length"],
            angle=now["angle"],
            gravity=now["gravity"],
            velocity=now["velocity"],
            friction=now["friction"],
        )
        torch.testing.assert_close(
            sample.series[:, number, 0].double(), motion.angle[:, 0], rtol=1e-6, atol=1e-6
        )
        torch.testing.assert_close(
            sample.series[:, number, 1].double(), motion.velocity[:, 0], rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("hamiltonian_pendulum", {}),
        ("hamiltonian_pendulum", {"length": 1.0, "mass": 1.0, "p": 10.0}),  # over the top
        ("nbody", {}),
    ],
)
def test_parameters_that_stay_as_they_are_act_step_by_step_as_at_once(
    name: str, parameters: dict[str, Any]
) -> None:
    """Invariant: noise by step too small for float64 to hold changes nothing but rounding."""
    noise = {"draw": "step", "parameters": {"mass": 1e-18}, "measurement": None}
    recipe = short(name, noise=noise, parameters=parameters)
    sample = db.generate(recipe, 0, ROWS)
    assert sample.used["mass"].shape[1] == recipe.shape[0]
    torch.testing.assert_close(sample.series, sample.clean, rtol=1e-5, atol=1e-6)


def test_parameters_by_step_act_until_the_next_time() -> None:
    """Oracle: the simulator, step after step, by hand."""
    sample = silent("hamiltonian noisy by step")
    used, recipe = sample.used, sample.recipe
    assert used["q"].dim() == 1  # there is one start, so its noise is drawn once
    q, p = used["q"], used["p"]
    for number in range(recipe.time.steps):
        now = {name: v[:, number] if v.dim() == 2 else v for name, v in used.items()}
        torch.testing.assert_close(sample.series[:, number, 0].double(), q, rtol=1e-6, atol=1e-6)
        path = hamiltonian.simulate(
            torch.remainder(q + math.pi, 2 * math.pi) - math.pi,
            p,
            length=now["length"],
            gravity=gravity(now),
            mass=now["mass"],
            duration=recipe.time.duration / recipe.time.steps,
            steps=1,
            substeps=recipe.time.substeps,
        )
        q, p = q + path.q[:, 1] - path.q[:, 0], path.p[:, 1]


def test_parameters_of_bodies_by_step_act_until_the_next_time() -> None:
    """Oracle: the simulator, step after step, by hand."""
    sample = silent("nbody noisy by step")
    used, recipe = sample.used, sample.recipe
    there = sample.present["nbody"][..., None]
    position, speed = (
        torch.stack([used[n] for n in names], dim=2) for names in ("xy", ("vx", "vy"))
    )
    for number in range(recipe.time.steps):
        found = sample.series[:, number].double().view(len(ROWS), recipe.slots, 4)
        expected = torch.where(there, torch.cat((position, speed), dim=2), 0.0)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
        motion = nbody.simulate(
            used["mass"][:, number],
            position,
            speed,
            gravity=used["gravity"][:, number],
            softening=used["softening"],
            duration=recipe.time.duration / recipe.time.steps,
            steps=1,
            substeps=recipe.time.substeps,
        )
        position, speed = motion.position[:, 1], motion.velocity[:, 1]


def test_noise_of_parameters_is_normal_and_relative() -> None:
    """Oracle: a test of Kolmogorov and Smirnov against the normal distribution, at 1 in 1000."""
    recipe = short("pendulum", noise=noisy("trajectory", "length", "gravity"))
    sample = db.generate(recipe, 0, torch.arange(4000))
    error = {n: (sample.used[n] / sample.parameters[n] - 1) / 0.05 for n in ("length", "gravity")}
    for values in error.values():
        assert stats.kstest(values.numpy(), "norm").pvalue > 1e-3
    pair = np.corrcoef(error["length"].numpy(), error["gravity"].numpy())
    assert abs(pair[0, 1]) < 4 / math.sqrt(4000)
    assert torch.equal(sample.used["mass"], sample.parameters["mass"])


def test_noise_by_step_is_another_at_every_time_and_body() -> None:
    sample = made("nbody noisy by step", *range(200))
    there = sample.present["nbody"]
    error = sample.used["mass"].transpose(1, 2)[there] / sample.parameters["mass"][there][:, None]
    assert len(set(error.flatten().tolist())) == error.numel()
    assert stats.kstest(((error - 1) / 0.05).flatten().numpy(), "norm").pvalue > 1e-3
    assert sample.used["x"].shape == sample.parameters["x"].shape


def test_noise_of_measurement_is_normal_in_the_units_of_each_channel() -> None:
    recipe = short("nbody")
    sample = db.generate(recipe, 0, torch.arange(400))
    error = (sample.series - sample.clean).double()
    for column, channel in enumerate(recipe.channels):
        there = sample.present["nbody"][:, channel.slot]
        sigma = recipe.noise.of_measurement[channel.quantity]
        values = (error[there][..., column] / sigma).flatten()
        assert stats.kstest(values.numpy(), "norm").pvalue > 1e-4, channel.name


def test_noise_keeps_angles_in_half_a_turn_and_sizes_positive() -> None:
    """Noise may carry an arm over the top: it is the same place, seen from the other side."""
    recipe = short(
        "pendulum",
        parameters={"angle": 3.14, "friction": 0.1},
        noise={"parameters": {"angle": 0.5, "length": 0.5, "friction": 0.5}},
    )
    used = db.generate(recipe, 0, torch.arange(2000)).used
    assert used["angle"].abs().max() <= math.pi
    assert used["angle"].min() < -1
    assert used["length"].min() > 0
    assert used["friction"].min() > 0
    law = Normal(1.0, 0.5, 0.01, 1.99)
    assert law.contains(used["friction"] / 0.1 * (1 - 1e-12)).all()


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (
        "pendulum",
        {"parameters": {"length": -1}},
        "parameters.length: expected a number > 0, got -1",
    ),
    ("pendulum", {"parameters": {"length": 0}}, "give the distance from pivot to bob in metres"),
    ("pendulum", {"parameters": {"mass": 0}}, "parameters.mass: expected a number > 0"),
    ("pendulum", {"parameters": {"angle": 45}}, "in degrees, multiply it by pi / 180"),
    ("pendulum", {"parameters": {"arm": 1}}, "parameters.arm: expected one of the names length"),
    ("pendulum", {"parameters": {"phi": 1}}, "expected either gravity or big_g and phi"),
    ("pendulum", {"parameters": {"friction": -1}}, "adds energy to the pendulum"),
    (
        "pendulum",
        {"options": {"method": "exat"}},
        "options.method: expected .exact. or .* got .exat.; did you mean .exact.",
    ),
    ("pendulum", {"options": {"colour": 1}}, "options.colour: expected one of the names method"),
    (
        "pendulum",
        {"noise": {"parameters": {"arm": 0.1}}},
        "noise.parameters.arm: expected one of the names length",
    ),
    ("pendulum", {"noise": {"parameters": {"length": 0.6}}}, "expected a number <= 0.5, got 0.6"),
    ("pendulum", {"noise": {"parameters": {"length": -0.1}}}, "expected a number >= 0"),
    (
        "pendulum",
        {"noise": {"measurement": {"z": 1}}},
        "measurement.z: expected one of the names angle, velocity",
    ),
    ("pendulum", {"noise": {"measurement": {"x": -1}}}, "expected a number >= 0, got -1"),
    ("pendulum", {"noise": {"draw": "day"}}, "'trajectory' or 'step', got 'day'"),
    ("pendulum", {"time": {"duration": 0}}, "time.duration: expected a number > 0, got 0"),
    ("pendulum", {"time": {"steps": 0}}, "time.steps: expected a number >= 1, got 0"),
    ("pendulum", {"system": "spring"}, "system: expected one of nbody, pendulum, .* got 'spring'"),
    ("pendulum", {"image": {"height": 3}}, "image: expected one of the keys name"),
    (
        "nbody",
        {"parameters": {"softening": 0}},
        "parameters.softening: expected a number > 0, got 0",
    ),
    (
        "nbody",
        {"parameters": {"mass": {"uniform": [-1, 1]}}},
        "parameters.mass: expected a number > 0",
    ),
    ("nbody", {"parameters": {"virial": 1}}, "at 1 nothing holds the bodies"),
    (
        "nbody",
        {"parameters": {"bodies": {"uniform": [2, 5]}}},
        "parameters.bodies: expected a whole number",
    ),
    ("nbody", {"parameters": {"z": 0}}, "parameters.z: expected one of the names"),
    (
        "nbody",
        {"noise": {"parameters": {"virial": 0.1}}},
        "noise.parameters.virial: expected one of the names",
    ),
]


@pytest.mark.parametrize(("name", "change", "message"), WRONG)
def test_a_wrong_recipe_is_refused(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        db.load_recipe(name).replace(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "boxes"}, "target of time series, got 'boxes'; use one of label"),
        ({"target": ["clean", "masks"]}, "expected a target of time series, got 'masks'"),
        ({"image_size": 28}, "image_size: expected a recipe of images, got pendulum of time"),
    ],
)
def test_what_is_of_images_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.Catalogue("pendulum", **arguments)
    with pytest.raises(ValueError, match=r"expected a target of images, got .*; use one of label"):
        db.Catalogue("astro", target="energy")


def test_nothing_is_written_by_generating_rows(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in db.list_recipes("series"):
        catalogue = db.Catalogue(CASES[name], size=5)
        assert catalogue[0][0].shape == CASES[name].shape
    assert not list(tmp_path.iterdir())
