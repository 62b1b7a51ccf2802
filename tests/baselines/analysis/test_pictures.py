"""Pictures of a run: order of the mistakes, learning curve, and texts inside the figure."""

import re
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

import deepbench_torch as db
from baselines.analysis import dependence, mistakes, pictures
from baselines.analysis.factors import factors
from baselines.analysis.mistakes import most_confident
from baselines.scoring.predictions import Header, Predictions, image_recipe
from baselines.training.train import log_files
from deepbench_torch.datasets.problems.scores import score


def predictions(name: str, probability: torch.Tensor) -> Predictions:
    """Return predictions with these probabilities for the first test images of a recipe."""
    catalogue = db.Catalogue(name, size=100, split="test", image_size=24)
    sample = catalogue.samples(slice(len(probability)))
    return Predictions(
        header=Header.of(catalogue),
        recipe=image_recipe(catalogue),
        row=sample.index,
        label=sample.label,
        probability=probability,
    )


def test_the_most_confident_mistakes_of_one_label() -> None:
    """Oracle: all predictions are right but three, which are wrong with known confidence."""
    predicted = predictions("astro", torch.full((6, 3), 0.05))
    predicted.probability[torch.arange(6), predicted.label] = 0.9
    for index, chance in ((1, 0.6), (4, 0.8), (5, 0.7)):
        predicted.probability[index, predicted.label[index]] = 0.1
        predicted.probability[index, (predicted.label[index] + 1) % 3] = chance
    found = most_confident(predicted)
    assert [mistake.image for mistake in found] == [4, 5, 1]
    true = int(predicted.label[4])
    names = predicted.classes
    assert (
        found[0].text == f"row 84: {names[true]} predicted as {names[(true + 1) % 3]}, p = 0.8000"
    )
    assert len(most_confident(predicted, count=2)) == 2


def test_the_most_confident_mistakes_of_several_labels() -> None:
    predicted = predictions("sky", torch.zeros(5, 3))
    predicted.probability.copy_(predicted.label.mul(0.8).add(0.1))  # all right: 0.1 or 0.9
    assert predicted.label[2].tolist() == [0, 1, 0]
    predicted.probability[2, 2] = 0.75
    predicted.probability[0] = torch.tensor([0.02, 0.4, 0.97])
    found = most_confident(predicted)
    assert [mistake.text for mistake in found] == [
        "row 80, star, galaxy, spiral: misses star, p = 0.0200",  # p of galaxy: 0.4
        "row 82, galaxy: imagines spiral, p = 0.7500",
    ]


def test_without_mistakes_the_title_reports_none(tmp_path: Path) -> None:
    predicted = predictions("sky", torch.zeros(4, 3))
    predicted.probability.copy_(predicted.label)
    assert most_confident(predicted) == []
    title = mistakes.plot(predicted, title="sky").get_suptitle()
    assert title == "sky: no mistakes"


def write_log(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).mkdir()
    (folder / name / "metrics.csv").write_text("\n".join(lines))


def test_a_curve_joins_the_parts_of_a_run(tmp_path: Path) -> None:
    head = "epoch,step,train/loss,val/accuracy"
    write_log(tmp_path, "log", [head, "0,9,,0.5", "0,9,2.0,", "1,19,,0.6", "1,19,1.5,"])
    write_log(tmp_path, "log-2", [head, "1,19,,0.7"])
    write_log(tmp_path, "log-10", [head, "2,29,0.5,"])
    curve = pictures.read_curve(log_files(tmp_path))
    assert list(curve) == [1, 2, 3]
    assert curve[1]["train/loss"] == 2.0
    assert (curve[2]["train/loss"], curve[2]["val/accuracy"]) == (1.5, 0.7)
    assert "val/accuracy" not in curve[3]


def cut_off(figure: Figure) -> list[str]:
    """Return the texts that extend beyond the edge of a figure."""
    figure.draw_without_rendering()
    edge = figure.bbox
    # tick labels beyond the end of an axis exist but are not rendered; they are numbers
    texts = [text for text in figure.findobj(Text) if re.match("[^$]*[a-z]", text.get_text())]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    return [
        text
        for text, box in boxes
        if box.x0 < edge.x0 - 1
        or box.y0 < edge.y0 - 1
        or box.x1 > edge.x1 + 1
        or box.y1 > edge.y1 + 1
    ]


@pytest.mark.parametrize("name", ["astro", "sky", "geometric"])
def test_no_text_is_cut_off(name: str) -> None:
    classes = len(db.Catalogue(name).classes)
    predicted = predictions(
        name, torch.linspace(0.01, 0.99, 20 * classes).view(20, classes).flip(0)
    )
    scores = score(predicted.probability, predicted.label)
    title = f"{name}, resnet50, 60 epochs, seed 0, fresh images (not the paper's protocol)"
    points = dependence.dependence(
        predicted, factors(predicted.recipe, predicted.header.seed, predicted.row)
    )
    table = pictures.confusion if scores.top else pictures.label_bars
    curve = {epoch: {"train/loss": 2.0, "val/loss": 3.0, "val/accuracy": 0.5} for epoch in (1, 2)}
    for figure in (
        table(scores, predicted.classes, title=title),
        mistakes.plot(predicted, title=title),
        dependence.plot(points, title=title),
        pictures.learning_curve(curve, title=title, test=50.0, paper=97.1),
    ):
        assert cut_off(figure) == []
