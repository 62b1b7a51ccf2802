"""Sharding: every row once, equal counts on every rank, for all small numbers."""

from itertools import islice, product

import pytest

from deepbench_torch.datasets.streams.sharding import ShardPlan, rank_and_world, worker_shard


def batches_of_ranks(plan: ShardPlan, workers: int) -> list[list[range]]:
    """Return the batches of each rank, in the order in which a DataLoader returns them."""
    ranks = []
    for rank in range(plan.world):
        shards = [
            worker_shard(plan, rank=rank, worker=worker, workers=workers, done=0)
            for worker in range(workers)
        ]
        made = [[shard.rows(step) for step in shard.steps] for shard in shards]
        turns = range(max(map(len, made)))
        ranks.append([part[turn] for turn in turns for part in made if turn < len(part)])
    return ranks


@pytest.mark.parametrize("batch", [2, 3, 8])
@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_every_row_once_in_order_and_equal_counts(world: int, batch: int) -> None:
    for remaining, workers in product(range(world, 4 * world * batch + 1), (1, 2, 4)):
        plan = ShardPlan(remaining, world, batch, False)
        ranks = batches_of_ranks(plan, workers)
        assert {len(batches) for batches in ranks} == {plan.steps}
        assert all(1 <= len(rows) <= batch for batches in ranks for rows in batches)
        in_order = [row for step in zip(*ranks, strict=True) for rows in step for row in rows]
        assert in_order == list(range(remaining))


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("batch", "drop_last"), [(1, False), (4, True)])
def test_rows_of_an_incomplete_step_are_omitted(world: int, batch: int, drop_last: bool) -> None:
    for remaining in range(30):
        plan = ShardPlan(remaining, world, batch, drop_last)
        ranks = batches_of_ranks(plan, 1)
        rows = sorted(row for batches in ranks for part in batches for row in part)
        assert rows == list(range(remaining - remaining % (world * batch)))
        assert {len(part) for batches in ranks for part in batches} <= {batch}


@pytest.mark.parametrize("remaining", [None, 37])
def test_a_shard_resumes_after_the_rows_that_are_done(remaining: int | None) -> None:
    """Oracle: the same shard from its beginning."""
    plan = ShardPlan(remaining, 2, 4, False)
    for worker, skipped in product(range(3), range(5)):
        complete = worker_shard(plan, rank=1, worker=worker, workers=3, done=0)
        done = plan.done_after(skipped - 1) if skipped else 0
        rest = worker_shard(plan, rank=1, worker=worker, workers=3, done=done)
        expected = [step for step in islice(complete.steps, 20) if step >= skipped]
        assert list(islice(rest.steps, len(expected))) == expected


def test_ranks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert rank_and_world() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert rank_and_world() == (1, 3)
    monkeypatch.setenv("RANK", "3")
    message = "RANK: expected a whole number below WORLD_SIZE, got RANK='3' .*; set both variables"
    with pytest.raises(ValueError, match=message):
        rank_and_world()
