"""The law: row i depends on recipe, seed and index[i] and on nothing else. Run for every recipe."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.samples import Sample

each_recipe = pytest.mark.parametrize("name", db.list_recipes("image"))


def parts(sample: Sample) -> dict[str, Tensor]:
    """Every tensor of a sample by its path."""
    found: dict[str, Tensor] = {}

    def collect(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                collect(f"{path}.{key}", inner)
        elif isinstance(value, Tensor):
            found[path] = value

    for field in dataclasses.fields(sample):
        collect(field.name, getattr(sample, field.name))
    return found


def assert_rows_equal(sample: Sample, rows: list[int], other: Sample) -> None:
    """Rows of one sample are all of another, bit for bit."""
    mine, theirs = parts(sample), parts(other)
    assert mine.keys() == theirs.keys()
    for path, values in mine.items():
        assert torch.equal(values[rows], theirs[path]), path


def small(name: str) -> db.Recipe:
    """A recipe at a small, non-square size, so that every row is cheap."""
    recipe: db.Recipe = db.load_recipe(name)
    return recipe.replace(image={"height": 24, "width": 31})


@each_recipe
def test_batch_equals_its_singles(name: str) -> None:
    recipe = small(name)
    batch = db.generate(recipe, 3, torch.arange(40))
    for row in range(40):
        assert_rows_equal(batch, [row], db.generate(recipe, 3, torch.tensor([row])))


@each_recipe
def test_order_does_not_matter(name: str) -> None:
    recipe = small(name)
    index = [7, 3, 3, 11, 0, 10**12]
    whole = db.generate(recipe, 3, torch.tensor(index))
    assert_rows_equal(whole, [4, 1], db.generate(recipe, 3, torch.tensor([0, 3])))
    assert_rows_equal(whole, [5], db.generate(recipe, 3, torch.tensor([10**12])))


@each_recipe
def test_number_of_threads_does_not_matter(name: str) -> None:
    recipe = db.load_recipe(name)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = db.generate(recipe, 0, torch.arange(70))
        torch.set_num_threads(2)
        assert_rows_equal(one, list(range(70)), db.generate(recipe, 0, torch.arange(70)))
    finally:
        torch.set_num_threads(threads)


@each_recipe
def test_chunks_do_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small(name)
    whole = db.generate(recipe, 0, torch.arange(30))
    monkeypatch.setattr("deepbench_torch.images.compose.CHUNK", 24 * 31 * 7)
    assert_rows_equal(whole, list(range(30)), db.generate(recipe, 0, torch.arange(30)))


@each_recipe
def test_empty_batch(name: str) -> None:
    sample = db.generate(small(name), 0, torch.empty(0, dtype=torch.int64))
    assert sample.image.shape == (0, 1, 24, 31)
    assert all(len(values) == 0 for values in parts(sample).values())


@each_recipe
def test_another_seed_shares_nothing(name: str) -> None:
    recipe = small(name)
    first, second = (parts(db.generate(recipe, seed, torch.arange(20))) for seed in (0, 1))
    assert not torch.isin(first["image"], second["image"][:, :, :3, :3]).all()
    for path, values in first.items():
        if path.startswith("scene.") and len(torch.unique(values)) > 10:
            assert not torch.isin(values, second[path]).any(), path


@each_recipe
def test_same_scenes_at_every_size_and_with_any_noise(name: str) -> None:
    recipe = db.load_recipe(name)
    index = torch.arange(16)
    base = db.generate(recipe, 1, index, image_size=64)
    for size in (28, 256):
        other = db.generate(recipe, 1, index, image_size=size)
        assert torch.equal(other.label, base.label)
        for kind, parameters in base.scene.items():
            for parameter, values in parameters.items():
                role = db.OBJECTS[kind].fields[parameter].role
                shift = 0.5 if role in ("column", "row") else 0.0
                power = {"column": 1, "row": 1, "length": 1, "flux": 2}.get(role, 0)
                scale = (size / 64) ** power
                # oracle: the same fraction of the side; float32 rounds it twice
                expected = (values.double() + shift) * scale - shift
                torch.testing.assert_close(
                    other.scene[kind][parameter].double(), expected, rtol=3e-7, atol=1e-5
                )
    quiet = recipe.replace(degrade={"blur": None, "poisson": None, "gaussian": None})
    still = db.generate(quiet, 1, index, image_size=64)
    assert torch.equal(still.image, still.clean)
    for path, values in parts(still).items():
        if path not in ("image", "clean"):
            assert torch.equal(values, parts(base)[path]), path


@each_recipe
def test_changing_one_prior_leaves_all_other_samples(name: str) -> None:
    recipe = small(name).replace(layout=None)
    before = db.generate(recipe, 2, torch.arange(12))
    for kind, priors in recipe.objects.items():
        for parameter, prior in priors.items():
            middle = float(prior.icdf(torch.tensor([0.37], dtype=torch.float64)))
            changed = recipe.replace(objects={kind: {parameter: middle}})
            after = db.generate(changed, 2, torch.arange(12))
            for path, values in parts(before).items():
                if path.startswith(("scene.", "present.")) and path != f"scene.{kind}.{parameter}":
                    assert torch.equal(parts(after)[path], values), path


@each_recipe
def test_parameters_in_the_truth_render_the_clean_image(name: str) -> None:
    recipe = small(name).replace(degrade={"psf": None, "blur": None, "gradient": None})
    sample = db.generate(recipe, 4, torch.arange(25))
    total = torch.zeros(25, 24, 31)
    for kind, parameters in sample.scene.items():
        for slot in range(recipe.slots):
            rows = sample.present[kind][:, slot]
            chosen = {key: values[rows, slot] for key, values in parameters.items()}
            light = db.OBJECTS[kind].render(chosen, recipe.grid)
            together = torch.add if recipe.compose == "sum" else torch.maximum
            total[rows] = together(total[rows], light)
    peak = total.flatten(1).amax(1)[:, None, None]
    # both round each pixel once or twice, and the source position of a pixel several times
    tolerance = 2e-5 if "lensed" in recipe.objects else 2e-6
    assert bool(((total - sample.clean[:, 0]).abs() <= tolerance * peak).all())


@each_recipe
def test_every_recipe_renders(name: str) -> None:
    recipe = db.load_recipe(name).replace(degrade={"gradient": None})
    sample = db.generate(recipe, 0, torch.arange(64))
    assert sample.image.shape == (64, 1, recipe.image.height, recipe.image.width)
    assert sample.image.dtype == torch.float32
    assert sample.image.isfinite().all()
    objects = torch.stack([present.any(1) for present in sample.present.values()]).any(0)
    assert torch.equal(sample.clean.amax((1, 2, 3)) > 0, objects)
    seen = torch.stack([present.any() for present in sample.present.values()])
    assert seen.all()


def test_samples_are_in_their_priors() -> None:
    """The unit conversion undone gives values that the priors contain."""
    recipe = db.load_recipe("astro").replace(image={"height": 50, "width": 80})
    sample = db.generate(recipe, 0, torch.arange(500))
    star = {name: values.double() for name, values in sample.scene["star"].items()}
    priors = recipe.objects["star"]
    # float32 rounds a value by 6e-8 of itself, which may step over an end of the interval
    for value, name in (((star["x"] + 0.5) / 80, "x"), (star["gamma"] / 50, "gamma")):
        low, high = priors[name].support
        assert (value > low - 1e-6).all()
        assert (value < high + 1e-6).all()
        assert value.min() < low + 0.02 * (high - low)
        assert value.max() > high - 0.02 * (high - low)


def test_classes_of_astro_are_balanced() -> None:
    """Oracle: a multinomial of three equal shares; 4 standard deviations of a share."""
    count = db.generate("astro", 0, torch.arange(30_000), image_size=1).label.bincount(minlength=3)
    assert ((count - 10_000).abs() < 4 * (30_000 * 2 / 9) ** 0.5).all()


def test_class_label_names_the_one_kind() -> None:
    sample = db.generate("astro", 0, torch.arange(50), image_size=4)
    there = torch.stack([sample.present[kind][:, 0] for kind in ("star", "galaxy", "spiral")], 1)
    assert (there.sum(1) == 1).all()
    assert torch.equal(there.long().argmax(1), sample.label)


def test_several_objects_and_multi_hot_labels() -> None:
    recipe = db.load_recipe("astro").replace(count={"integer": [0, 4]}, label="present")
    sample = db.generate(recipe, 0, torch.arange(400), image_size=8)
    count = torch.stack(list(sample.present.values())).sum((0, 2))
    assert sorted(torch.unique(count).tolist()) == [0, 1, 2, 3, 4]
    assert sample.label.dtype == torch.float32
    assert sample.label.shape == (400, 3)
    assert torch.equal(sample.label[:, 1] > 0, sample.present["galaxy"].any(1))


def test_blur_conserves_what_the_frame_holds() -> None:
    """Oracle: blurring a wider image and cutting the frame out of it."""
    blurred = db.load_recipe("astro").replace(
        degrade={"blur": {"sigma": 1.5 / 20}, "poisson": None}, image={"height": 20, "width": 20}
    )
    sample = db.generate(blurred, 0, torch.arange(6))
    sharp = db.generate(blurred.replace(degrade={"blur": None}), 0, torch.arange(6))
    assert not torch.equal(sample.clean, sharp.clean)
    assert torch.equal(sample.image, sample.clean)
    # a blur only spreads: no peak grows
    assert (sample.clean.amax((1, 2, 3)) <= sharp.clean.amax((1, 2, 3)) * (1 + 1e-6)).all()


def test_rows_may_take_part_in_gradients() -> None:
    """Whatever way they were drawn, a network can learn from them."""
    sample = db.generate("sky", 0, torch.arange(3))
    for path, values in parts(sample).items():
        assert not values.is_inference(), path
    weight = torch.ones(1, requires_grad=True)
    (sample.image * weight).sum().backward()
    assert weight.grad is not None


def test_device_argument_is_honoured() -> None:
    sample = db.generate("astro", 0, torch.arange(3), device=torch.device("cpu"))
    assert sample.image.device.type == "cpu"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, r"seed must be a whole number from 0 to 2\*\*63 - 1, got -1"),
        ({"seed": 2**63}, "seed must be a whole number"),
        ({"seed": 1.5}, "got 1.5"),
        ({"seed": True}, "got True"),
        ({"index": torch.tensor([0, -4])}, "index must not be negative, got -4"),
        ({"index": torch.tensor([0.5])}, "index must be whole numbers"),
        ({"index": torch.tensor(3)}, r"for one row give torch.tensor\(\[i\]\)"),
        ({"index": torch.tensor([True])}, "index must be whole numbers"),
        ({"index": torch.tensor([1], dtype=torch.uint16)}, "index must be whole numbers"),
        ({"index": torch.tensor([1j])}, "index must be whole numbers"),
        ({"index": None}, "index: expected a tensor of whole numbers, got None"),
        ({"image_size": 0}, "image_size must be a number of pixels from 1 to 16384"),
        ({"image_size": (3, -1)}, "image_size must be .* got -1"),
        ({"image_size": (3, 4, 5)}, "a pair"),
        ({"recipe": "nothing"}, "recipe: expected arc, astro, .*, got .nothing."),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    call: dict[str, Any] = {"recipe": "astro", "seed": 0, "index": torch.tensor([0])} | arguments
    with pytest.raises(ValueError, match=message):
        db.generate(call["recipe"], call["seed"], call["index"], image_size=call.get("image_size"))
