"""Conditions: one value an image, sampled by streams of their own, and the truth of each image."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units as u
from astropy.io import fits

import deepbench_torch as db
from deepbench_torch.degrade import CONDITIONS
from deepbench_torch.images.given_conditions import read_conditions
from deepbench_torch.images.instances import render_instances
from deepbench_torch.images.render import conditions_of

ROWS = torch.tensor([3, 0, 12_345, 7, 2**40])
WIDTH = {"uniform": [0.02, 0.07]}
# by condition: the keys that set it to some value
KEYS: dict[str, Any] = {
    "fwhm": lambda value: {"psf": {"moffat": {"fwhm": value, "alpha": 3.0}}},
    "alpha": lambda value: {"psf": {"moffat": {"fwhm": 0.05, "alpha": value}}},
    "gradient": lambda value: {"gradient": {"slope": value}},
    "gradient_angle": lambda value: {"gradient": {"slope": 0.4, "angle": value}},
    "exposure": lambda value: {"poisson": {"exposure": value}},
    "background": lambda value: {"poisson": {"background": value}},
    "pedestal_snr": lambda value: {"pedestal": {"snr": value}},
    "sigma": lambda value: {"gaussian": {"sigma": value}},
    "snr": lambda value: {"gaussian": {"snr": value}},
}
PRIORS: dict[str, Any] = {
    "fwhm": WIDTH,
    "alpha": {"uniform": [2.5, 4.5]},
    "gradient": {"uniform": [-0.5, 0.5]},
    "gradient_angle": {"uniform": [0.0, 6.28]},
    "exposure": {"log_uniform": [30, 3000]},
    "background": {"normal": {"mean": 1.0, "std": 0.2, "low": 0.6}},
    "pedestal_snr": {"uniform": [5, 50]},
    "sigma": {"choice": [0.1, 0.2]},
    "snr": {"uniform": [5, 50]},
}
each_condition = pytest.mark.parametrize("name", list(CONDITIONS))


def with_condition(name: str, value: Any, base: str = "sky") -> db.Recipe:
    """A packaged recipe with one condition."""
    recipe: db.Recipe = db.load_recipe(base).replace(degrade=KEYS[name](value))
    return recipe


def free(base: str = "sky") -> db.Recipe:
    """A packaged recipe with as many conditions that vary as go together."""
    effects = {
        "psf": {"moffat": {"fwhm": WIDTH, "alpha": PRIORS["alpha"]}},
        "gradient": {"slope": PRIORS["gradient"], "angle": PRIORS["gradient_angle"]},
        "poisson": {"exposure": PRIORS["exposure"], "background": PRIORS["background"]},
        "pedestal": {"snr": PRIORS["pedestal_snr"]},
        "gaussian": {"snr": PRIORS["snr"]},
    }
    recipe: db.Recipe = db.load_recipe(base).replace(degrade=effects)
    return recipe


@each_condition
def test_a_condition_is_sampled_from_its_prior(name: str) -> None:
    """Oracle: the tensors of `rng` and of the prior; equal in every bit to the kernels."""
    recipe = with_condition(name, PRIORS[name])
    assert name in recipe.degrade.varying
    sample = db.generate(recipe, 7, ROWS)
    for condition, values in conditions_of(recipe, seed=7, index=ROWS).items():
        assert torch.equal(sample.conditions[condition], values), condition
    many = db.generate(recipe, 7, torch.arange(300), image_size=8).conditions[name]
    prior = recipe.degrade.conditions[name]
    scale = 8 if name == "fwhm" else 1
    assert bool(prior.contains((many / scale).float()).all()) or name == "background"
    assert len(set(many.tolist())) > (1 if name == "sigma" else 250)


@each_condition
def test_a_fixed_condition_is_the_same_row(name: str) -> None:
    """A row of a prior is the row of the number that it took, to the last bit."""
    free_recipe = with_condition(name, PRIORS[name])
    sample = db.generate(free_recipe, 7, ROWS)
    for place, row in enumerate(ROWS):
        value = float(sample.conditions[name][place]) / (64 if name == "fwhm" else 1)
        fixed = db.generate(with_condition(name, value), 7, row[None])
        assert torch.equal(fixed.conditions[name], sample.conditions[name][place, None])
        assert torch.equal(fixed.clean, sample.clean[place, None])
        assert torch.equal(fixed.image, sample.image[place, None])


@each_condition
def test_a_prior_moves_no_other_draw(name: str) -> None:
    """Scenes, other conditions and the noise's own numbers stay as they were."""
    base, other = free(), free().replace(degrade=_only(name))
    one, two = db.generate(base, 1, ROWS), db.generate(other, 1, ROWS)
    for kind, parameters in one.scene.items():
        assert torch.equal(one.present[kind], two.present[kind])
        for parameter, values in parameters.items():
            assert torch.equal(values, two.scene[kind][parameter])
    for condition in one.conditions.keys() & two.conditions.keys() - {name}:
        assert torch.equal(one.conditions[condition], two.conditions[condition])
    assert torch.equal(one.label, two.label)


def _only(name: str) -> dict[str, Any]:
    """Changes of one condition to its lower half."""
    narrower = {
        "fwhm": {"uniform": [0.02, 0.03]},
        "alpha": {"uniform": [2.5, 3]},
        "gradient": {"uniform": [0, 0.1]},
        "gradient_angle": {"uniform": [0, 1]},
        "exposure": 50,
        "background": {"uniform": [0.7, 0.8]},
        "pedestal_snr": 5,
        "sigma": 0.1,
        "snr": 7,
    }
    keys: dict[str, Any] = KEYS[name](narrower[name])
    (effect,) = keys
    if effect == "psf":
        changed = "fwhm" if name == "fwhm" else "alpha"
        return {"psf": {"moffat": {changed: keys["psf"]["moffat"][changed]}}}
    if name == "gradient_angle":
        return {"gradient": {"angle": narrower[name]}}
    return keys


@pytest.mark.parametrize("base", ["sky", "geometric", "lensing", "point"])
def test_batches_are_singles(base: str) -> None:
    recipe = free(base).replace(image={"height": 21, "width": 34})
    sample = db.generate(recipe, 3, ROWS)
    for place, row in enumerate(ROWS):
        single = db.generate(recipe, 3, row[None])
        assert torch.equal(single.image[0], sample.image[place])
        assert torch.equal(single.clean[0], sample.clean[place])
        for name, values in single.conditions.items():
            assert torch.equal(values[0], sample.conditions[name][place])
    empty = db.generate(recipe, 3, ROWS[:0])
    assert empty.image.shape == (0, 1, 21, 34)
    assert {len(values) for values in empty.conditions.values()} == {0}


def test_conditions_do_not_depend_on_the_size() -> None:
    small, large = (db.generate(free(), 3, ROWS, image_size=size) for size in (20, 60))
    for name, values in small.conditions.items():
        scale = 3 if name == "fwhm" else 1
        torch.testing.assert_close(values * scale, large.conditions[name], rtol=1e-6, atol=0)


@pytest.mark.parametrize("form", ["h5", "npy", "fits", "jpeg"])
def test_every_format_keeps_them(form: Any, tmp_path: Path) -> None:
    catalogue = db.Catalogue(free(), size=10, image_size=20, target="conditions")
    path = db.materialize(catalogue, tmp_path / "rows", format=form, progress=False)
    stored = db.StoredCatalogue(path, target="conditions")
    for place in (0, 7):
        assert stored[place][1] == catalogue[place][1]
        if form != "jpeg":
            assert torch.equal(stored[place][0], catalogue[place][0])
    if form == "fits":
        header = fits.getheader(path / "images" / "000007.fits")
        own = catalogue[7][1]
        assert header["GAIN"] == pytest.approx(float(own["exposure"]), rel=1e-6)
        assert header["PSFFWHM"] == pytest.approx(float(own["fwhm"]), rel=1e-6)


def test_tables_have_the_conditions_that_vary() -> None:
    sample = db.generate(with_condition("exposure", PRIORS["exposure"]), 0, ROWS)
    table = sample.to_table()
    assert "conditions.exposure" in table.colnames
    assert "conditions.background" not in table.colnames
    for line in table:
        place = ROWS.tolist().index(line["index"])
        assert line["conditions.exposure"] == float(sample.conditions["exposure"][place])
    assert sample.recipe.unit("conditions/exposure") == ""
    assert free().unit("conditions/fwhm") == "pixel"


def test_observe_takes_conditions() -> None:
    recipe = free()
    sample = db.generate(recipe, 5, ROWS)
    same = db.observe(sample.scene, recipe, seed=5, index=ROWS)
    assert torch.equal(same.image, sample.image)
    given = db.observe(sample.scene, recipe, seed=5, index=ROWS, conditions={"fwhm": 2.0})
    assert given.conditions["fwhm"].tolist() == [2.0] * len(ROWS)
    fixed = recipe.replace(degrade={"psf": {"moffat": {"fwhm": 2 / 64}}})
    assert torch.equal(given.image, db.generate(fixed, 5, ROWS).image)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"exposur": 3.0}, "conditions.exposur: expected a condition of sky; did you mean"),
        (
            {"exposure": -1.0},
            "conditions.exposure: expected a number > 0, of size 1e-09 to 1e.09, got -1",
        ),
        ({"fwhm": 10.0}, "conditions.fwhm: expected at most 4.48 pixels, as far as the recipe"),
        ({"fwhm": 3 * u.arcsec}, "conditions.fwhm: "),
        ({"gradient": 3.0}, "conditions.gradient: expected at most 0.8.., or photon noise"),
        ([("fwhm", 1.0)], "conditions: expected values by name, got list"),
        ({"exposure": torch.ones(3)}, r"conditions.exposure: expected a number or shape \(5,\)"),
    ],
)
def test_observe_refuses_wrong_conditions(conditions: Any, message: str) -> None:
    sample = db.generate(free(), 5, ROWS)
    with pytest.raises(ValueError, match=message):
        db.observe(sample.scene, free(), seed=5, index=ROWS, conditions=conditions)


def test_observe_converts_quantities() -> None:
    sample = db.generate(free(), 5, ROWS)
    conditions = {"gradient_angle": 90 * u.deg, "fwhm": 3 * u.pixel}
    found = db.observe(sample.scene, free(), seed=5, index=ROWS, conditions=conditions)
    assert found.conditions["gradient_angle"].tolist() == pytest.approx([math.pi / 2] * 5)
    assert found.conditions["fwhm"].tolist() == [3.0] * 5


def test_the_ladder_fixes_conditions_last() -> None:
    rungs = free().rungs()
    assert [rung.name for rung in rungs][-3:] == ["blur", "noise", "conditions"]
    before, last = rungs[-2].recipe, rungs[-1].recipe
    assert last == free()
    assert not before.degrade.varying
    assert before.degrade.poisson is not None
    medians = {
        name: float(prior.icdf(torch.tensor(0.5).double()))
        for name, prior in last.degrade.conditions.items()
    }
    found = {name: prior.support[0] for name, prior in before.degrade.conditions.items()}
    assert found == pytest.approx(medians)


# ---- points


def points(effects: Any, **keys: Any) -> db.Recipe:
    """One point an image, without noise."""
    recipe: db.Recipe = db.load_recipe("point").replace(degrade={"poisson": None} | effects, **keys)
    return recipe


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("family", ["gaussian", "moffat"])
def test_a_point_has_its_flux_and_width(family: str, samples: int) -> None:
    """Closed form: all pixels sum to the flux; a Moffat profile of alpha 4.5 loses 1e-3 of it."""
    spread = {family: {"fwhm": 3 / 64} | ({"alpha": 4.5} if family == "moffat" else {})}
    recipe = points({"psf": spread}, image={"samples": samples}).replace(
        objects={"point": {"x": {"uniform": [0.4, 0.6]}, "y": {"uniform": [0.4, 0.6]}}}
    )
    sample = db.generate(recipe, 0, torch.arange(20))
    flux = sample.scene["point"]["flux"][:, 0]
    torch.testing.assert_close(sample.clean.sum((1, 2, 3)), flux, rtol=1e-3, atol=0)


def test_all_points_of_an_image_have_one_shape() -> None:
    """Light of each point by that of another, both at pixel centres."""
    centres = [{"point": {"x": (c + 0.5) / 40, "y": 0.5125}} for c in (10, 30)]
    size = {"height": 40, "width": 40}
    recipe = points(
        {"psf": {"moffat": {"fwhm": WIDTH}}},
        count=None,
        scene=centres,
        image=size,
        label="present",
    )
    sample = db.generate(recipe, 0, torch.arange(4))
    objects = render_instances(sample)
    flux = torch.stack([sample.scene["point"]["flux"][row] for row in range(4)])
    for row in range(4):
        first, second = objects.light[objects.row == row]
        torch.testing.assert_close(
            first[:, 1:20] / flux[row, 0], second[:, 21:40] / flux[row, 1], rtol=1e-5, atol=1e-9
        )
    assert len(set(sample.conditions["fwhm"].tolist())) == 4


def test_the_mask_of_a_point_is_where_its_light_is_a_tenth_of_its_peak() -> None:
    """Closed form: a Gaussian falls to a tenth at sqrt(log 10 / log 2) half widths."""
    recipe = points({"psf": {"gaussian": {"fwhm": 8 / 64}}}).replace(
        objects={"point": {"x": 32.5 / 64, "y": 32.5 / 64}}
    )
    mask = render_instances(db.generate(recipe, 0, ROWS)).mask[0]
    row, column = np.mgrid[:64, :64]
    radius = 4 * np.sqrt(np.log(10) / np.log(2))
    expected = np.hypot(row - 32, column - 32) <= radius
    assert torch.equal(mask, torch.from_numpy(expected))


def test_without_a_point_spread_a_point_fills_its_pixel() -> None:
    sample = db.generate(points({}), 0, torch.arange(30))
    assert int((sample.clean > 0).sum()) == 30
    place = sample.clean.flatten(1).argmax(1)
    x, y, flux = (values[:, 0] for values in sample.scene["point"].values())
    assert torch.equal(place, y.round().long() * 64 + x.round().long())
    torch.testing.assert_close(sample.clean.amax((1, 2, 3)), flux)


@pytest.mark.parametrize(
    ("kind", "name"), [("point", "x"), ("point", "flux"), ("galaxy", "x"), ("galaxy", "radius")]
)
@pytest.mark.parametrize("family", ["gaussian", "moffat", "array"])
def test_gradients_reach_spread_objects(family: str, kind: str, name: str) -> None:
    """Oracle: differences of the clean image."""
    spreads: dict[str, Any] = {
        "gaussian": {"gaussian": {"fwhm": 0.06}},
        "moffat": {"moffat": {"fwhm": 0.06, "alpha": 4.0}},
        "array": {"array": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]).tolist()},
    }
    base = db.load_recipe(kind).replace(degrade={"psf": spreads[family], "poisson": None})
    assert isinstance(base, db.Recipe)
    sample = db.generate(base, 0, ROWS[:2])
    scene = {each: values.clone() for each, values in sample.scene[kind].items()}
    value = scene[name].clone().requires_grad_()

    def brightness(changed: torch.Tensor) -> torch.Tensor:
        """Light, each pixel weighted by the square of its column."""
        given = {kind: scene | {name: changed}}
        clean = db.observe(given, base, seed=0, index=ROWS[:2]).clean[:, 0].double()
        return (clean * (torch.arange(64) / 64) ** 2).sum()

    (slope,) = torch.autograd.grad(brightness(value), value)
    step = 0.05 if name == "x" else 0.02 * float(value.detach().abs().max())
    with torch.no_grad():
        moved = (brightness(value + step) - brightness(value - step)) / (2 * step)
    assert float(slope.sum()) == pytest.approx(float(moved), rel=0.01)


@pytest.mark.parametrize("base", ["sky", "point", "lensing"])
def test_an_array_of_one_pixel_spreads_nothing(base: str) -> None:
    recipe = db.load_recipe(base)
    spread = recipe.replace(degrade={"psf": {"array": [[2.0]]}})
    for seed in range(20):
        found, plain = (db.generate(each, seed, ROWS) for each in (spread, recipe))
        assert bool(found.image.isfinite().all())
        assert torch.equal(found.clean, plain.clean) or base == "point"  # which is interpolated


# ---- bad input


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ({"psf": {}}, r"degrade.psf: expected one of gaussian, moffat and file, got none"),
        (
            {"psf": {"gaussian": {"fwhm": 1}, "moffat": {"fwhm": 1}}},
            "degrade.psf: expected one of gaussian, moffat and file, got gaussian and moffat",
        ),
        ({"psf": {"gaussian": {"fwhm": -1}}}, "degrade.psf.gaussian.fwhm: expected a number > 0"),
        (
            {"psf": {"gaussian": {"fwhm": {"normal": {"mean": 1, "std": 1, "low": 0.1}}}}},
            "degrade.psf.gaussian.fwhm: expected at most 2 of the shorter side",
        ),
        (
            {"psf": {"moffat": {"fwhm": 0.1, "alpha": 1}}},
            "alpha: expected a number > 1.001 and < 10000",
        ),
        ({"psf": {"file": "none.fits"}}, "degrade.psf.file: .* got no file 'none.fits'"),
        ({"psf": {"array": [[1, 2], [3, 4]]}}, r"degrade.psf.array: .* got shape \(2, 2\)"),
        ({"psf": {"array": [[0.0]]}}, "degrade.psf.array: .* got pixels of sum 0;"),
        ({"psf": {"array": [[1.0, -0.1, 2.0]]}}, "degrade.psf.array: .* got negative pixels"),
        (
            {"psf": {"gaussian": {"fwhm": 30}}},
            "fwhm: expected at most 2 of the shorter side",
        ),
        ({"psf": {"file": "a.fits", "gaussian": {"fwhm": 1}}}, "got file and gaussian; set one"),
        ({"psf": {"array": "many"}}, "degrade.psf.array: .* got 'many'"),
        ({"psf": {"gaussian": {"fwhm": 0.1}}, "blur": {"sigma": 0.1}}, "blur: expected psf or"),
        ({"gradient": {"slope": 3.0}}, "degrade.gradient.slope: expected at most 1.4"),
        ({"gaussian": {"sigma": 1.0, "snr": 2.0}}, "expected one of sigma and snr, got both"),
        ({"poisson": {"exposure": {"uniform": [-1, 1]}}}, "exposure: expected a number > 0"),
        (
            {"poisson": {"exposure": 1e39}},
            "exposure: expected sizes from 1e-09 to 1e.09, got 1e.39",
        ),
        ({"psf": {"gaussian": {"fwhm": 1e-42}}}, "fwhm: expected sizes from 1e-09 to 1e.09"),
        ({"blur": {"sigma": 1e6}}, "degrade.blur.sigma: expected at most 2 of the shorter side"),
        ({"psf": {"gaussian": {"fwhm": 1e6}}}, "degrade.psf.gaussian.fwhm: expected at most 2"),
        ({"pedestal": {"snr": 0}}, "degrade.pedestal.snr: expected a number > 0, got 0"),
    ],
)
def test_wrong_effects_are_refused(effects: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.load_recipe("sky").replace(degrade=effects)


@pytest.mark.parametrize(
    "spread", [{"file": "none.npy"}, {"gaussian": 3}, {"moffat": "wide"}, {"array": "many"}]
)
def test_a_wrong_point_spread_has_one_fault(spread: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"degrade\.psf\.") as caught:
        db.load_recipe("sky").replace(degrade={"psf": spread})
    assert str(caught.value).count("degrade.psf") == 1


@pytest.mark.parametrize(
    ("brightness", "message"),
    [
        ({"amplitude": 1e39}, "star.amplitude: expected sizes up to 1e.30, got 1e.39"),
        ({"flux": {"uniform": [1.0, 1e39]}}, "star.flux: expected sizes up to 1e.30"),
        ({"magnitude": -100}, "star.magnitude: expected magnitudes from -30 on, got -100"),
    ],
)
def test_light_beyond_single_precision_is_refused(brightness: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.load_recipe("star").replace(objects={"star": brightness}, zero_point=25.0)


def test_given_conditions_have_units_and_no_gradients() -> None:
    """Oracle: fractions of the shorter side are those pixels over its size, 64."""
    recipe = with_condition("fwhm", WIDTH)
    width = torch.tensor([1.5, 2.0])
    pixels = read_conditions(recipe, {"fwhm": width}, batch=2)
    fractions = read_conditions(recipe, {"fwhm": width / 64}, batch=2, units="recipe")
    assert torch.equal(pixels["fwhm"], fractions["fwhm"])
    with pytest.raises(ValueError, match=r"conditions\.fwhm: expected numbers without gradients"):
        read_conditions(recipe, {"fwhm": width.requires_grad_()}, batch=2)


@pytest.mark.parametrize("content", [b"", b"no image", b"SIMPLE  =                    T"])
@pytest.mark.parametrize("suffix", ["fits", "npy"])
def test_a_file_without_a_point_spread_is_refused(
    suffix: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"psf.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"degrade.psf.file: expected an array of point-spread"):
        db.load_recipe("sky").replace(degrade={"psf": {"file": str(path)}})


def test_the_pixels_of_a_file_are_in_the_recipe(tmp_path: Path) -> None:
    """A recipe beside its file; the digest is that of the pixels and not of the name."""
    pixels = np.outer([1, 4, 1], [0, 1, 3, 2, 0]).astype(np.float32)
    fits.writeto(tmp_path / "one.fits", pixels)
    np.save(tmp_path / "two.npy", pixels)
    texts = ["psf: {file: one.fits}", "psf: {file: two.npy}", f"psf: {{array: {pixels.tolist()}}}"]
    recipes = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.yaml"
        path.write_text(f"extends: sky\nname: own\ndegrade: {{{text}}}\n")
        recipes.append(db.load_recipe(path))
    assert len({recipe.digest for recipe in recipes}) == 1
    again = tmp_path / "again.yaml"
    again.write_text(recipes[0].to_yaml())
    (tmp_path / "one.fits").unlink()
    assert db.load_recipe(again) == recipes[0]
    other = recipes[0].replace(degrade={"psf": {"array": (pixels + 1).tolist()}})
    assert other.digest != recipes[0].digest
    assert recipes[0].replace(degrade={"psf": {"gaussian": {"fwhm": 0.1}}}).degrade.psf is not None
