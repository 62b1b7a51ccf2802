"""Files of predictions: exact round trip, scores, and errors of wrong files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import deepbench_torch as db
from baselines import score
from baselines.scoring import predictions, submissions
from baselines.scoring.predictions import Header, Predictions, image_recipe
from deepbench_torch.generate import GENERATOR_VERSION

SIZE = 30  # rows 24 to 29 are the test images


def example(recipe: str | db.Recipe = "sky") -> Predictions:
    """Return predictions of the test images with distinct probabilities."""
    catalogue = db.Catalogue(recipe, size=SIZE, seed=5, split="test", image_size=16)
    label = catalogue.samples(rows=catalogue.rows).label
    noise = torch.linspace(0.01, 0.99, len(label) * len(catalogue.classes)).sqrt()
    chances = noise.view(len(label), -1).flip(0)
    return Predictions(
        header=Header.of(catalogue),
        recipe=image_recipe(catalogue),
        row=torch.tensor(catalogue.rows),
        label=label,
        probability=chances / chances.sum(1, keepdim=True) if label.dim() == 1 else chances,
    )


def equal(one: Predictions, other: Predictions) -> bool:
    return (
        one.header == other.header
        and one.recipe.digest == other.recipe.digest
        and all(torch.equal(a, b) for a, b in zip(one[2:], other[2:], strict=True))
    )


@pytest.mark.parametrize("recipe", ["astro", "sky", "geometric"])
def test_predictions_round_trip_exactly(recipe: str, tmp_path: Path) -> None:
    predicted = example(recipe)
    path = predictions.write(predicted, tmp_path / "file.csv")
    assert equal(submissions.read(path), predicted)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.csv"]


def test_rows_may_have_any_order(tmp_path: Path) -> None:
    predicted = example()
    path = predictions.write(predicted, tmp_path / "file.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:8] + lines[:7:-1]))
    assert equal(submissions.read(path), predicted)


def test_a_recipe_that_is_not_packaged_is_an_argument(tmp_path: Path) -> None:
    recipe = db.load_recipe("sky").replace(name="mine", degrade={"poisson": None})
    assert isinstance(recipe, db.Recipe)
    (tmp_path / "mine.yaml").write_text(recipe.to_yaml())
    predicted = example(recipe)
    path = predictions.write(predicted, tmp_path / "file.csv")
    assert equal(submissions.read(path, recipe=tmp_path / "mine.yaml"), predicted)
    with pytest.raises(
        ValueError, match="expected a packaged recipe, got 'mine'; set its YAML file with"
    ):
        submissions.read(path)


def replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line.replace(old, new) for line in lines]


def without(index: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: lines[:index] + lines[index:][1:]


def cell(column: int, value: str) -> Callable[[list[str]], list[str]]:
    """Return a function that replaces a cell in the last line."""

    def change(lines: list[str]) -> list[str]:
        cells = lines[-1].split(",")
        cells[column] = value
        return [*lines[:-1], ",".join(cells)]

    return change


FAULTS: list[tuple[Callable[[list[str]], list[str]], str]] = [
    (without(0), "expected lines `# key: value` for recipe, digest, .*, got recipe: Field req"),
    (replaced("# seed: 5", "# seed: five"), "seed: Input should be a valid integer"),
    (replaced("# split: test", "# spilt: test"), "split: Field required; spilt: Extra inputs"),
    (replaced("# recipe: sky", "# recipe: moon"), "expected a packaged recipe, got 'moon'"),
    (replaced("16x16", "16"), "image_size: expected a size such as 48x64, got '16'"),
    (
        replaced("16x16", "16x17"),
        "expected predictions of recipe sky with digest .* got .*; score it with",
    ),
    (
        replaced("# digest: ", "# digest: 0"),
        "expected predictions of recipe sky with digest .* got 0.*; score it with",
    ),
    (
        replaced(f"version: {GENERATOR_VERSION}", "version: 0"),
        f"and generator version {GENERATOR_VERSION}, got .* and 0; score",
    ),
    (replaced("row,label,star", "row,label,sun"), "the columns row,label,star,galaxy,spiral, got"),
    (lambda lines: lines[:7], "expected the columns row,label,star,galaxy,spiral, got none"),
    (lambda lines: lines[:8], "got a file that misses rows 24, 25, 26 and 3 more"),
    (without(10), "each row from 24 to 29 once, got a file that misses row 26"),
    (lambda lines: [*lines, lines[-1]], "got a file that repeats row 29"),
    (lambda lines: [*lines, *lines[-6:]], "got a file that repeats rows 24, 25, 26 and 3 more"),
    (cell(0, "30"), "got a file that misses row 29 and has unknown row 30"),
    (cell(0, "-1"), "row: expected a whole number, got '-1'"),
    (cell(0, "\N{ARABIC-INDIC DIGIT TWO}"), "row: expected a whole number"),
    (cell(2, "nan"), "row 29: expected probabilities from 0 to 1, got nan; apply"),
    (cell(2, "1.0001"), "row 29: expected probabilities from 0 to 1, got 1.0001; apply"),
    (cell(3, "-1e-9"), "row 29: expected probabilities from 0 to 1, got -1e-09"),
    (cell(4, "inf"), "row 29: expected probabilities from 0 to 1, got inf"),
    (cell(4, "high"), "row 29: expected probabilities, got .*; write a number"),
    (cell(4, ""), "row 29: expected probabilities, got .*; write a number"),
    (lambda lines: [*lines[:-1], lines[-1] + ",1"], "expected 5 cells in each line, got '29,"),
    (cell(1, "moon"), "row 29: expected the label .* of recipe and seed, got 'moon'"),
    (replaced("# size: 30", "# size: 4000000000000000"), "has unknown rows 24, 25, 26 and 3 more"),
    (
        replaced("# size: 30", "# size: 29"),
        "each row from 23 to 28 once, got a file that misses row 23 and has",
    ),
    (replaced("# seed: 5", "# seed: 6"), "row .*: expected the label .* of recipe and seed, got"),
]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(
        ValueError, match=r"file.csv: expected text in UTF-8, got invalid start byte; save"
    ):
        submissions.read(tmp_path / "file.csv")


@pytest.mark.parametrize(("change", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_wrong_file_is_refused(
    change: Callable[[list[str]], list[str]], message: str, tmp_path: Path
) -> None:
    path = predictions.write(example(), tmp_path / "file.csv")
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(ValueError, match=message) as caught:
        submissions.read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_command_prints_the_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Oracle: the label as a probability is always right."""
    for recipe, words in (("sky", "every label right 100.00 %"), ("astro", "top-3 100.00 %")):
        predicted = example(recipe)
        certain = predicted.label if predicted.label.dim() == 2 else torch.eye(3)[predicted.label]
        path = predictions.write(predicted._replace(probability=certain), tmp_path / "file.csv")
        score.main(path, pictures=tmp_path / recipe)
        out = capsys.readouterr().out
        assert out.startswith("accuracy 100.00 % (95 % interval 61.0 to 100.0 % for 6 images)")
        assert words in out
        assert "galaxy" in out
        plots = {entry.name for entry in (tmp_path / recipe).iterdir()}
        assert plots == {"confusion.png", "dependence.csv", "dependence.png", "mistakes.png"}
