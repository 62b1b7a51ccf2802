"""Baselines on 60 images: training, resuming after a kill, repeated tests, and settings."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import deepbench_torch as db
from baselines import reproduce
from baselines.analysis.pictures import Curve, read_curve
from baselines.scoring import results, submissions
from baselines.scoring.results import Protocol
from baselines.training import runs, train
from baselines.training.runs import Run, choose
from baselines.training.settings import load_settings
from deepbench_torch.datasets.problems.scores import score
from deepbench_torch.training.verify_weights import verify_weights
from tests.baselines.networks import tiny_run, use_tiny

pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.* is deprecated"),
]
TASKS = list(load_settings().tasks)
PICTURES = ("learning-curve.png", "confusion.png", "mistakes.png", "dependence.png")


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny(monkeypatch)


def carry_out(run: Run, root: Path) -> results.Result:
    result = reproduce.reproduce(run, root=root, results_file=root / "results.csv")
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("task", "protocol"), [*((task, "paper") for task in TASKS), ("astro", "stream")]
)
def test_a_run_from_training_to_plots(task: str, protocol: Protocol, tmp_path: Path) -> None:
    run = tiny_run(task, epochs=2, seed=3, protocol=protocol)
    result = carry_out(run, tmp_path)
    assert (result.task, result.protocol) == (task, protocol)
    assert 0 <= result.exact_match <= result.accuracy <= 100
    assert (result.seed, result.epochs, result.size) == (3, 2, 60)
    assert result.recipe_digest == run.recipe.digest
    assert result.torch_version == torch.__version__
    assert results.read(tmp_path / "results.csv") == [result]
    assert result.name == run.name
    folder = tmp_path / run.name
    assert (folder / "last.ckpt").is_file()
    assert (folder / "log" / "metrics.csv").is_file()
    assert (folder / "dependence.csv").is_file()
    for name in PICTURES:
        assert (folder / name).read_bytes().startswith(b"\x89PNG"), name
    resolved = yaml.safe_load((folder / "run.yaml").read_text())
    assert (resolved["task"], resolved["epochs"], resolved["lr"]) == (task, 2, 0.524)
    assert resolved["recipe"] == run.recipe.to_plain()
    # the weights hold the recorded accuracy on the same test images
    [verified] = verify_weights(db.get_weights(folder / "weights"))
    assert abs(verified.found - result.accuracy / 100) < 0.5001 / len(run.recipe.classes) / 12
    # oracle: the scores of the file of predictions
    copy = tmp_path / "predictions" / f"{run.name}.csv"
    assert copy.read_bytes() == (folder / "predictions.csv").read_bytes()
    predictions = submissions.read(copy)
    scores = score(predictions.probability, predictions.label)
    assert result.accuracy == round(100 * scores.accuracy, 2)
    assert result.exact_match == round(100 * scores.exact_match, 2)
    written = yaml.safe_load((folder / "scores.yaml").read_text())
    assert written["accuracy"] == scores.accuracy


def test_predictions_are_those_of_the_last_weights(tmp_path: Path) -> None:
    """Oracle: the weights of the checkpoint, applied to generated rows."""
    run = tiny_run()
    carry_out(run, tmp_path)
    predictions = submissions.read(tmp_path / run.name / "predictions.csv")
    model = run.model()
    checkpoint = torch.load(tmp_path / run.name / "last.ckpt", weights_only=True)
    model.load_state_dict(checkpoint["state_dict"])
    sample = db.generate(run.recipe, 0, torch.arange(48, 60))
    with torch.no_grad():
        expected = model.eval()(sample.image).double().softmax(1)
    assert torch.equal(predictions.row, sample.index)
    assert torch.equal(predictions.label, sample.label)
    assert torch.allclose(predictions.probability.double(), expected, atol=1e-6)  # rounding of sums


@pytest.mark.parametrize(("key", "value"), [("generator_version", 1), ("lr", 0.1)])
def test_a_run_of_other_settings_is_not_resumed(key: str, value: float, tmp_path: Path) -> None:
    """Check settings that are not in the name of the run."""
    run = tiny_run()
    carry_out(run, tmp_path)
    file = tmp_path / run.name / "run.yaml"
    before = yaml.safe_load(file.read_text()) | {key: value}
    file.write_text(yaml.safe_dump(before))
    rule = f"expected a run with {key} .*, got {value}; remove the folder, or choose another --root"
    with pytest.raises(ValueError, match=rule):
        carry_out(run, tmp_path)
    assert yaml.safe_load(file.read_text()) == before


def test_a_killed_run_resumes_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: the last weights of an uninterrupted run, without augmentation."""
    monkeypatch.setattr(runs, "flip_and_turn", None)  # it uses the global generator
    check_resuming(tiny_run(epochs=3), tmp_path, monkeypatch)


def check_resuming(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare an uninterrupted run with one that is killed in its last epoch and resumed."""
    carry_out(run, tmp_path / "complete")
    epochs: list[int] = []

    class KilledError(Exception):
        pass

    def kill(self: Any, trainer: Any, pl_module: Any) -> None:
        epochs.append(trainer.current_epoch)
        if epochs == [0, 1, 2]:
            raise KilledError

    monkeypatch.setattr(train.Stopwatch, "on_train_epoch_start", kill)
    with pytest.raises(KilledError):
        carry_out(run, tmp_path / "parts")
    carry_out(run, tmp_path / "parts")
    assert epochs == [0, 1, 2, 2]
    complete, parts = (
        torch.load(tmp_path / name / run.name / "last.ckpt", weights_only=True)
        for name in ("complete", "parts")
    )
    assert complete["state_dict"].keys() == parts["state_dict"].keys()
    for name, weights in complete["state_dict"].items():
        assert torch.equal(weights, parts["state_dict"][name]), name
    complete_log, parts_log = (
        curve_of(tmp_path / name / run.name) for name in ("complete", "parts")
    )
    assert list(parts_log) == [1, 2, 3]
    assert parts_log == complete_log


def curve_of(folder: Path) -> Curve:
    return read_curve(train.log_files(folder))


@pytest.mark.parametrize("protocol", ["paper", "stream"])
def test_training_images_of_a_protocol(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: generated rows; those of a stream are outside the catalogue, none twice."""
    monkeypatch.setattr(runs, "flip_and_turn", None)
    run = tiny_run(protocol=protocol)
    data = run.data(tmp_path)
    data.prepare_data()
    first = 1 << 62  # first row outside every catalogue
    numbers = [*range(60), *range(first, first + 72)]
    images = db.generate(run.recipe, 0, torch.tensor(numbers)).image.numpy()
    row_of = {image.tobytes(): row for row, image in zip(numbers, images, strict=True)}
    loader = data.train_dataloader()
    epochs = [
        [row_of[image.numpy().tobytes()] for batch, _ in loader for image in batch]
        for _ in range(2)
    ]
    if protocol == "paper":
        assert [sorted(rows) for rows in epochs] == [list(range(36))] * 2
    else:
        assert epochs == [[*range(first, first + 36)], [*range(first + 36, first + 72)]]
    for name, rows in (("val", range(36, 48)), ("test", range(48, 60))):
        loader = getattr(data, f"{name}_dataloader")()
        assert [row_of[i.numpy().tobytes()] for batch, _ in loader for i in batch] == list(rows)


def test_both_protocols_have_equally_many_steps(tmp_path: Path) -> None:
    protocols: tuple[Protocol, ...] = ("paper", "stream")
    steps = []
    for protocol in protocols:
        data = choose("astro", size=1000, protocol=protocol).data(tmp_path)
        data.prepare_data()
        steps.append(len(data.train_dataloader()))
    assert steps == [9, 9]  # 600 images in batches of 64


def test_a_killed_stream_resumes_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: the last weights of an uninterrupted run, without augmentation."""
    monkeypatch.setattr(runs, "flip_and_turn", None)
    check_resuming(tiny_run(epochs=3, protocol="stream"), tmp_path, monkeypatch)


def test_a_finished_run_is_only_tested_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tiny_run(epochs=2)
    first = carry_out(run, tmp_path)
    folder = tmp_path / run.name
    before = (folder / "last.ckpt").read_bytes(), (folder / "predictions.csv").read_bytes()
    for name in PICTURES:
        (folder / name).unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(train, "_fit", refuse)
    monkeypatch.setattr(results, "commit", lambda: "another")
    assert carry_out(run, tmp_path) == first
    assert results.read(tmp_path / "results.csv") == [first]
    assert before == (
        (folder / "last.ckpt").read_bytes(),
        (folder / "predictions.csv").read_bytes(),
    )
    assert all((folder / name).is_file() for name in PICTURES)


def test_names_of_runs_do_not_change() -> None:
    """Check recorded names, so that runs of earlier versions resume in their folder."""
    run = choose("astro", seed=2)
    assert run.name == f"astro-resnet50-9b02a848-size10000-epochs{run.settings.epochs}-seed2"
    assert choose("astro", seed=2, protocol="stream").name == f"{run.name}-stream"


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ValueError, match=r"task: expected one of astro, .*, got 'moon'; choose"):
        choose("moon")


def test_a_batch_that_processes_cannot_divide_is_refused(tmp_path: Path) -> None:
    data = tiny_run().data(tmp_path, processes=4)
    assert data.batch_size == 16
    rule = "devices: expected a number .* divides a batch of 64 images, got 3; choose another"
    with pytest.raises(ValueError, match=rule):
        tiny_run().data(tmp_path, processes=3)


def test_two_processes_train_together(tmp_path: Path) -> None:
    """Set the devices by the environment, on a CPU; check that each test row is scored once."""
    command = [sys.executable, "-m", "baselines.reproduce", "astro", "--architecture", "resnet18"]
    command += ["--size", "200", "--epochs", "1", "--results-file", str(tmp_path / "results.csv")]
    environment = os.environ | {"PL_TRAINER_DEVICES": "2", "PL_TRAINER_ACCELERATOR": "cpu"}
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--root", str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (result,) = results.read(tmp_path / "results.csv")
    assert result.device.startswith("2 x cpu")
    found = submissions.read(tmp_path / "predictions" / f"{result.name}.csv")
    assert len(found.row) == 40
    assert result.accuracy == round(100 * score(found.probability, found.label).accuracy, 2)


def test_settings_are_those_of_the_paper() -> None:
    settings = load_settings()
    assert (settings.architecture, settings.size, settings.batch_size) == ("resnet50", 10_000, 64)
    assert (settings.lr, settings.weight_decay) == (0.524, 0.00125)
    assert settings.tasks["astro"].paper_accuracy == 97.1
