"""The record: one line a run, whatever is tested again; and what is recorded in it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import deepbench_torch as db
from baselines.scoring import results
from baselines.scoring.results import Result
from baselines.training.settings import load_settings
from deepbench_torch.generate import GENERATOR_VERSION

LINE = results.read()[0]


def changed(**changes: object) -> Result:
    return LINE.model_copy(update=changes)


def test_runs_have_one_header_and_the_order_of_their_first_test(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "results.csv"
    lines = [changed(seed=seed) for seed in (2, 0, 1)]
    for line in lines:
        results.record(line, file)
    assert results.read(file) == lines
    assert file.read_text().count("task,protocol,architecture") == 1
    assert [path.name for path in file.parent.iterdir()] == ["results.csv"]


def test_a_run_tested_again_keeps_one_line(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    others = [changed(seed=1), changed(epochs=1), changed(protocol="stream"), changed(size=60)]
    for line in (LINE, *others):
        results.record(line, file)
    again = changed(accuracy=12.5, commit="another", wall_time=3)
    assert results.record(again, file) == again
    assert results.read(file) == [again, *others]


def test_runs_that_end_together_are_all_recorded(tmp_path: Path) -> None:
    lines = [changed(seed=seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda line: results.record(line, tmp_path / "results.csv"), lines))
    found = results.read(tmp_path / "results.csv")
    assert sorted(found, key=lambda line: line.seed) == lines


def test_testing_again_keeps_the_record_of_the_training(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    again = changed(accuracy=12.5, commit="another", device="another", wall_time=3)
    assert results.record(again, file, trained_before=True) == again  # no earlier record
    results.record(LINE, file)
    recorded = results.record(again, file, trained_before=True)
    assert recorded == changed(accuracy=12.5)
    assert results.read(file) == [recorded]


def test_lines_without_a_protocol_have_that_of_the_paper(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    results.record(LINE, file)
    file.write_text(file.read_text().replace("protocol,", "", 1).replace("paper,", "", 1))
    assert results.read(file) == [LINE]


def test_a_line_that_is_not_a_run_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    results.record(LINE, file)
    file.write_text(file.read_text().replace(str(LINE.lr), "fast"))
    with pytest.raises(
        ValueError, match=r"results.csv, line 2: expected a run, got lr: Input should"
    ):
        results.read(file)
    assert results.read(tmp_path / "none.csv") == []


def test_recorded_runs_have_the_present_recipe() -> None:
    """Check recipes and versions; the table names the version of each run's images."""
    for result in results.read():
        task = load_settings().tasks[result.task]
        recipe = db.Catalogue(task.recipe, image_size=task.image_size).recipe
        assert result.recipe_digest == recipe.digest
        assert 2 <= result.generator_version <= GENERATOR_VERSION
        assert result.paper_accuracy == task.paper_accuracy


def test_commit_is_not_empty() -> None:
    assert results.commit()
