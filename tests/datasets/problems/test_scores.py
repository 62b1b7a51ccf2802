"""Scores against counts in numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from deepbench_torch.datasets.problems.scores import right, score, wilson

GENERATOR = np.random.default_rng(7)


def counts(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the true negatives, false positives, false negatives and true positives."""
    return (
        int((~truth & ~predicted).sum()),
        int((~truth & predicted).sum()),
        int((truth & ~predicted).sum()),
        int((truth & predicted).sum()),
    )


def test_one_label() -> None:
    probability = GENERATOR.dirichlet(np.ones(4), 200).astype(np.float32)
    label = GENERATOR.integers(0, 4, 200)
    found = score(torch.from_numpy(probability), torch.from_numpy(label))
    order = np.argsort(-probability, axis=1)
    for count, share in enumerate(found.top, 1):
        assert share == pytest.approx((order[:, :count] == label[:, None]).any(1).mean())
    assert len(found.top) == 3
    assert found.accuracy == found.exact_match == found.top[0]
    predicted = order[:, 0]
    for kind in range(4):
        _, alarms, missed, hit = counts(label == kind, predicted == kind)
        assert float(found.precision[kind]) == pytest.approx(hit / (hit + alarms))
        assert float(found.recall[kind]) == pytest.approx(hit / (hit + missed))
        for other in range(4):
            number = ((label == kind) & (predicted == other)).sum()
            assert int(found.confusion[kind, other]) == number
    marks = right(torch.from_numpy(probability), torch.from_numpy(label))
    assert float(marks.float().mean()) == pytest.approx(found.accuracy)


def test_several_labels() -> None:
    probability = GENERATOR.random((150, 3)).astype(np.float32)
    label = GENERATOR.random((150, 3)) < (0.3, 0.6, 0.9)
    found = score(torch.from_numpy(probability), torch.from_numpy(label).float())
    predicted = probability > 0.5
    assert found.accuracy == pytest.approx((predicted == label).mean(0).mean())
    assert found.exact_match == pytest.approx((predicted == label).all(1).mean())
    assert found.top == ()
    for kind in range(3):
        none, alarms, missed, hit = counts(label[:, kind], predicted[:, kind])
        assert found.confusion[kind].tolist() == [[none, alarms], [missed, hit]]
        assert float(found.per_class[kind]) == pytest.approx((none + hit) / 150)
        assert float(found.precision[kind]) == pytest.approx(hit / (hit + alarms))
        assert float(found.recall[kind]) == pytest.approx(hit / (hit + missed))
    marks = right(torch.from_numpy(probability), torch.from_numpy(label).float())
    assert np.array_equal(marks.numpy(), predicted == label)


def test_two_classes_have_no_third() -> None:
    found = score(torch.tensor([[0.2, 0.8], [0.6, 0.4]]), torch.tensor([1, 1]))
    assert found.top == (0.5, 1.0)


def test_a_class_that_is_never_predicted_has_precision_zero() -> None:
    found = score(torch.tensor([[0.2, 0.8], [0.3, 0.7]]), torch.tensor([1, 0]))
    assert found.precision.tolist() == [0.0, 0.5]


@pytest.mark.parametrize(("right_ones", "count"), [(0, 12), (7, 12), (1940, 2000), (2000, 2000)])
def test_interval(right_ones: int, count: int) -> None:
    """Oracle: the Wilson interval of scipy."""
    expected = stats.binomtest(right_ones, count).proportion_ci(0.95, method="wilson")
    low, high = wilson(right_ones / count, count)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= right_ones / count <= high <= 1
