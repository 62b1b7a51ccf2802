"""Scores against counting by hand in numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from baselines.scoring.scores import right, score, wilson

GENERATOR = np.random.default_rng(7)


def counts(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Absent and not said, absent but said, present but not said, present and said."""
    return (
        int((~truth & ~said).sum()),
        int((~truth & said).sum()),
        int((truth & ~said).sum()),
        int((truth & said).sum()),
    )


def test_one_label() -> None:
    probability = GENERATOR.dirichlet(np.ones(4), 200).astype(np.float32)
    label = GENERATOR.integers(0, 4, 200)
    found = score(torch.from_numpy(probability), torch.from_numpy(label))
    order = np.argsort(-probability, axis=1)
    for place, share in enumerate(found.top, 1):
        assert share == pytest.approx((order[:, :place] == label[:, None]).any(1).mean())
    assert len(found.top) == 3
    assert found.accuracy == found.exact_match == found.top[0]
    said = order[:, 0]
    for kind in range(4):
        _, alarms, missed, hit = counts(label == kind, said == kind)
        assert float(found.precision[kind]) == pytest.approx(hit / (hit + alarms))
        assert float(found.recall[kind]) == pytest.approx(hit / (hit + missed))
        for other in range(4):
            number = ((label == kind) & (said == other)).sum()
            assert int(found.confusion[kind, other]) == number
    marks = right(torch.from_numpy(probability), torch.from_numpy(label))
    assert float(marks.float().mean()) == pytest.approx(found.accuracy)


def test_several_labels() -> None:
    probability = GENERATOR.random((150, 3)).astype(np.float32)
    label = GENERATOR.random((150, 3)) < (0.3, 0.6, 0.9)
    found = score(torch.from_numpy(probability), torch.from_numpy(label).float())
    said = probability > 0.5
    assert found.accuracy == pytest.approx((said == label).mean(0).mean())
    assert found.exact_match == pytest.approx((said == label).all(1).mean())
    assert found.top == ()
    for kind in range(3):
        none, alarms, missed, hit = counts(label[:, kind], said[:, kind])
        assert found.confusion[kind].tolist() == [[none, alarms], [missed, hit]]
        assert float(found.per_class[kind]) == pytest.approx((none + hit) / 150)
        assert float(found.precision[kind]) == pytest.approx(hit / (hit + alarms))
        assert float(found.recall[kind]) == pytest.approx(hit / (hit + missed))
    marks = right(torch.from_numpy(probability), torch.from_numpy(label).float())
    assert np.array_equal(marks.numpy(), said == label)


def test_two_classes_have_no_third() -> None:
    found = score(torch.tensor([[0.2, 0.8], [0.6, 0.4]]), torch.tensor([1, 1]))
    assert found.top == (0.5, 1.0)


def test_a_class_that_nothing_is_said_to_be_has_precision_zero() -> None:
    found = score(torch.tensor([[0.2, 0.8], [0.3, 0.7]]), torch.tensor([1, 0]))
    assert found.precision.tolist() == [0.0, 0.5]


@pytest.mark.parametrize(("right_ones", "count"), [(0, 12), (7, 12), (1940, 2000), (2000, 2000)])
def test_interval(right_ones: int, count: int) -> None:
    """Oracle: scipy's own."""
    theirs = stats.binomtest(right_ones, count).proportion_ci(0.95, method="wilson")
    low, high = wilson(right_ones / count, count)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= low <= right_ones / count <= high <= 1
