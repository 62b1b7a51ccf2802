"""Packaged weights: metadata, size, precision, verification and the command line."""

import copy
import dataclasses
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import deepbench_torch as db
from deepbench_torch.cli import app
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.training.verify_weights import recipes_of, verify_weights
from deepbench_torch.training.weight_files import CONFIG, OWN, WEIGHTS, digest
from deepbench_torch.training.weights import FOLDER
from tests.training.fitting import TRAINING_MARKS

pytestmark = TRAINING_MARKS
NAMES = db.list_weights()
META = ["categories", "outputs", "num_params", "min_size", "recipe", "digest", "generator_version",
        "protocol", "metrics", "commit", "command", "licence", "sha256"]  # fmt: skip
MOST_MEGABYTES = 45
LARGEST_LOSS = 0.0005  # of accuracy, by compact storage


def test_the_list_holds_every_folder() -> None:
    assert sorted(folder.name for folder in FOLDER.iterdir()) == NAMES
    assert db.list_weights("small") == [name for name in NAMES if name.startswith("small_")]
    assert db.list_weights("alexnet") == []
    size = sum(file.stat().st_size for file in FOLDER.rglob("*"))
    assert size < MOST_MEGABYTES * 1e6


@pytest.mark.parametrize("name", NAMES)
def test_the_metadata_describe_the_network(name: str) -> None:
    weights = db.get_weights(name)
    assert [key for key in META if key not in weights.meta] == []
    assert weights.meta["generator_version"] == GENERATOR_VERSION
    assert weights.meta["sha256"] == digest(weights.folder / WEIGHTS)
    recipes = recipes_of(weights.meta)
    assert [recipe.digest for recipe in recipes.values()] == weights.meta["digest"]
    outputs = len(weights.meta["outputs"])
    network = db.get_model(weights.architecture, weights=weights, outputs=outputs)
    assert sum(weight.numel() for weight in network.parameters()) == weights.meta["num_params"]
    ends = [task["start"] + len(task["names"]) for task in weights.meta["tasks"]]
    assert ends[-1] == outputs
    image = weights.transforms()(torch.rand(2, 1, 28, 28))
    assert network.eval()(image).shape == (2, outputs)
    assert db.get_model(weights.architecture, weights=name).eval()(image).dim() == 2


@pytest.mark.parametrize("name", NAMES)
def test_compact_storage_moves_no_accuracy(name: str) -> None:
    """Both scores are of the same 20,000 images, measured by the command that wrote the file."""
    meta = db.get_weights(name).meta
    assert meta["test"]["rows"] == 20_000
    for task, score in meta["metrics"].items():
        assert abs(score - meta["metrics_float32"][task]) <= LARGEST_LOSS, task


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_the_stated_scores_are_found_again(name: str) -> None:
    assert all(each.agrees for each in verify_weights(db.get_weights(name)))


def test_a_record_is_frozen_and_picklable() -> None:
    weights = db.get_weights("small_astro")
    assert db.get_weights(weights) is weights
    again = pickle.loads(pickle.dumps(weights))  # noqa: S301
    assert again == weights
    assert again.meta == weights.meta
    with pytest.raises(dataclasses.FrozenInstanceError):
        weights.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="did you mean 'small_astro'"):
        db.get_weights("small_asto")
    with pytest.raises(ValueError, match=r"expected a readable config\.json"):
        db.get_weights(Path("nowhere"))


def test_true_is_the_default_of_the_architecture() -> None:
    name = next((n for n in NAMES if n == "small_multitask"), NAMES[0])
    found = db.get_model("small", weights=True).state_dict()
    assert all(torch.equal(found[key], value) for key, value in
               db.get_model("small", weights=name).state_dict().items())  # fmt: skip


def test_saved_weights_are_float32_and_equal(tmp_path: Path) -> None:
    weights = db.get_weights("small_astro")
    folder = weights.save(tmp_path / "mine")
    again = db.get_weights(folder)
    assert again.name == "mine"
    assert again.state_dict().keys() == weights.state_dict().keys()
    for key, value in weights.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)
    one = db.get_model("small", weights=folder / WEIGHTS, outputs=3).state_dict()
    assert torch.equal(one["head.weight"], weights.state_dict()["head.weight"])


def test_a_foreign_folder_has_no_record(tmp_path: Path) -> None:
    folder = db.get_weights("small_astro").save(tmp_path / "mine")
    config = json.loads((folder / CONFIG).read_text())
    del config[OWN]
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ValueError, match="expected metadata of deepbench_torch"):
        db.get_weights(folder)
    assert db.get_model("small", weights=folder, outputs=3) is not None


def test_loading_needs_neither_the_network_nor_torchvision() -> None:
    code = (
        "import socket, sys; socket.socket.connect = None\n"
        "import deepbench_torch as db\n"
        "db.get_weights('small_astro').state_dict()\n"
        "assert 'torchvision' not in sys.modules\n"
        "db.get_model('small', weights=True)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["weights", *arguments])
    return result.exit_code, result.output + str(result.exception or "")


def test_the_commands(tmp_path: Path) -> None:
    code, text = run("list")
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == NAMES
    code, text = run("info", "small_astro")
    assert code == 0
    assert "star, galaxy, spiral" in text
    code, text = run("info", "small_asto")
    assert code != 0
    assert "did you mean 'small_astro'" in text


def test_weights_that_do_not_hold_their_score_are_found(tmp_path: Path) -> None:
    """A file with an honest checksum and a false accuracy, and fewer images for speed."""
    folder = tmp_path / "false"
    shutil.copytree(FOLDER / "small_astro", folder)
    config = json.loads((folder / CONFIG).read_text())
    honest = copy.deepcopy(config)
    config[OWN]["test"]["rows"] = honest[OWN]["test"]["rows"] = 1000
    config[OWN]["metrics"]["astro/class"] = 0.95
    (folder / CONFIG).write_text(json.dumps(config))
    code, text = run("verify", str(folder))
    assert code != 0
    assert "DIFFERS" in text
    assert "expected the stated scores" in text
    (folder / CONFIG).write_text(json.dumps(honest))
    code, text = run("verify", str(folder))
    assert (code, "agrees" in text) == (0, True)
