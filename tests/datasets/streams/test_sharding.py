"""Dealing: every row once, equal counts on every rank, for all small numbers there are."""

from itertools import islice, product

import pytest

from deepbench_torch.datasets.streams.sharding import Deal, lane, rank_and_world


def dealt(deal: Deal, workers: int) -> list[list[range]]:
    """For each rank, its batches in the order in which a DataLoader hands them over."""
    ranks = []
    for rank in range(deal.world):
        lanes = [
            lane(deal, rank=rank, worker=worker, workers=workers, done=0)
            for worker in range(workers)
        ]
        made = [[each.rows(number) for number in each.rounds] for each in lanes]
        turns = range(max(map(len, made)))
        ranks.append([part[turn] for turn in turns for part in made if turn < len(part)])
    return ranks


@pytest.mark.parametrize("batch", [2, 3, 8])
@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_every_row_once_in_order_and_equal_counts(world: int, batch: int) -> None:
    for left, workers in product(range(world, 4 * world * batch + 1), (1, 2, 4)):
        deal = Deal(left, world, batch, False)
        ranks = dealt(deal, workers)
        assert {len(batches) for batches in ranks} == {deal.rounds}
        assert all(1 <= len(rows) <= batch for batches in ranks for rows in batches)
        in_turn = [row for turn in zip(*ranks, strict=True) for rows in turn for row in rows]
        assert in_turn == list(range(left))


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("batch", "drop_last"), [(1, False), (4, True)])
def test_what_fills_no_round_is_left_out(world: int, batch: int, drop_last: bool) -> None:
    for left in range(30):
        deal = Deal(left, world, batch, drop_last)
        ranks = dealt(deal, 1)
        rows = sorted(row for batches in ranks for part in batches for row in part)
        assert rows == list(range(left - left % (world * batch)))
        assert {len(part) for batches in ranks for part in batches} <= {batch}


@pytest.mark.parametrize("left", [None, 37])
def test_a_lane_goes_on_after_what_is_done(left: int | None) -> None:
    """Oracle: the same lane from its beginning."""
    deal = Deal(left, 2, 4, False)
    for worker, skipped in product(range(3), range(5)):
        whole = lane(deal, rank=1, worker=worker, workers=3, done=0)
        done = deal.done_after(skipped - 1) if skipped else 0
        rest = lane(deal, rank=1, worker=worker, workers=3, done=done)
        expected = [number for number in islice(whole.rounds, 20) if number >= skipped]
        assert list(islice(rest.rounds, len(expected))) == expected


def test_ranks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert rank_and_world() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert rank_and_world() == (1, 3)
    monkeypatch.setenv("RANK", "3")
    with pytest.raises(ValueError, match="RANK must be a whole number below WORLD_SIZE, got RANK="):
        rank_and_world()
