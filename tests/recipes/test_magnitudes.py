"""Total light or magnitudes in place of amplitudes."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units
from scipy import integrate, stats
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.generate import resize
from deepbench_torch.numerics import exact_math, rng
from deepbench_torch.objects import OBJECTS
from deepbench_torch.priors import prior_from_plain
from deepbench_torch.recipes.brightness import brightness_names, stand_ins
from deepbench_torch.recipes.calibration import zero_point_of_sides
from deepbench_torch.recipes.units import pixel_frame

KINDS = [kind for kind in OBJECTS if stand_ins(kind)]
PRIORS: dict[str, Any] = {
    "flux": {"log_uniform": [0.003, 0.3]},
    "magnitude": {"normal": {"mean": 20.0, "std": 1.0}},
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_name = pytest.mark.parametrize("name", list(PRIORS))


def recipe(kind: str, name: str, prior: Any = None, **changes: Any) -> db.Recipe:
    """One object of a kind on a frame that is not square, the total light of which is sampled."""
    keys: dict[str, Any] = {
        "objects": {kind: {name: PRIORS[name] if prior is None else prior}},
        "image": {"height": 40, "width": 56},
        "layout": None,
        "zero_point": 27.0,
        **changes,
    }
    changed = db.load_recipe(kind).replace(**keys)
    assert isinstance(changed, db.Recipe)
    return changed


def test_kinds_of_one_amplitude_take_them() -> None:
    assert {"star", "galaxy", "circle", "polygon", "line", "point"} <= set(KINDS)
    assert {"spiral", "lensed"}.isdisjoint(KINDS)
    assert stand_ins("point") == ("magnitude",)


def amplitudes(chosen: db.Recipe, kind: str, name: str, rows: Tensor) -> Tensor:
    """Return what amplitudes should be, from the same random numbers; the oracle of the kernel."""
    fields = OBJECTS[kind].fields
    u = {each: rng.uniform(5, [f"{kind}.{each}"], rows, 1)[:, 0] for each in fields}
    priors = chosen.objects[kind]
    values = {each: priors[each].icdf(u[each]) for each in fields if each in priors}
    relative = {}
    for each, field in fields.items():
        scale = pixel_frame(field.role, chosen.grid).scale / chosen.grid.shorter
        is_length = field.role in ("column", "row", "length")
        relative[each] = values.get(each, u[each]) * (scale if is_length else 1.0)
    bright = brightness_names(kind)[0]
    relative[bright] = torch.ones_like(u[bright])
    unit = flux_of(kind, relative)
    flux = priors[name].icdf(u[bright])
    if name == "magnitude":
        flux = exact_math.exp((zero_point_of_sides(chosen) - flux) * (0.4 * math.log(10.0)))
    return (flux / unit * pixel_frame(fields[bright].role, chosen.grid).scale).float()


def flux_of(kind: str, values: dict[str, Tensor]) -> Tensor:
    """Return the flux of objects by the formula of their kind, float64."""
    formula = OBJECTS[kind].flux
    assert formula is not None
    return formula(*(values[name] for name in OBJECTS[kind].fields))


@each_name
@each_kind
def test_amplitudes_follow_from_the_other_parameters_bit_for_bit(kind: str, name: str) -> None:
    """Oracle: the formula of tensors, in functions that are the same on every CPU."""
    chosen, rows = recipe(kind, name), torch.arange(200)
    sample = db.generate(chosen, 5, rows)
    found = sample.scene[kind][brightness_names(kind)[0]]
    assert torch.equal(found, amplitudes(chosen, kind, name, rows))


@each_name
@each_kind
def test_what_was_asked_is_in_the_table(kind: str, name: str) -> None:
    """Oracle: the distribution of the prior, by a test of Kolmogorov and Smirnov."""
    chosen = recipe(kind, name)
    table = db.Catalogue(chosen, size=400, seed=2).to_table()
    values = np.asarray(table[name], np.float64)
    laws = {"flux": stats.loguniform(0.003 * 40**2, 0.3 * 40**2), "magnitude": stats.norm(20, 1)}
    assert stats.kstest(values, laws[name].cdf).pvalue > 1e-4


@each_name
@pytest.mark.parametrize("kind", ["star", "galaxy", "line"])
def test_pixels_sum_to_the_flux(kind: str, name: str) -> None:
    changes: dict[str, Any] = {"degrade": None, "image": {"height": 200, "width": 220}}
    objects: dict[str, Any] = {name: PRIORS[name]}
    if kind != "line":
        objects |= {"x": 0.5, "y": 0.5}
        objects |= {"alpha": 4.5} if kind == "star" else {"n": 0.8, "radius": 0.08}
    chosen = recipe(kind, name, **changes).replace(objects={kind: objects})
    sample = db.generate(chosen, 0, torch.arange(4))
    sums = sample.clean.double().sum((1, 2, 3)).numpy()
    np.testing.assert_allclose(sums, sample.to_table()["flux"], rtol=0.03)


@each_name
def test_scenes_are_the_same_at_every_size(name: str) -> None:
    chosen, rows = recipe("galaxy", name), torch.arange(300)
    base = db.generate(chosen, 0, rows).scene["galaxy"]["amplitude"]
    for size in ((80, 112), (33, 47), 28, 300):
        other = db.generate(chosen, 0, rows, image_size=size)
        assert torch.equal(other.scene["galaxy"]["amplitude"], base)
    double = resize(chosen, (80, 112))
    assert isinstance(double, db.Recipe)
    assert double.zero_point == pytest.approx(27 + 5 * math.log10(2))


@each_name
def test_no_other_parameter_changes(name: str) -> None:
    rows = torch.arange(40)
    plain, changed = (
        db.generate(each, 3, rows)
        for each in (recipe("star", "flux").replace(objects={"star": {"amplitude": 1.0}}),
                     recipe("star", name))
    )  # fmt: skip
    for parameter in ("x", "y", "gamma", "alpha"):
        assert torch.equal(plain.scene["star"][parameter], changed.scene["star"][parameter])


def sky(**changes: Any) -> db.Recipe:
    """A recipe with a layout and three kinds, of which two have magnitudes."""
    keys: dict[str, Any] = {
        "zero_point": 25.0,
        "objects": {
            "star": {"magnitude": {"uniform": [18.0, 21.0]}},
            "galaxy": {"magnitude": {"uniform": [17.0, 19.0]}},
        },
        **changes,
    }
    changed = db.load_recipe("sky").replace(**keys)
    assert isinstance(changed, db.Recipe)
    return changed


def test_a_layout_is_judged_by_the_amplitudes() -> None:
    """Magnitudes that mean the amplitudes of another recipe give its layouts."""
    fixed = {"star": {"gamma": 0.05, "alpha": 3.0}, "galaxy": {"radius": 0.1, "n": 1.0, "ellip": 0}}
    plain = db.load_recipe("sky").replace(
        zero_point=25.0,
        objects={kind: {**own, "amplitude": 2.0} for kind, own in fixed.items()},
    )
    rows = torch.arange(100)
    table = db.generate(plain, 0, rows).to_table()
    means = {kind: float(table["flux"][table["kind"] == kind][0]) / 64**2 for kind in fixed}
    changed = plain.replace(objects={kind: {"flux": means[kind]} for kind in fixed})
    one, other = (db.generate(each, 0, rows) for each in (plain, changed))
    for kind in fixed:
        torch.testing.assert_close(one.scene[kind]["x"], other.scene[kind]["x"], rtol=0, atol=0)
        torch.testing.assert_close(
            one.scene[kind]["amplitude"], other.scene[kind]["amplitude"], rtol=1e-6, atol=0
        )


def test_listed_objects_have_brightness_of_their_own() -> None:
    chosen = db.load_recipe("star").replace(
        zero_point=25.0,
        label="present",
        count=None,
        scene=[
            {"star": {"magnitude": 19.0}},
            {"star": {"amplitude": 3.0}},
            {"star": {"flux": 0.01}},
            {"star": {}},
        ],
        objects={"star": {"magnitude": {"uniform": [20, 21]}}},
    )
    assert list(chosen.scene[1]["star"]) == ["x", "y", "amplitude", "gamma", "alpha"]
    assert list(chosen.scene[3]["star"])[2] == "magnitude"
    lines = db.generate(chosen, 0, torch.arange(5)).to_table()
    by_slot = [lines[lines["slot"] == slot] for slot in range(4)]
    np.testing.assert_allclose(by_slot[0]["magnitude"], 19.0, rtol=1e-6)
    np.testing.assert_array_equal(by_slot[1]["amplitude"], 3.0)
    np.testing.assert_allclose(by_slot[2]["flux"], 0.01 * 64**2, rtol=1e-6)
    assert ((by_slot[3]["magnitude"] >= 20) & (by_slot[3]["magnitude"] <= 21)).all()


def test_a_ladder_holds_magnitudes_fixed() -> None:
    lowest, *_ = sky().rungs()
    assert lowest.recipe.simplify.values["star"]["magnitude"] == 19.5
    table = db.generate(lowest.recipe, 0, torch.arange(30)).to_table()
    stars = table[table["kind"] == "star"]
    np.testing.assert_allclose(stars["magnitude"], 19.5, atol=2e-5)
    assert len(np.unique(stars["gamma"])) == 1


def test_values_that_are_held_decide_the_amplitude() -> None:
    chosen = sky(simplify={"values": {"star": {"magnitude": 20.0, "gamma": 0.05}}})
    table = db.generate(chosen, 0, torch.arange(40)).to_table()
    stars = table[table["kind"] == "star"]
    np.testing.assert_allclose(stars["magnitude"], 20.0, atol=2e-5)
    assert len(np.unique(stars["alpha"])) > 5


def test_recipes_are_written_and_changed(tmp_path: Path) -> None:
    chosen = sky()
    path = tmp_path / "mine.yaml"
    path.write_text(chosen.to_yaml())
    assert db.load_recipe(path) == chosen
    assert list(chosen.objects["star"]) == ["x", "y", "magnitude", "gamma", "alpha"]
    path.write_text("extends: sky\nzero_point: 25.0\nobjects: {star: {magnitude: 19}}\n")
    read = db.load_recipe(path)
    assert isinstance(read, db.Recipe)
    assert read.objects["star"]["magnitude"] == prior_from_plain(19)
    assert "amplitude" in chosen.replace(objects={"star": {"amplitude": 2.0}}).objects["star"]
    flux = chosen.replace(objects={"star": {"flux": 0.1}}).objects["star"]
    assert list(flux)[2] == "flux"
    default = chosen.replace(objects={"star": {"magnitude": None}})
    assert default.objects["star"]["amplitude"] == OBJECTS["star"].prior["amplitude"]


def test_a_zero_point_counts_where_magnitudes_are_sampled() -> None:
    assert sky().digest != sky(zero_point=26.0).digest
    flux = recipe("star", "flux")
    assert flux.digest == flux.replace(zero_point=20.0).digest


def test_quantities_have_the_unit_of_a_magnitude() -> None:
    chosen = recipe("star", "magnitude", prior=20.0 * units.mag)
    assert chosen.objects["star"]["magnitude"] == prior_from_plain(20.0)
    with pytest.raises(ValueError, match=r"expected a number in mag, got 20\.0 s"):
        recipe("star", "magnitude", prior=20 * units.s)


def test_files_hold_the_parameters_and_the_card_the_prior(tmp_path: Path) -> None:
    from deepbench_torch.plotting.cards.columns import columns_of

    path = db.materialize(db.Catalogue(sky(), size=12), tmp_path / "a.h5", progress=False)
    stored = db.StoredCatalogue(path)
    rows = torch.arange(12)
    expected = db.generate(sky(), 0, rows).image
    assert torch.equal(torch.stack([stored[row][0] for row in range(12)]), expected)
    priors = {
        (c.owner, c.name): c.prior for c in columns_of(db.Catalogue(sky(), size=12)).parameters
    }
    assert priors["star", "magnitude"] == "uniform 18, 21"
    assert priors["star", "amplitude"] == priors["star", "flux"] == "derived"
    assert priors["spiral", "amplitude"].startswith("log-uniform")


STAR = {"x": 0.4, "y": 0.6, "amplitude": 2.0, "gamma": 0.06, "alpha": 3.0}


def scene(**changes: float) -> dict[str, dict[str, Tensor]]:
    values = STAR | changes
    return {"star": {name: torch.tensor([v], dtype=torch.float64) for name, v in values.items()}}


@each_name
def test_densities_integrate_to_one(name: str) -> None:
    """Oracle: scipy's quadrature over the amplitude, at fixed other parameters."""
    fixed = {key: STAR[key] for key in ("x", "y", "gamma", "alpha")}
    chosen = recipe("star", name, objects={"star": {name: PRIORS[name], **fixed}})

    def density(logarithm: float) -> float:
        amplitude = math.exp(logarithm)
        return amplitude * float(chosen.log_prob(scene(amplitude=amplitude), units="recipe").exp())

    total, _ = integrate.quad(density, -12, 12, points=[-2.0, 0.0, 2.0], limit=400)
    assert total == pytest.approx(1.0, abs=1e-3)


@each_name
def test_density_is_that_of_the_prior_and_the_slope(name: str) -> None:
    fixed = {key: STAR[key] for key in ("x", "y", "gamma", "alpha")}
    chosen = recipe("star", name, objects={"star": {name: PRIORS[name], **fixed}})
    unit = math.pi * 0.06**2 / 2
    if name == "flux":
        expected = stats.loguniform(0.003, 0.3).logpdf(2 * unit) + math.log(unit)
    else:
        value = 27 - 2.5 * math.log10(2 * unit * 40**2)
        expected = stats.norm(20, 1).logpdf(value) + math.log(2.5 / math.log(10) / 2)
    found = float(chosen.log_prob(scene(), units="recipe"))
    assert found == pytest.approx(expected, abs=1e-6)


@each_name
@each_kind
def test_generated_scenes_are_possible_and_others_are_not(kind: str, name: str) -> None:
    low, high = (0.003, 0.3) if name == "flux" else (18.0, 21.0)
    chosen = recipe(kind, name, prior={"uniform": [low, high]})
    sample = db.generate(chosen, 0, torch.arange(300))
    found = chosen.log_prob(sample.scene, sample.present)
    assert found.isfinite().all()
    brighter = {kind: dict(sample.scene[kind])}
    bright = brightness_names(kind)[0]
    brighter[kind][bright] = 200 * brighter[kind][bright]
    assert (chosen.log_prob(brighter, sample.present) == -math.inf).all()


@pytest.mark.parametrize(
    ("prior", "chance"),
    [(19.5, 1), ({"choice": [18.0, 19.5]}, 1 / 2), ({"integer": [18, 20]}, 1 / 3)],
)
def test_discrete_magnitudes_have_probabilities(prior: Any, chance: float) -> None:
    chosen = recipe("star", "magnitude", prior=prior)
    continuous = chosen.replace(objects={"star": {"amplitude": 1.0}})
    sample = db.generate(chosen, 0, torch.arange(50))
    found = chosen.log_prob(sample.scene, sample.present)
    same = {"star": {**sample.scene["star"], "amplitude": torch.ones(50, 1)}}
    expected = continuous.log_prob(same, sample.present) + math.log(chance)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("units", ["pixel", "recipe"])
def test_the_density_of_a_point_is_that_of_its_flux(units: Any) -> None:
    """Oracle: a normal magnitude is a log-normal flux."""
    fixed = {"x": 0.5, "y": 0.5}
    chosen = recipe(
        "point", "magnitude", objects={"point": {"magnitude": PRIORS["magnitude"], **fixed}}
    )
    flux, sides = 900.0, (1.0 if units == "pixel" else 40.0**2)
    places = {"x": 27.5, "y": 19.5} if units == "pixel" else fixed
    given = {
        name: torch.tensor([v]).double() for name, v in {**places, "flux": flux / sides}.items()
    }
    # m = 27 - 2.5 log10(flux), with mean 20 and deviation 1
    width = math.log(10) / 2.5
    law = stats.lognorm(s=width, scale=10 ** (0.4 * (27 - 20)))
    expected = law.logpdf(flux) + math.log(sides)
    found = chosen.log_prob({"point": given}, units=units)
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_densities_are_differentiable() -> None:
    chosen = recipe("star", "magnitude")
    names = ("amplitude", "gamma", "alpha")
    leaves = [torch.tensor([STAR[name]], dtype=torch.float64, requires_grad=True) for name in names]

    def density(*numbers: Tensor) -> Tensor:
        given = {"star": scene()["star"] | dict(zip(names, numbers, strict=True))}
        return chosen.log_prob(given, units="recipe")

    assert torch.autograd.gradcheck(density, leaves)


WITHOUT = "expected a recipe with zero_point, got none; set zero_point"
TWICE = "expected one of amplitude, flux, magnitude, got"


ZERO = {"zero_point": 25.0}
HELD = {"simplify": {"values": {"star": {"magnitude": 20}}}}
LISTED = {"scene": [{"star": {"magnitude": 20}}], "count": None}
WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"magnitude": 20}, {}, f"objects.star.magnitude: {WITHOUT}"),
    ({}, HELD, f"simplify.values.star.magnitude: {WITHOUT}"),
    ({}, LISTED, f"scene.0.star.magnitude: {WITHOUT}"),
    ({"flux": 1, "amplitude": 1}, {}, f"objects.star.amplitude: {TWICE} flux and amplitude"),
    ({"flux": 1, "magnitude": 1}, {}, f"objects.star.magnitude: {TWICE} flux and magnitude"),
    ({"flux": {"uniform": [-1, 1]}}, {}, "objects.star.flux: expected a number >= 0"),
    ({"magnitude": math.inf}, ZERO, "objects.star.magnitude: expected a finite number"),
    ({"magnitud": 20}, ZERO, "objects.star.magnitud: expected a parameter of star"),
]


@pytest.mark.parametrize(("star", "keys", "message"), WRONG)
def test_wrong_recipes_are_refused(
    star: dict[str, Any], keys: dict[str, Any], message: str
) -> None:
    plain = {
        "name": "mine",
        "image": {"height": 8, "width": 8},
        "label": "present",
        "count": 1,
        "objects": {"star": star},
    } | keys
    plain = {key: value for key, value in plain.items() if value is not None}
    with pytest.raises(ValueError) as caught:
        db.Recipe.model_validate(plain)
    assert str(caught.value).startswith(f"recipe mine is not valid: {message}")
    assert str(caught.value).count(" got ") == 1


def test_a_spiral_has_no_magnitude_to_sample() -> None:
    with pytest.raises(ValueError, match="no total light follows from one amplitude"):
        sky(objects={"spiral": {"magnitude": 20}})
