"""observe(): images of given objects, bit for bit those of generated rows, and their gradients."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.recipes.units import pixel_frame
from tests.test_generate import assert_rows_equal, each_recipe, small

INDEX = torch.arange(30)
EVERYTHING = {
    "psf": None,
    "blur": {"sigma": 0.04},
    "poisson": {"exposure": 400, "background": 1.0},
    "gaussian": {"sigma": 0.03},
}


def stars(batch: int = 3, slots: int = 2) -> dict[str, dict[str, Tensor]]:
    """Stars on an image of 16 x 20 pixels."""
    number = torch.arange(batch * slots).view(batch, slots).float()
    return {
        "star": {
            "x": 4 + number % 9,
            "y": 5 + number % 4,
            "amplitude": 1 + number / 10,
            "gamma": torch.full_like(number, 1.7),
            "alpha": torch.full_like(number, 3.0),
        }
    }


def field(**changes: Any) -> db.Recipe:
    """The recipe sky at 16 x 20 pixels."""
    recipe: db.Recipe = db.load_recipe("sky")
    return recipe.replace(image={"height": 16, "width": 20}, **changes)


# ---- the same bits as generate


@each_recipe
@pytest.mark.parametrize("degrade", [None, EVERYTHING], ids=["plain", "everything"])
def test_generated_scenes_are_observed_alike(name: str, degrade: Any) -> None:
    recipe = small(name).replace(degrade=None).replace(degrade=degrade)
    for index in (INDEX, INDEX[:0], torch.tensor([7, 7, 10**12])):
        made = db.generate(recipe, 3, index)
        for present in (None, made.present):
            found = db.observe(made.scene, recipe, seed=3, index=index, present=present)
            assert_rows_equal(found, list(range(len(index))), made)


@each_recipe
def test_packaged_recipes_are_observed_alike(name: str) -> None:
    made = db.generate(name, 0, torch.arange(8))
    assert_rows_equal(db.observe(made.scene, name, seed=0, index=made.index), list(range(8)), made)


@each_recipe
def test_units_of_the_recipe_are_converted(name: str) -> None:
    """Oracle: the row itself, from its fractions, which float64 keeps exactly."""
    recipe = small(name)
    made = db.generate(recipe, 3, INDEX)
    scene = {}
    for kind, parameters in made.scene.items():
        frames = {n: pixel_frame(f.role, recipe.grid) for n, f in db.OBJECTS[kind].fields.items()}
        scene[kind] = {
            n: (v.double() - frames[n].shift) / frames[n].scale for n, v in parameters.items()
        }
    found = db.observe(scene, recipe, seed=3, index=INDEX, present=made.present, units="recipe")
    assert_rows_equal(found, list(range(30)), made)


def test_ladders_are_observed_alike() -> None:
    for rung in field().rungs()[::3]:
        made = db.generate(rung.recipe, 0, INDEX)
        found = db.observe(made.scene, rung.recipe, seed=0, index=INDEX)
        assert_rows_equal(found, list(range(30)), made)


def test_threads_and_batches_do_not_matter() -> None:
    made = db.generate("sky", 0, torch.arange(40))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        found = db.observe(made.scene, "sky", seed=0, index=made.index)
    finally:
        torch.set_num_threads(threads)
    assert_rows_equal(found, list(range(40)), made)
    part = {kind: {n: v[5:6] for n, v in own.items()} for kind, own in made.scene.items()}
    there = {kind: slots[5:6] for kind, slots in made.present.items()}
    single = db.observe(part, "sky", seed=0, index=made.index[5:6], present=there)
    assert torch.equal(single.image, made.image[5:6])


def test_observed_scenes_are_observed_again() -> None:
    first = db.observe(stars(), field(), seed=0, index=INDEX[:3])
    again = db.observe(first.scene, first.recipe, seed=0, index=INDEX[:3])
    assert torch.equal(again.image, first.image)
    assert torch.equal(again.label, first.label)


# ---- a user's own objects


def test_light_is_that_of_the_objects_alone() -> None:
    """Oracle: the sum of `render`."""
    scene = stars()
    sample = db.observe(scene, field(degrade=None), seed=0, index=INDEX[:3])
    total = torch.zeros(3, 16, 20)
    for slot in range(2):
        own = {name: values[:, slot] for name, values in scene["star"].items()}
        total += db.OBJECTS["star"].render(own, db.Grid(16, 20))
    torch.testing.assert_close(sample.clean[:, 0], total, rtol=1e-5, atol=1e-7)
    assert torch.equal(sample.image, sample.clean)
    assert sample.label.tolist() == [[1.0, 0.0, 0.0]] * 3
    assert len(sample.to_table()) == 6


def test_absent_slots_hold_nothing() -> None:
    """A mask, NaN, and no slot at all are the same image."""
    one = {"star": {name: values[:, 0] for name, values in stars()["star"].items()}}
    mask = {"star": torch.tensor([[True, False]] * 3)}
    nan = {
        "star": {
            name: torch.where(mask["star"], values, math.nan)
            for name, values in stars()["star"].items()
        }
    }
    expected = db.observe(one, field(), seed=0, index=INDEX[:3])
    for scene, present in ((stars(), mask), (nan, None), (nan, mask)):
        found = db.observe(scene, field(), seed=0, index=INDEX[:3], present=present)
        assert torch.equal(found.image, expected.image)
        assert torch.equal(found.label, expected.label)


def test_no_object_is_a_dark_image() -> None:
    sample = db.observe({}, field(degrade=None), seed=0, index=INDEX[:3])
    assert sample.image.shape == (3, 1, 16, 20)
    assert not sample.image.any()
    assert not sample.label.any()


def test_kinds_may_have_different_numbers_of_slots() -> None:
    star, galaxy = stars(3, 2), db.generate(field(), 0, INDEX[:3]).scene["galaxy"]
    scene = {"galaxy": galaxy, **star}
    mask = {"galaxy": torch.ones(3, 4).bool()}
    sample = db.observe(scene, field(), seed=0, index=INDEX[:3], present=mask)
    assert sample.label.tolist() == [[1.0, 1.0, 0.0]] * 3
    assert sample.present["star"].tolist() == [[True, True, False, False]] * 3


def test_integers_lists_and_quantities_are_parameters() -> None:
    from astropy import units as u

    scene: Any = stars(2, 1)
    expected = db.observe(scene, field(), seed=0, index=INDEX[:2])
    plain = {name: values[:, 0].numpy() for name, values in scene["star"].items()}
    scene = {"star": plain | {"x": plain["x"] * u.pix, "y": [5, 6], "alpha": torch.tensor([3, 3])}}
    assert torch.equal(db.observe(scene, field(), seed=0, index=INDEX[:2]).image, expected.image)


def test_noise_is_that_of_seed_and_row() -> None:
    scene = {"star": {n: v[:1].expand(3, 2) for n, v in stars()["star"].items()}}
    first, second = (db.observe(scene, field(), seed=s, index=INDEX[:3]) for s in (0, 1))
    assert torch.equal(first.clean[0], first.clean[1])
    assert not torch.equal(first.image[0], first.image[1])
    assert torch.equal(first.clean, second.clean)
    assert not torch.isin(first.image, second.image).all()


# ---- gradients


@each_recipe
@pytest.mark.parametrize("degrade", [None, EVERYTHING], ids=["plain", "everything"])
def test_gradients_are_those_of_the_light(name: str, degrade: Any) -> None:
    """Oracle: `render` of each object and torch's gradients of the sum or the union."""
    recipe = small(name).replace(degrade=None).replace(degrade=degrade)
    made = db.generate(recipe, 3, INDEX[:6])
    scene = {
        kind: {n: v.clone().requires_grad_() for n, v in own.items()}
        for kind, own in made.scene.items()
    }
    sample = db.observe(scene, recipe, seed=3, index=INDEX[:6], present=made.present)
    assert torch.equal(sample.image, made.image)  # kernels give the values
    assert torch.equal(sample.clean, made.clean)
    if degrade is None:
        weights = torch.linspace(0.5, 1.5, 24 * 31).view(24, 31)
        leaves = [value for own in scene.values() for value in own.values()]
        found = torch.autograd.grad((sample.clean[:, 0] * weights).sum(), leaves, allow_unused=True)
        light = rendered(recipe, scene, made.present)
        expected = torch.autograd.grad((light * weights).sum(), leaves, allow_unused=True)
        for one, other in zip(found, expected, strict=True):
            other = torch.zeros(1) if other is None else other
            one = torch.zeros_like(other) if one is None else one
            torch.testing.assert_close(one, other.expand_as(one), rtol=1e-3, atol=1e-4)


def rendered(recipe: db.Recipe, scene: Any, present: Any) -> Tensor:
    """The light of a scene, object after object."""
    images = torch.zeros(6, *recipe.grid.shape)
    for kind, own in scene.items():
        for slot in range(recipe.slots):
            light = db.OBJECTS[kind].render({n: v[:, slot] for n, v in own.items()}, recipe.grid)
            light = torch.where(present[kind][:, slot, None, None], light, 0.0)
            union = recipe.compose == "union"
            images = torch.maximum(images, light) if union else images + light
    return images


def test_images_have_the_gradients_of_their_light() -> None:
    scene = stars()
    amplitude = scene["star"]["amplitude"].requires_grad_()
    sample = db.observe(scene, field(degrade=EVERYTHING), seed=0, index=INDEX[:3])
    weights = torch.linspace(0.5, 1.5, 320).view(16, 20)
    of_image, of_clean = (
        torch.autograd.grad((image * weights).sum(), amplitude, retain_graph=True)[0]
        for image in (sample.image, sample.clean)
    )
    assert torch.equal(of_image, of_clean)
    # light is linear in the amplitude: its gradient is the light of amplitude 1, which is blurred
    ones = {"star": scene["star"] | {"amplitude": torch.ones(3, 2)}}
    alone = [{"star": torch.tensor([[n == 0, n == 1]] * 3)} for n in range(2)]
    lights = [
        db.observe(ones, field(degrade=EVERYTHING), seed=0, index=INDEX[:3], present=there).clean
        for there in alone
    ]
    expected = torch.stack([(light[:, 0] * weights).sum((1, 2)) for light in lights], dim=1)
    torch.testing.assert_close(of_image, expected, rtol=1e-4, atol=1e-4)


def test_a_fit_by_gradients_finds_the_star() -> None:
    """Oracle: the parameters that made the image."""
    truth = stars(1, 1)["star"]
    recipe = field(degrade={"poisson": None, "gaussian": {"sigma": 1e-4}})
    seen = db.observe({"star": truth}, recipe, seed=0, index=INDEX[:1]).image
    guess = {n: (v + 0.4 * (n in ("x", "y"))).clone().requires_grad_() for n, v in truth.items()}
    free = [guess[name] for name in ("x", "y", "amplitude")]
    optimiser = torch.optim.LBFGS(free, max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        clean = db.observe({"star": guess}, recipe, seed=0, index=INDEX[:1]).clean
        misfit = (clean - seen).square().sum()
        misfit.backward()  # type: ignore[no-untyped-call]
        return misfit

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    for name in ("x", "y", "amplitude"):
        torch.testing.assert_close(guess[name].detach(), truth[name], rtol=0, atol=1e-3)


def test_without_gradients_nothing_is_recorded() -> None:
    scene = stars()
    scene["star"]["x"].requires_grad_()
    with torch.no_grad():
        sample = db.observe(scene, field(), seed=0, index=INDEX[:3])
    assert not sample.clean.requires_grad
    assert not db.observe(stars(), field(), seed=0, index=INDEX[:3]).image.requires_grad


# ---- errors


def changed(**changes: Any) -> Any:
    return {"star": stars()["star"] | changes}


def at(value: float) -> Tensor:
    """Values of which one is another."""
    values = torch.full((3, 2), 2.0)
    values[1, 0] = value
    return values


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ({"circle": {}}, "scene: expected kinds of the recipe, star, galaxy, spiral, got 'circle'"),
        (changed(radius=at(1)), "star.radius is unknown"),
        ({"star": {"x": at(1)}}, "star.y is missing"),
        (changed(gamma=at(-1)), r"star.gamma: expected a number > 0, got -1 in image 1, slot 0"),
        (changed(gamma=at(1e-60).double()), "star.gamma: expected a number > 0, got "),
        (changed(alpha=at(1.0)), "star.alpha: expected a number > 1, got 1 in image 1, slot 0"),
        (changed(x=at(math.inf)), "scene.star.x: expected a finite number, got inf in image 1"),
        (changed(x=at(math.nan)), "got nan in image 1, slot 0; mark slots without an object in"),
        (changed(x=torch.zeros(2, 2)), r"scene.star.y: expected the shape of star.x, \(2, 2\)"),
        (stars(2), r"scene.star: expected 3 images, one for each number of index, got 2"),
        (stars(3, 1) | {"galaxy": 1}, "scene.galaxy: expected tensors by parameter, got int"),
    ],
)  # fmt: skip
def test_bad_scenes_are_refused(scene: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.observe(scene, field(), seed=0, index=INDEX[:3])


def test_other_bad_arguments_are_refused() -> None:
    index = INDEX[:3]
    with pytest.raises(
        ValueError, match="observe: expected a recipe of images, got pendulum of tim"
    ):
        db.observe(stars(), "pendulum", seed=0, index=index)
    with pytest.raises(ValueError, match="seed must be"):
        db.observe(stars(), field(), seed=-1, index=index)
    with pytest.raises(ValueError, match="index must not be negative"):
        db.observe(stars(), field(), seed=0, index=-index)
    with pytest.raises(ValueError, match="units: expected 'pixel' or 'recipe', got 'arcsec'"):
        db.observe(stars(), field(), seed=0, index=index, units="arcsec")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"scene.star.x: expected a tensor outside of torch.func"):
        torch.func.vmap(lambda x: db.observe(changed(x=x), field(), seed=0, index=index).image)(
            torch.ones(4, 3, 2)
        )


def test_a_class_is_the_kind_of_all_objects() -> None:
    recipe = db.load_recipe("astro")
    assert db.observe(stars(), recipe, seed=0, index=INDEX[:3]).label.tolist() == [0, 0, 0]
    message = r"scene: expected objects of one kind in each image.*got 0 kinds in image 1"
    mask = {"star": torch.tensor([[True, True], [False, False], [True, True]])}
    with pytest.raises(ValueError, match=message):
        db.observe(stars(), recipe, seed=0, index=INDEX[:3], present=mask)


def test_degrees_are_doubted() -> None:
    galaxy = {n: v[:, :1] for n, v in db.generate(field(), 0, INDEX[:3]).scene["galaxy"].items()}
    galaxy["theta"] = torch.full((3, 1), 90.0)
    with pytest.warns(UserWarning, match=r"scene.galaxy.theta: expected radians, got 90") as caught:
        db.observe({"galaxy": galaxy}, field(), seed=0, index=INDEX[:3])
    assert caught[0].filename == __file__


def test_the_default_device_changes_nothing() -> None:
    made = db.generate("lensing", 0, INDEX)
    catalogue = db.Catalogue("lensing", size=30)
    with torch.device("meta"):
        found = db.observe(made.scene, "lensing", seed=0, index=INDEX)
        density = made.recipe.log_prob(
            {k: dict(own) for k, own in made.scene.items()}, made.present
        )
        images, _ = catalogue.arrays()
    assert_rows_equal(found, list(range(30)), made)
    assert torch.equal(density, made.recipe.log_prob(made.scene))
    assert torch.equal(torch.from_numpy(images), made.image.flatten(1))
