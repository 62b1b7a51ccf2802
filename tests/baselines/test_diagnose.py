"""Ladders of accuracy: results on every rung, and the rung on which a network fails."""

from pathlib import Path

import pytest
import torch

import deepbench_torch as db
from baselines import diagnose
from baselines.diagnosis import ladder, small
from baselines.diagnosis.ladder import RungResult

BASE = RungResult(
    recipe="sky",
    rung="simplest",
    adds="nothing",
    digest="0" * 64,
    accuracy=1.0,
    exact_match=1.0,
    chance=0.5,
    images=2000,
    steps=500,
    seeds="0",
    seconds=1.5,
    device="cpu x 1 threads",
    commit="unknown",
    generator_version=3,
)


def rung_results(*pairs: tuple[float, float]) -> list[RungResult]:
    """Return results with these accuracies and chances."""
    return [
        BASE._replace(rung=f"rung {index}", accuracy=accuracy, chance=chance)
        for index, (accuracy, chance) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("pairs", "index"),
    [
        ([(1.0, 0.5), (0.95, 0.5), (0.8, 0.5), (0.78, 0.5)], 2),
        ([(1.0, 0.5), (0.7, 0.5), (0.99, 0.5), (0.8, 0.5)], 1),  # the largest loss, not the first
        ([(0.9, 0.5), (0.9, 0.8)], 1),  # equal accuracy at higher chance is less skill
        ([(0.9, 0.8), (0.8, 0.5)], None),  # lower accuracy at lower chance is more skill
        ([(0.950, 0.5), (0.945, 0.5)], None),  # the intervals of 2,000 images overlap
        ([(0.9, 0.5)], None),
        ([(0.9, 0.5), (1.0, 1.0)], None),  # one possible answer: no skill to lose
    ],
)
def test_the_failing_rung_loses_most_skill(
    pairs: list[tuple[float, float]], index: int | None
) -> None:
    assert ladder.breaking(rung_results(*pairs)) == index


def test_fewer_images_have_wider_intervals() -> None:
    measured = rung_results((0.95, 0.5), (0.9, 0.5))
    assert ladder.breaking(measured) == 1
    assert ladder.breaking([result._replace(images=100) for result in measured]) is None


def test_chance_is_the_more_frequent_answer() -> None:
    assert ladder.chance(torch.tensor([0, 2, 2, 1, 2]), 4) == pytest.approx(0.6)
    present = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    assert ladder.chance(present, 2) == pytest.approx(0.75)


def test_results_round_trip(tmp_path: Path) -> None:
    measured = rung_results((1.0, 0.5), (0.75, 0.625))
    path = ladder.write(measured, tmp_path / "sub" / "ladder.csv")
    assert ladder.read(path) == measured


@pytest.mark.parametrize("recipe", ["astro", "geometric"])
def test_the_command_on_tiny_images(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv, png = tmp_path / "ladder.csv", tmp_path / "ladder.png"
    diagnose.main(
        recipe, steps=2, images=20, seeds=[1, 5], image_size=16, results_file=csv, picture=png
    )
    measured = ladder.read(csv)
    chosen = db.Catalogue(recipe, image_size=16).recipe
    assert isinstance(chosen, db.Recipe)
    rungs = chosen.rungs()
    assert [result.digest for result in measured] == [rung.recipe.digest for rung in rungs]
    assert png.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert all(rung.name in out for rung in rungs)
    assert f"{recipe}: the network fails" in out
    # the last rung is the recipe itself; oracle: counted right labels
    shares = []
    for seed in (1, 5):
        sample = db.generate(chosen, seed, torch.arange(8000, 8020))
        network = small.train(chosen, steps=2, seed=seed)
        probability = small.probability(network, chosen, sample.image)
        if sample.label.dim() == 1:
            right = probability.argmax(1) == sample.label
        else:
            right = (probability > 0.5) == (sample.label > 0)
        shares.append(float(right.float().mean()))
    assert measured[-1].accuracy == pytest.approx(sum(shares) / 2, abs=1e-4)
    assert (measured[-1].images, measured[-1].seeds) == (40, "1 5")


def test_a_time_series_has_no_ladder() -> None:
    with pytest.raises(ValueError, match="expected a recipe of images, got pendulum"):
        diagnose.main("pendulum")


def test_the_small_network_learns() -> None:
    """Oracle: stars and bright galaxies without noise differ in size, which is visible."""
    recipe = db.load_recipe("astro").rungs()[0].recipe
    network = small.train(recipe, steps=60, seed=0)
    sample = db.generate(recipe, 0, torch.arange(64))
    probability = small.probability(network, recipe, sample.image)
    assert float((probability.argmax(1) == sample.label).float().mean()) > 0.9


def test_the_recorded_ladder_has_the_present_recipe() -> None:
    """Require a new ladder after a change of pixels."""
    for path in Path(ladder.__file__).parents[1].glob("ladder-*.csv"):
        recipe = db.load_recipe(path.stem.removeprefix("ladder-"))
        assert isinstance(recipe, db.Recipe)
        digests = [rung.recipe.digest for rung in recipe.rungs()]
        assert [result.digest for result in ladder.read(path)] == digests
