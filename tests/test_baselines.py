"""The baselines: the whole path on 60 images, killed and resumed; the record; the settings."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import deepbench_torch as db
from baselines import reproduce, results, speed
from baselines.augment import flip_and_turn
from baselines.settings import load_settings
from deepbench_torch import classifier

pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated"),
    pytest.mark.filterwarnings("ignore:.*number of training batches"),
]


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A three-layer network stands in for ResNet50."""

    def build(architecture: str, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(676, outputs)
        )

    monkeypatch.setattr(classifier, "_build", build)


def run(tmp_path: Path, **options: Any) -> results.Result:
    return reproduce.run(
        "astro", size=60, root=tmp_path, results_file=tmp_path / "results.csv", **options
    )


def test_the_whole_path(tmp_path: Path) -> None:
    result = run(tmp_path, epochs=2, seed=3)
    assert result.task == "astro"
    assert 0 <= result.accuracy <= 100
    assert (result.seed, result.epochs, result.size) == (3, 2, 60)
    assert result.recipe_digest == db.load_recipe("astro").digest
    assert result.torch_version == torch.__version__
    assert results.read(tmp_path / "results.csv") == [result]
    folder = next(tmp_path.glob("astro-*-epochs2-seed3"))
    assert (folder / "last.ckpt").is_file()
    assert (folder / "log" / "metrics.csv").is_file()


def test_a_killed_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: the last weights of a run that was never killed; augmentation draws ambiently."""
    monkeypatch.setattr(reproduce, "flip_and_turn", None)
    run(tmp_path / "whole", epochs=3)
    seen: list[int] = []

    class KilledError(Exception):
        pass

    def kill(self: Any, trainer: Any, pl_module: Any) -> None:
        seen.append(trainer.current_epoch)
        if seen == [0, 1, 2]:
            raise KilledError

    monkeypatch.setattr(reproduce.Stopwatch, "on_train_epoch_start", kill)
    with pytest.raises(KilledError):
        run(tmp_path / "parts", epochs=3)
    run(tmp_path / "parts", epochs=3)
    assert seen == [0, 1, 2, 2]
    whole, parts = (
        torch.load(next((tmp_path / name).glob("astro-*/last.ckpt")), weights_only=True)
        for name in ("whole", "parts")
    )
    assert whole["state_dict"].keys() == parts["state_dict"].keys()
    for name, weights in whole["state_dict"].items():
        assert torch.equal(weights, parts["state_dict"][name]), name


def test_results_are_appended_under_one_header(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "results.csv"
    result = run(tmp_path, epochs=1)
    results.append(result, file)
    results.append(result.model_copy(update={"seed": 1}), file)
    assert [row.seed for row in results.read(file)] == [0, 1]
    assert file.read_text().count("task,architecture") == 1


def test_recorded_runs_are_of_the_recipe_as_it_is() -> None:
    """A change of pixels voids what was recorded."""
    for result in results.read():
        task = load_settings().tasks[result.task]
        recipe = db.Catalogue(task.recipe, image_size=task.image_size).recipe
        assert result.recipe_digest == recipe.digest
        assert result.paper_accuracy == task.paper_accuracy


def test_settings_are_the_papers() -> None:
    settings = load_settings()
    assert (settings.architecture, settings.size, settings.batch_size) == ("resnet50", 10_000, 64)
    assert (settings.lr, settings.weight_decay) == (0.524, 0.00125)
    assert settings.tasks["astro"].paper_accuracy == 97.1


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no task 'moon'; the tasks are astro"):
        reproduce.run("moon", root=tmp_path)


def test_flips_and_turns_are_the_eight_symmetries() -> None:
    torch.manual_seed(0)
    image = torch.arange(9.0).view(1, 3, 3)
    found = {tuple(flip_and_turn(image).flatten().tolist()) for _ in range(200)}
    expected = {
        tuple(turned.flatten().tolist())
        for quarter in range(4)
        for turned in (image.rot90(quarter, (1, 2)), image.rot90(quarter, (1, 2)).flip(2))
    }
    assert found == expected


def test_commit_is_told() -> None:
    assert results.commit()


def test_speed_measures_every_recipe() -> None:
    threads = torch.get_num_threads()
    try:
        row = speed.measure("astro", threads=1, rounds=1)
        assert row.ratio == row.batch / row.randn > 0
        assert row.single > row.batch
        assert speed.reading(size=64, shuffle=True) > 0
    finally:
        torch.set_num_threads(threads)
