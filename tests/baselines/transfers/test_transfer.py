"""Probes, training, statistics and the report of transfer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import t
from torch import nn

import deepbench_torch as db
from baselines import transfer
from baselines.transfers import sources as source_parts
from baselines.transfers.probes import MODES, run_probe
from baselines.transfers.report import Results, curves, matrix, page, table
from baselines.transfers.results import FILE, Row, interval, multiplier, read, reduction, write
from baselines.transfers.sources import Source, estimate_statistics, features, sources
from baselines.transfers.target import Target, divided
from baselines.transfers.tuning import epochs_to, tune
from deepbench_torch.training.standardize import Standardize

pytestmark = [
    pytest.mark.moves_generators,
    pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning"),
]


def stripes(kind: str = "class") -> Target:
    """Return images of horizontal and vertical stripes, or of one brightness each."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(240) % 2
    image = torch.rand(240, 1, 16, 16, generator=generator)
    wave = torch.tensor([0.0, 2.0]).repeat(8)
    image[label == 0] += wave
    image[label == 1] += wave[:, None]
    if kind == "class":
        return divided("stripes", image, label.numpy(), names=("a", "b"), sizes=(120, 40))
    values = image.flatten(1)[:, :2].double().numpy()
    return divided("stripes", image, values, names=("x", "y"), sizes=(120, 40))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["class", "values"])
def test_a_feature_that_is_the_label_beats_noise(mode: str, kind: str) -> None:
    target = stripes(kind)
    noise = np.random.default_rng(0).normal(size=(240, 5))
    label = target.label.astype(float).reshape(240, -1)
    perfect = label + 0.01 * noise[:, : label.shape[1]]
    count = target.counts[1]
    good, bad = (np.mean(run_probe(mode, target, [each], count)) for each in (perfect, noise))
    assert good > (0.99 if kind == "class" else 0.5)
    assert bad < (0.7 if kind == "class" else 0.2)
    # the better version is chosen by validation labels
    assert np.mean(run_probe(mode, target, [noise, perfect], count)) == good


def test_the_number_of_scores_is_that_of_the_subsets() -> None:
    target = stripes()
    assert len(run_probe("linear", target, [np.ones((240, 1))], 5)) == 10
    assert len(run_probe("linear", target, [np.ones((240, 1))], 0)) == 1


def test_statistics_are_those_of_the_images() -> None:
    """Oracle: the mean and variance that BatchNorm states for a single batch."""
    layer = nn.BatchNorm2d(1)
    image = torch.randn(200, 1, 5, 4) * 3 + 2
    estimate_statistics(nn.Sequential(layer), image)
    state = layer.state_dict()
    assert float(state["running_mean"][0]) == pytest.approx(float(image.mean()), abs=1e-5)
    assert float(state["running_var"][0]) == pytest.approx(float(image.var()), rel=1e-5)


def test_every_source_has_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_parts, "CONTROL_STEPS", 2)
    image = torch.rand(3, 1, 20, 28)
    known = sources(tmp_path)
    assert [name for name in known if name.startswith("random")] == [f"random{n}" for n in range(5)]
    assert set(db.list_weights()) < set(known)
    for source in known.values():
        found = features(source, image, adapt=image)
        assert found.shape[0] == 3
        assert found.dim() == 2
        assert torch.equal(found, features(source, image, adapt=image)), source.name
    assert features(known["pixels"], image).shape == (3, 560)


def test_training_learns_and_counts_epochs() -> None:
    source = Source("random0", lambda: source_parts.random_network(0), Standardize())
    found = tune(source, stripes(), count=20, number=0)
    assert found.score > 0.9
    assert 1 <= found.epochs <= 60
    assert epochs_to([0.1, 0.5, 0.96, 0.9, 0.97, 1.0]) == 5
    assert epochs_to([1.0]) == 1


def test_the_interval_is_students() -> None:
    """Oracle: scipy's own interval."""
    values = [0.8, 0.82, 0.79, 0.85]
    mean, low, high = interval(values)
    error = np.std(values, ddof=1) / 2
    assert (low, high) == pytest.approx(t.interval(0.95, 3, loc=mean, scale=error))
    assert interval([0.5]) == (0.5, 0.5, 0.5)


CURVE = [(1, 0.5), (10, 0.7), (100, 0.9)]
MULTIPLIERS = [
    (0.7, 10, (1.0, "")),
    (0.8, 10, (10**0.5, "")),  # half way in the logarithm
    (0.95, 10, (10.0, ">")),
    (0.5, 10, (0.1, "")),
    (0.4, 10, (0.1, "<")),
]


@pytest.mark.parametrize(("score", "labels", "expected"), MULTIPLIERS)
def test_the_label_multiplier_of_a_known_curve(
    score: float, labels: int, expected: tuple[float, str]
) -> None:
    factor, sign = multiplier(score, labels, CURVE)
    assert factor == pytest.approx(expected[0])
    assert sign == expected[1]
    assert reduction(0.9, 0.8) == pytest.approx(0.5)
    assert reduction(0.7, 0.8) == pytest.approx(-0.5)


def rows() -> list[Row]:
    return [
        Row(target=target, source=source, mode=mode, labels=labels, score=score + labels / 1000,
            low=score - 0.01, high=score + 0.01, subsets=10)
        for target in ("digits", "hubble")
        for source, mode, score in (
            ("pixels", "linear", 0.5), ("random0", "linear", 0.6), ("shuffled", "linear", 0.4),
            ("small_astro", "linear", 0.7), ("random0", "scratch", 0.55),
        )
        for labels in (0, 10, 50, 100)
    ]  # fmt: skip


def test_the_file_keeps_the_latest_row_of_each_key(tmp_path: Path) -> None:
    file = tmp_path / "transfer.csv"
    own = rows()
    write([*reversed(own), own[0].model_copy(update={"score": 0.1})], file)
    again = read(file)
    assert len(again) == len(own)
    assert [row.key for row in again] == sorted(row.key for row in own)
    assert next(row for row in again if row.key == own[0].key).score == 0.1
    assert read(tmp_path / "none.csv") == []


def test_the_table_and_the_plots_follow_from_the_rows() -> None:
    own = Results(rows(), "hubble")
    assert own.labels == 100
    assert own.best.source == "small_astro"
    assert Results(rows(), "digits").labels == 50
    lines = table(rows()).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| digits (50 a class) | small_astro | 0.750 +- 0.010")
    assert lines[2].endswith("> 100 instead of 10 |")  # 0.71 is beyond 0.65 from scratch
    assert len(curves(rows()).axes) == 2
    assert len(matrix(rows()).axes[0].texts) == 8


def test_the_page_follows_from_the_recorded_rows() -> None:
    """Run `python -m baselines.transfer` if this fails."""
    recorded = read()
    assert FILE.with_suffix(".md").read_text(encoding="utf-8") == page(recorded)
    assert {row.source for row in recorded} >= set(db.list_weights())
    assert {row.target for row in recorded} == set(transfer.TARGETS)


def test_the_command_computes_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TARGETS", {"stripes": stripes})
    calls = []
    probe = run_probe

    def counted(*arguments: Any) -> list[float]:
        calls.append(arguments)
        return probe(*arguments)

    monkeypatch.setattr(transfer, "run_probe", counted)
    options: Any = {"root": tmp_path, "file": tmp_path / "out.csv", "pictures_folder": tmp_path}
    names = ["pixels", "random0", "small_astro"]
    transfer.main(targets=["stripes"], names=names, tuned=[], **options)
    assert len(calls) == 3 * len(MODES) * len(stripes().counts)
    first = (tmp_path / "out.csv").read_bytes()
    transfer.main(targets=["stripes"], names=names, tuned=[], **options)
    assert len(calls) == 3 * len(MODES) * len(stripes().counts)
    assert (tmp_path / "out.csv").read_bytes() == first
    assert (tmp_path / "transfer-matrix.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="--sources: expected one of"):
        transfer.main(targets=["stripes"], names=["none"], tuned=[], **options)
