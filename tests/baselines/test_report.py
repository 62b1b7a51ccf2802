"""Table of the README against recorded runs, and recorded scores against predictions."""

import statistics
from pathlib import Path

import pytest

from baselines import report
from baselines.scoring import results, submissions
from baselines.scoring.results import Result
from deepbench_torch.datasets.problems.scores import score, wilson
from deepbench_torch.generate import GENERATOR_VERSION

LINE = results.read()[0].model_copy(update={"seed": 0, "accuracy": 90.0, "exact_match": 90.0})
MARKS = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
KEPT = sorted((results.FILE.parent / "predictions").glob("*.csv"))


def changed(**changes: object) -> Result:
    return LINE.model_copy(update=changes)


def cells(lines: list[Result]) -> list[list[str]]:
    return [row.strip("| ").split(" | ") for row in report.table(lines).splitlines()[2:]]


def test_the_readme_is_current() -> None:
    """Run `python -m baselines.report` if this fails."""
    text = report.README.read_text(encoding="utf-8")
    assert report.updated(text, results.read()) == text


def test_stored_predictions_have_the_recorded_scores() -> None:
    lines = {line.name: line for line in results.read()}
    for path in KEPT:
        line = lines[path.stem]
        if line.generator_version != GENERATOR_VERSION:
            with pytest.raises(ValueError, match=f"generator version {GENERATOR_VERSION}, got"):
                submissions.read(path)
            continue
        predictions = submissions.read(path)
        scores = score(predictions.probability, predictions.label)
        assert line.accuracy == round(100 * scores.accuracy, 2), path
        assert line.exact_match == round(100 * scores.exact_match, 2), path
        assert (predictions.header.digest, predictions.header.seed) == (
            line.recipe_digest,
            line.seed,
        ), path


def test_runs_of_other_seeds_share_a_row() -> None:
    shares = [97.0, 98.0, 98.5]
    lines = [
        changed(seed=seed, accuracy=share, exact_match=share - 3, wall_time=seed, commit=str(seed))
        for seed, share in enumerate(shares)
    ]
    (row,) = cells(lines)
    mean = statistics.mean(shares)
    low, high = wilson(mean / 100, 2000)
    assert row[4] == "3 (seeds 0, 1, 2)"
    assert row[5] == f"{mean:.2f} ± {statistics.stdev(shares):.2f} %"
    assert row[6] == f"{100 * low:.1f} to {100 * high:.1f} %"
    assert row[7] == f"{mean - 3:.2f} ± {statistics.stdev(shares):.2f} %"
    assert row[8] == "97.1 %"


def test_runs_that_differ_otherwise_have_rows_of_their_own() -> None:
    lines = [
        changed(task="geometric"),
        changed(task="sky", protocol="stream"),
        changed(task="sky"),
        changed(epochs=7),
        changed(),
    ]
    rows = cells(lines)
    assert [row[0] for row in rows] == ["astro", "astro", "sky", "sky", "geometric"]
    assert [row[1] for row in rows[2:4]] == [
        "6,000, as the paper",
        "always fresh (ours, not the paper's)",
    ]
    assert rows[3][8] == "-"
    assert cells(lines[::-1]) == rows


def test_one_run_has_no_deviation() -> None:
    (row,) = cells([LINE])
    assert row[4:8] == ["1 (seed 0)", "90.00 %", "88.6 to 91.2 %", "the same"]


def test_only_the_text_between_the_marks_changes(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(MARKS)
    results.record(LINE, tmp_path / "results.csv")
    for _ in range(2):
        report.main(readme, tmp_path / "results.csv")
        text = readme.read_text()
        assert text.startswith(f"before\n{report.BEGIN}\n\n| task |")
        assert text.endswith(f" |\n\n{report.END}\nafter\n")
        assert "old" not in text


@pytest.mark.parametrize(
    "text", ["", report.BEGIN, report.END + report.BEGIN, 2 * MARKS, MARKS + report.END]
)
def test_a_text_without_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must hold '<!-- written by .*' and, after it, '<!-- un"):
        report.updated(text, [LINE])
