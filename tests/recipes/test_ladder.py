"""Difficulty ladders: from the simplest version of a recipe to the recipe, with equal scenes."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.plotting.ladder import ladder_catalogues, plot_ladder, write_ladder
from deepbench_torch.recipes.base import Rung
from deepbench_torch.recipes.ladder import STEPS

NAMES = db.list_recipes("image")
each_recipe = pytest.mark.parametrize("name", NAMES)
ROWS = torch.arange(40)


def rungs(name: str) -> list[Rung]:
    rungs: list[Rung] = db.load_recipe(name).rungs()
    return rungs


def fixed(recipe: db.Recipe) -> set[tuple[str, str]]:
    """Return the parameters that simplification fixes at one value."""
    values = {} if recipe.simplify is None else recipe.simplify.values
    return {(kind, name) for kind, named in values.items() for name in named}


@each_recipe
def test_the_ladder_ends_at_the_recipe(name: str) -> None:
    ladder = rungs(name)
    assert ladder[0].name == "simplest"
    assert ladder[-1].recipe is db.load_recipe(name) or ladder[-1].recipe == db.load_recipe(name)
    steps = [rung.name for rung in ladder[1:]]
    assert steps == [step for step in STEPS if step in steps]
    assert len({rung.recipe.digest for rung in ladder}) == len(ladder)
    assert len({rung.recipe.name for rung in ladder}) == len(ladder)


@each_recipe
def test_every_rung_is_a_valid_recipe(name: str) -> None:
    for rung in rungs(name):
        again = db.Recipe.model_validate(rung.recipe.to_plain())
        assert again == rung.recipe
        assert again.digest == rung.recipe.digest


@each_recipe
def test_rungs_share_all_parameters_except_those_that_a_step_varies(name: str) -> None:
    ladder = rungs(name)
    full = db.generate(ladder[-1].recipe, 5, ROWS)
    for rung in ladder:
        sample = db.generate(rung.recipe, 5, ROWS)
        for kind, parameters in sample.scene.items():
            for parameter, values in parameters.items():
                if (kind, parameter) in fixed(rung.recipe):
                    assert (values == values[0, 0]).all()
                elif parameter not in rung.recipe.objects[kind]:
                    assert "flux" in rung.recipe.objects[kind]  # from which the amplitude follows
                else:
                    assert torch.equal(values, full.scene[kind][parameter])


def numbers(present: dict[str, Tensor]) -> Tensor:
    """Return the number of objects in each image."""
    return torch.stack([mask.sum(1) for mask in present.values()]).sum(0)


@pytest.mark.parametrize("name", ["astro", "sky", "lensing", "geometric"])
def test_a_step_adds_objects_and_removes_none(name: str) -> None:
    for low, high in pairwise(rungs(name)):
        below, above = db.generate(low.recipe, 2, ROWS), db.generate(high.recipe, 2, ROWS)
        if high.name == "objects":
            for kind, mask in below.present.items():
                assert torch.equal(mask[:, 0], above.present[kind][:, 0])
                assert not mask[:, 1:].any()
        elif high.name == "classes":
            assert torch.equal(numbers(below.present), numbers(above.present))
            for kind, mask in below.present.items():
                assert (mask >= above.present[kind]).all()
        elif high.name != "balance":
            assert below.present.keys() == above.present.keys()
            assert all(torch.equal(below.present[k], above.present[k]) for k in above.present)


@pytest.mark.parametrize("name", ["astro", "sky", "lensing"])
def test_noise_is_added_to_the_same_images(name: str) -> None:
    low, high = rungs(name)[-2:]
    below, above = db.generate(low.recipe, 3, ROWS), db.generate(high.recipe, 3, ROWS)
    assert torch.equal(below.image, below.clean)
    assert torch.equal(below.clean, above.clean)
    assert not torch.equal(above.image, above.clean)


def test_the_recipe_states_the_order() -> None:
    recipe = db.load_recipe("sky").replace(ladder=["noise", "objects"])
    names = [rung.name for rung in recipe.rungs()]
    assert names == ["simplest", "noise", "objects"]
    lowest, noisy, full = (rung.recipe for rung in recipe.rungs())
    assert lowest.degrade.poisson is None
    assert noisy.degrade.poisson is not None
    assert noisy.simplify is not None
    assert noisy.simplify.objects == 1
    assert full == recipe
    # the ladder changes no image
    assert recipe.digest == db.load_recipe("sky").digest


def test_classes_are_balanced_before_their_own_balance_is_added() -> None:
    ladder = {rung.name: rung.recipe for rung in rungs("lensing")}
    index = torch.arange(4000)
    simple = db.generate(ladder["brightness"], 0, index, image_size=4).label
    # four standard deviations of a mean of 4000
    torch.testing.assert_close(simple.mean(0), torch.full((2,), 0.5), rtol=0, atol=4 * 0.5 / 63)
    rare = {"arc": {"choice": {"values": [0, 2], "weights": [4, 1]}}, "star": 1}
    recipe = db.load_recipe("lensing").replace(counts=rare, simplify={"balanced": True})
    simple = db.generate(recipe, 0, index, image_size=4).label
    torch.testing.assert_close(simple.mean(0), torch.full((2,), 0.5), rtol=0, atol=4 * 0.5 / 63)


def test_balance_adds_one_object_where_there_was_none() -> None:
    rare = {"arc": {"choice": {"values": [0, 2], "weights": [4, 1]}}, "star": 1}
    recipe = db.load_recipe("lensing").replace(counts=rare)
    index = torch.arange(200)
    own = db.generate(recipe, 0, index, image_size=4).present["arc"]
    balanced = recipe.replace(simplify={"balanced": True})
    even = db.generate(balanced, 0, index, image_size=4).present["arc"]
    added = even & ~own
    assert added.any()
    assert not (added.any(1) & own.any(1)).any()
    assert torch.equal(added.sum(1), added[:, 0].long())
    assert not (own & ~even).any()


def test_objects_of_removed_kinds_become_the_kept_kinds_evenly() -> None:
    recipe = db.load_recipe("astro").replace(simplify={"kinds": ["galaxy", "star"]})
    assert recipe.classes == ["star", "galaxy"]
    index = torch.arange(4000)
    own = db.generate("astro", 0, index, image_size=4).label
    label = db.generate(recipe, 0, index, image_size=4).label
    assert torch.equal(label[own != 2], own[own != 2])
    reassigned = label[own == 2].double()
    # four standard deviations of a mean
    assert abs(reassigned.mean() - 0.5) < 4 * 0.5 / len(reassigned) ** 0.5


def test_a_fixed_parameter_has_its_median() -> None:
    """The middle of a uniform prior, the geometric mean of the bounds of a log-uniform prior."""
    priors = {"gamma": {"uniform": [0.1, 0.3]}, "amplitude": {"log_uniform": [0.04, 1.0]}}
    lowest = db.load_recipe("star").replace(objects={"star": priors}).rungs()[0].recipe
    star = db.generate(lowest, 0, ROWS[:3], image_size=(10, 12)).scene["star"]
    torch.testing.assert_close(star["gamma"], torch.full((3, 1), 2.0))  # of 10 pixels
    torch.testing.assert_close(star["amplitude"], torch.full((3, 1), 0.2))


@pytest.mark.parametrize(
    ("name", "angles", "positions"),
    [
        ("arc", {"start"}, {"x", "y"}),
        ("spiral", {"theta", "phase"}, {"x", "y"}),
        ("ellipse", {"theta"}, {"x", "y"}),
        ("line", set(), {"x0", "y0", "x1", "y1"}),
    ],
)
def test_each_step_varies_its_own_parameters(
    name: str, angles: set[str], positions: set[str]
) -> None:
    varied = {
        high.name: {each for _, each in fixed(low.recipe) - fixed(high.recipe)}
        for low, high in pairwise(rungs(name))
    }
    assert varied.get("orientation", set()) == angles
    assert varied["position"] == positions
    assert not varied["form"] & (angles | positions | {"amplitude"})


def test_all_noise_is_one_step() -> None:
    recipe = db.load_recipe("sky").replace(degrade={"gaussian": {"sigma": 0.1}})
    below = db.generate(recipe.rungs()[-2].recipe, 0, ROWS[:3], image_size=8)
    assert torch.equal(below.image, below.clean)


def test_a_recipe_without_steps_is_its_own_ladder() -> None:
    recipe = db.load_recipe("sky").replace(ladder=[])
    assert [rung.name for rung in recipe.rungs()] == ["simplest"]
    assert recipe.rungs()[0].recipe == recipe


def test_blur_is_a_step() -> None:
    recipe = db.load_recipe("sky").replace(degrade={"blur": {"sigma": 0.02}})
    names = [rung.name for rung in recipe.rungs()]
    assert names[-2:] == ["blur", "noise"]
    assert recipe.rungs()[-3].recipe.degrade.blur is None


def test_a_rung_has_no_rungs() -> None:
    with pytest.raises(
        ValueError, match=r"^recipe sky-simplest: expected no simplify, got .*; req"
    ):
        rungs("sky")[0].recipe.rungs()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ladder": ["colour"]}, "expected steps of form, .* each once, got 'colour'"),
        ({"ladder": ["noise", "noise"]}, "got 'noise'"),
        (
            {"simplify": {"kinds": ["comet"]}},
            "simplify.kinds: expected kinds of objects, star, galaxy, spiral, got 'comet'",
        ),
        (
            {"simplify": {"balanced": True}},
            "simplify.balanced: expected false in a recipe with count, got True",
        ),
        (
            {"simplify": {"values": {"star": {"beta": 1}}}},
            "simplify.values.star.beta: expected a parameter of star",
        ),
        (
            {"simplify": {"values": {"star": {"alpha": 0.5}}}},
            "simplify.values.star.alpha: expected a number > 1, got 0.5",
        ),
        ({"simplify": {"objects": 0}}, "simplify.objects: expected a number >= 1, got 0"),
    ],
)
def test_a_wrong_simplification_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.load_recipe("sky").replace(**change)


def test_a_ladder_is_written(tmp_path: Path) -> None:
    recipe = db.load_recipe("sky").replace(image={"height": 8, "width": 10})
    paths = write_ladder(recipe, tmp_path / "out", size=12, seed=4, progress=False)
    assert [path.name for path in paths[::7]] == ["0-simplest.h5", "7-noise.h5"]
    for path, rung in zip(paths, recipe.rungs(), strict=True):
        stored = db.StoredCatalogue(path, recipe=rung.recipe, seed=4)
        expected = db.generate(rung.recipe, 4, torch.arange(12)).image
        assert torch.equal(torch.stack([image for image, _ in stored]), expected)
    assert (tmp_path / "out" / "ladder.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(
        FileExistsError,
        match=r"0-simplest\.h5': expected a new file, got an existing one; .*--overwrite",
    ):
        write_ladder(recipe, tmp_path / "out", size=12)


def test_the_highest_rung_sets_the_scale_of_its_column() -> None:
    """Colours are monotonic in light: equal light has equal colours on all rungs of a column."""
    recipe = db.load_recipe("star").replace(image={"height": 9, "width": 12})
    catalogues = ladder_catalogues(recipe, size=2, seed=1)
    figure = plot_ladder(catalogues, columns=2)
    lines = [figure.axes[start : start + 2] for start in range(0, len(figure.axes), 2)]
    assert len(lines) == len(catalogues)
    for column in range(2):
        light, colour = [], []
        for catalogue, line in zip(catalogues.values(), lines, strict=True):
            (image,) = line[column].images
            light.append(catalogue[column][0][0].flatten())
            colour.append(torch.from_numpy(np.asarray(image.get_array())).flatten())
            assert image.get_clim() == lines[-1][column].images[0].get_clim()
        order = torch.cat(light).argsort()
        assert (torch.cat(colour)[order].diff() >= 0).all()


def test_time_series_have_a_ladder_of_noise(tmp_path: Path) -> None:
    recipe = db.load_recipe("pendulum").replace(
        time={"steps": 5}, noise={"parameters": {"length": 0.1}}
    )
    ladder = recipe.rungs()
    assert [rung.name for rung in ladder] == ["simplest", "parameters", "measurement"]
    assert ladder[-1].recipe == recipe
    simplest, perturbed, full = (db.generate(rung.recipe, 1, ROWS) for rung in ladder)
    assert torch.equal(simplest.series, full.clean)
    assert torch.equal(simplest.clean, full.clean)
    assert not torch.equal(perturbed.series, full.clean)
    assert not torch.equal(perturbed.series, full.series)
    # noise of the measurement leaves the noise of the parameters unchanged
    assert (full.series - perturbed.series).abs().max() < 6 * 0.1
    assert all(torch.equal(perturbed.parameters[n], full.parameters[n]) for n in full.parameters)
    paths = write_ladder(recipe, tmp_path, size=4, progress=False)
    assert [path.name for path in paths] == [
        "0-simplest.h5",
        "1-parameters.h5",
        "2-measurement.h5",
    ]


def test_zero_noise_adds_no_rung() -> None:
    recipe = db.load_recipe("pendulum").replace(
        noise={"parameters": {"length": 0.0}, "measurement": {"x": 0.0}}
    )
    assert [rung.name for rung in recipe.rungs()] == ["simplest", "measurement"]
    noiseless = recipe.replace(
        noise={"measurement": dict.fromkeys(("angle", "velocity", "y"), 0.0)}
    )
    (only,) = noiseless.rungs()
    assert only.recipe == noiseless
