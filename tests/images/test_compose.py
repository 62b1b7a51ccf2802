"""Composition and layouts: sums, unions, and images that show every object."""

import subprocess
import sys

import pytest
import torch

import deepbench_torch as db
from deepbench_torch.images import render as images
from deepbench_torch.images.compose import render_objects
from deepbench_torch.images.instances import render_instances
from deepbench_torch.native.layout import CORE_LEVEL
from deepbench_torch.objects import OBJECTS
from tests.images import tensor_layouts as layouts
from tests.images import tensor_scenes as scenes
from tests.images.tensor_layouts import core

with_layouts = pytest.mark.parametrize(
    "name", [name for name in db.list_recipes("image") if db.load_recipe(name).layout is not None]
)


# shapes unite before they are blurred, so blurred shapes do not unite
WAYS = [(name, None) for name in db.list_recipes("image")] + [
    (name, {"sigma": 0.04})
    for name in db.list_recipes("image")
    if db.load_recipe(name).compose == "sum"
]


@pytest.mark.parametrize(("name", "blur"), WAYS)
def test_components_make_the_clean_image(name: str, blur: dict[str, float] | None) -> None:
    """Oracle: adding, or taking the brightest, one object at a time."""
    size = {"height": 21, "width": 26}
    recipe = db.load_recipe(name).replace(image=size, degrade=None)
    recipe = recipe if blur is None else recipe.replace(degrade={"blur": blur})
    sample = db.generate(recipe, 3, torch.arange(30))
    objects = render_instances(sample)
    count = sum(int(present.sum()) for present in sample.present.values())
    assert objects.light.shape == (count, 21, 26)
    for row in range(30):
        own = objects.light[objects.row == row]
        together = torch.zeros(21, 26)
        for light in own:
            together = (
                together + light if recipe.compose == "sum" else torch.maximum(together, light)
            )
        # a blur rounds each object and their sum in different orders
        torch.testing.assert_close(together, sample.clean[row, 0], rtol=1e-5, atol=1e-6)


def test_shapes_unite_and_never_add() -> None:
    sample = db.generate("geometric", 0, torch.arange(60), image_size=64)
    assert sorted(torch.unique(sample.image).tolist()) == [0, 1]
    objects = render_instances(sample)
    overlap = torch.zeros(60, 64, 64).index_add_(0, objects.row, objects.light)
    assert overlap.max() >= 2
    assert torch.equal((overlap > 0).float(), sample.clean[:, 0])


def test_objects_of_a_scene_have_gradients() -> None:
    """Oracle: light is proportional to the amplitude, so its sum is amplitude times gradient."""
    recipe = db.load_recipe("star")
    scene = layouts.draw_scene(recipe, seed=0, index=torch.arange(5)).clone()
    table = scene.tables["star"].requires_grad_()
    light = torch.cat(
        [drawn.light for drawn in render_objects(scene, recipe.grid, device=torch.device("cpu"))]
    )
    (gradient,) = torch.autograd.grad(light.sum(), table)
    place = list(OBJECTS["star"].parameters).index("amplitude")
    products = (table * gradient)[place, :, 0].detach()
    torch.testing.assert_close(products, light.detach().sum((1, 2)))


def test_counts_cover_their_ranges() -> None:
    """Oracle: the shares that the recipes state; 4 standard deviations of a binomial."""
    index = torch.arange(4000)
    lensing = scenes.draw_present(db.load_recipe("lensing"), seed=0, index=index)
    arcs = lensing["arc"].sum(1).bincount(minlength=4)
    assert ((arcs - 1000).abs() < 4 * (4000 * 0.25 * 0.75) ** 0.5).all()
    assert abs(int(lensing["star"].sum()) - 3200) < 4 * (4000 * 0.8 * 0.2) ** 0.5
    sky = scenes.draw_present(db.load_recipe("sky"), seed=0, index=index)
    number = torch.stack(list(sky.values())).sum((0, 2)).bincount(minlength=5)
    assert number[0] == 0
    assert ((number[1:] - 1000).abs() < 4 * (4000 * 0.25 * 0.75) ** 0.5).all()


def test_labels_of_lensing_are_arc_and_star() -> None:
    sample = db.generate("lensing", 0, torch.arange(40), image_size=8)
    assert sample.recipe.classes == ["arc", "star"]
    assert torch.equal(sample.label[:, 0] > 0, sample.present["arc"].any(1))
    assert torch.equal(sample.label[:, 1] > 0, sample.present["star"].any(1))


@with_layouts
def test_nearly_every_image_shows_every_object(name: str) -> None:
    recipe = db.load_recipe(name)
    assert recipe.layout is not None
    index = torch.arange(256)
    present = scenes.draw_present(recipe, seed=0, index=index)
    values = scenes.draw_values(recipe, seed=0, index=index)[:, 0]
    before = layouts.least_visible(recipe, values, present) >= recipe.layout.visible
    layouts.settle(recipe, values, present, seed=0, index=index)
    after = layouts.least_visible(recipe, values, present) >= recipe.layout.visible
    assert before.float().mean() < 0.99  # else the layout would not be needed
    assert after.float().mean() > 0.99
    assert after[before].all()


def chosen_values(recipe: db.Recipe, index: torch.Tensor) -> torch.Tensor:
    """The values that a recipe's layouts settle on, found one image and candidate at a time."""
    assert recipe.layout is not None
    rows = []
    for row in torch.split(index, 1):
        present = scenes.draw_present(recipe, seed=0, index=row)
        candidates = [
            scenes.draw_values(
                recipe, seed=0, index=row, candidates=range(candidate, candidate + 1)
            )[:, 0]
            for candidate in range(recipe.layout.candidates)
        ]
        shares = [float(layouts.least_visible(recipe, values, present)) for values in candidates]
        good = [place for place, share in enumerate(shares) if share >= recipe.layout.visible]
        rows.append(candidates[good[0] if good else shares.index(max(shares))])
    return torch.cat(rows)


@with_layouts
@pytest.mark.parametrize(("visible", "candidates"), [(0.97, 4), (0.8, 8)])
def test_the_first_good_candidate_is_taken_else_the_best(
    name: str, visible: float, candidates: int
) -> None:
    """Oracle: every candidate of every image judged alone, where more is demanded than usual."""
    recipe = db.load_recipe(name).replace(layout={"visible": visible, "candidates": candidates})
    index = torch.arange(40)
    expected = scenes.to_pixels(
        recipe,
        chosen_values(recipe, index),
        scenes.draw_present(recipe, seed=0, index=index),
        recipe.grid,
    )
    scene = layouts.draw_scene(recipe, seed=0, index=index)
    for kind, table in expected.tables.items():
        assert torch.equal(scene.tables[kind], table)


def test_of_equally_bad_candidates_the_first_is_kept() -> None:
    """Oracle: the first candidate itself; nothing of any is in the frame."""
    recipe = db.load_recipe("rectangle").replace(
        objects={"rectangle": {"x": 3.0}}, layout={"visible": 0.5, "candidates": 4}
    )
    index = torch.arange(6)
    present = scenes.draw_present(recipe, seed=0, index=index)
    first = scenes.draw_values(recipe, seed=0, index=index)[:, 0]
    assert not layouts.least_visible(recipe, first, present).any()
    values = first.clone()
    layouts.settle(recipe, values, present, seed=0, index=index)
    assert torch.equal(values, first)


def test_visible_share_of_known_layouts() -> None:
    """Oracle: areas counted by hand on squares."""
    recipe = db.load_recipe("geometric").replace(
        objects={"rectangle": {"theta": 0.0, "width": 0.25, "height": 0.25}},
        count={"integer": [1, 2]},
        layout={"grid": 32},
    )
    plan = [(kind, name) for kind, fields in recipe.objects.items() for name in fields]
    values = torch.ones(4, len(plan), 2, dtype=torch.float64)
    present = {kind: torch.zeros(4, 2, dtype=torch.bool) for kind in recipe.objects}
    present["rectangle"] = torch.tensor([[1, 0], [1, 0], [1, 1], [1, 1]]).bool()

    def put(name: str, numbers: list[list[float]]) -> None:
        values[:, plan.index(("rectangle", name))] = torch.tensor(numbers, dtype=torch.float64)

    # whole; half outside; a quarter of each covered; one on the other
    put("x", [[0.5, 0.5], [0.0, 0.5], [0.25, 0.375], [0.5, 0.5]])
    put("y", [[0.5, 0.5], [0.5, 0.5], [0.25, 0.375], [0.5, 0.5]])
    for name, number in (("width", 0.25), ("height", 0.25), ("theta", 0.0)):
        put(name, [[number] * 2] * 4)
    share = layouts.least_visible(recipe, values, present)
    assert share.tolist() == pytest.approx([1, 0.5, 0.75, 0])


def test_an_image_without_objects_is_visible_and_dark() -> None:
    recipe = db.load_recipe("sky").replace(
        count={"choice": {"values": [0, 1], "weights": [1, 0.000001]}}, degrade={"poisson": None}
    )
    sample = db.generate(recipe, 0, torch.arange(5))
    assert not sample.image.any()
    assert render_instances(sample).light.shape == (0, 64, 64)
    assert not sample.label.any()


def test_the_core_of_a_profile_and_of_a_shape() -> None:
    """Oracle: the radius at which a Moffat profile falls to the stated share."""
    grid = db.Grid(41, 41)
    star = {"x": 20.0, "y": 20.0, "amplitude": 3.0, "gamma": 5.0, "alpha": 2.5}
    light = db.OBJECTS["star"].render({k: torch.tensor([v]) for k, v in star.items()}, grid)
    radius = 5.0 * (CORE_LEVEL ** (-1 / 2.5) - 1) ** 0.5
    column, row = grid.centres(torch.zeros(1))
    distance = ((column - 20.0) ** 2 + (row - 20.0) ** 2).sqrt()[None]
    assert torch.equal(core(light), distance <= radius)
    shape = (distance < 7).float() * 0.3
    assert torch.equal(core(shape), distance < 7)
    assert not core(torch.zeros(2, 3, 4)).any()
    assert core(torch.zeros(0, 3, 4)).shape == (0, 3, 4)


def test_more_slots_change_no_candidate() -> None:
    """A larger possible number of objects leaves the numbers of all layouts as they were."""
    recipe = db.load_recipe("sky")
    more = recipe.replace(count={"integer": [1, 9]})
    few, many = (
        scenes.draw_values(wider, seed=0, index=torch.arange(20), candidates=range(6))
        for wider in (recipe, more)
    )
    assert torch.equal(many[..., :4], few)


def test_a_batch_drawn_in_parts_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = layouts.draw_scene(db.load_recipe("sky"), seed=0, index=torch.arange(20))
    monkeypatch.setattr(layouts, "NUMBERS", 600)
    parts = layouts.draw_scene(db.load_recipe("sky"), seed=0, index=torch.arange(20))
    for kind, table in whole.tables.items():
        assert torch.equal(parts.tables[kind], table)
        assert torch.equal(parts.present[kind], whole.present[kind])


def test_memory_of_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than CHUNK pixels are drawn at once, whatever the batch."""
    from deepbench_torch.images import compose

    monkeypatch.setattr(compose, "CHUNK", 64 * 64 * 5)
    scene = layouts.draw_scene(db.load_recipe("sky"), seed=0, index=torch.arange(60))
    drawn = list(compose.render_objects(scene, db.Grid(64, 64), device=torch.device("cpu")))
    assert max(len(part.light) for part in drawn) == 5
    assert sum(len(part.light) for part in drawn) == sum(
        int(present.sum()) for present in scene.present.values()
    )


MEMORY = """
import resource, sys
import torch
import deepbench_torch as db

def peak():
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024

torch.set_num_threads(1)
recipe = db.load_recipe(sys.argv[1])
rows, side, target = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
data = db.Catalogue(recipe, size=rows, image_size=side, target=target)
data.samples(range(2))
data.__getitems__([0, 1])
before = peak()
if target == "label":
    sample = data.samples(range(rows))
    tables = sum(table.nbytes for table in sample.tables().values())
    given = sample.image.nbytes + sample.clean.nbytes + tables
else:
    pairs = data.__getitems__(list(range(rows)))
    given = 2 * rows * side * side * 4
print(peak() - before - given)
"""


@pytest.mark.parametrize(
    ("recipe", "rows", "side", "target"),
    [
        ("geometric", 100, 256, "label"),
        ("sky", 3000, 64, "label"),
        ("sky", 60_000, 1, "label"),  # nearly all parameters
        ("geometric", 4000, 1, "label"),  # nearly all choice of layouts
        ("geometric", 300, 256, "boxes"),  # every object alone
    ],
)
def test_resident_memory_beyond_what_is_given_is_bounded(
    recipe: str, rows: int, side: int, target: str
) -> None:
    """Oracle: the kernel's peak of a fresh process, against `images.WORKING_MEMORY`."""
    command = [sys.executable, "-c", MEMORY, recipe, str(rows), str(side), target]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert int(done.stdout) < images.WORKING_MEMORY
