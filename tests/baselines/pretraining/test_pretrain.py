"""Pre-training: settings, targets and losses of the tasks, resuming, and the folder written."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

import deepbench_torch as db
from baselines import pretrain
from baselines.pretraining import settings, train
from baselines.pretraining.settings import Pretraining, load_settings
from deepbench_torch.training.tasks import Task, r2, tasks_of
from deepbench_torch.training.verify_weights import verify_weights

pytestmark = pytest.mark.moves_generators
NAMES = list(load_settings().networks)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_of_the_file_has_tasks(name: str) -> None:
    plan = Pretraining(name)
    assert plan.network.batch % len(plan.recipes) == 0
    ranges = [task.outputs for task in plan.tasks]
    assert [each.start for each in ranges[1:]] == [each.stop for each in ranges[:-1]]
    assert len({task.name for task in plan.tasks}) == len(plan.tasks)
    assert plan.network.architecture == name.split("_")[0] or name.startswith("mobilenet_v3_small")


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'small_astro'"):
        Pretraining("small_asto")


def test_targets_are_those_of_the_sample() -> None:
    recipes: Any = {name: db.load_recipe(name) for name in ("astro", "sky", "galaxy")}
    tasks = {t.name: t for t in tasks_of(recipes, ["class", "present", "count", "vector"])}
    assert list(tasks) == [
        "astro/class", "astro/vector", "sky/present", "sky/count", "sky/vector", "galaxy/vector",
    ]  # fmt: skip
    sample = db.generate("sky", 3, torch.arange(50))
    number = sum(present.sum(1) for present in sample.present.values())
    assert torch.equal(tasks["sky/count"].target_of(sample), torch.as_tensor(number))
    assert tasks["sky/count"].names == ("0", "1", "2", "3", "4")
    assert torch.equal(tasks["sky/present"].target_of(sample), sample.label)


def test_losses_are_those_of_torch() -> None:
    outputs = torch.randn(6, 9)
    label = torch.tensor([0, 1, 2, 0, 1, 2])
    task = Task("a", "class", ("x", "y", "z"), 2)
    expected = functional.cross_entropy(outputs[:, 2:5], label)
    torch.testing.assert_close(task.loss(outputs, label), expected)
    target = torch.randn(6, 3)
    target[::2, 1] = torch.nan
    known = torch.isfinite(target)
    expected = functional.smooth_l1_loss(outputs[:, 2:5][known], target[known])
    vector = Task("a", "vector", ("x", "y", "z"), 2)
    torch.testing.assert_close(vector.loss(outputs, target), expected)
    assert vector.loss(outputs, torch.full_like(target, torch.nan)).item() == 0.0
    assert r2(target, target) == 1.0


def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run have six steps of twelve images and test on few."""
    plain = load_settings()
    network = plain.networks["small_multitask"].model_copy(
        update={"steps": 6, "batch": 12, "side": 28}
    )
    changed = plain.model_copy(update={"networks": {"tiny": network}, "test_rows": 60})
    monkeypatch.setattr(settings, "load_settings", lambda: changed)
    monkeypatch.setattr(train, "EVERY", 2)


def test_a_killed_run_ends_with_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny(monkeypatch)
    pretrain.main("tiny", root=tmp_path / "a", output=tmp_path / "a")
    advance, calls = train._Run.advance, []

    def killed(self: Any) -> float:
        calls.append(self.step)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return advance(self)

    monkeypatch.setattr(train._Run, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain.main("tiny", root=tmp_path / "b", output=tmp_path / "b")
    monkeypatch.setattr(train._Run, "advance", advance)
    pretrain.main("tiny", root=tmp_path / "b", output=tmp_path / "b")
    assert calls == [0, 1, 2, 3]
    one, two = (db.get_weights(tmp_path / part / "tiny") for part in "ab")
    for key, value in one.state_dict().items():
        assert torch.equal(two.state_dict()[key], value), key
    assert one.meta["metrics"] == two.meta["metrics"]
    assert set(one.meta["metrics"]) == {task["recipe"] + "/" + task["target"]
                                        for task in one.meta["tasks"]}  # fmt: skip
    assert all(each.agrees for each in verify_weights(one))
    assert "tiny: astro/class" in capsys.readouterr().out
    with pytest.raises(ValueError, match="expected a checkpoint of these settings"):
        pretrain.main("tiny", root=tmp_path / "a", output=tmp_path / "a", steps=8)
