"""Check against batches of batches: a stream of batches in a loader that makes batches itself."""

from types import FrameType


def refuse_nested_batches(caller: FrameType | None, *, batch_size: int | None) -> None:
    """Refuse a stream of batches in a DataLoader that would make batches of them.

    A dataset has no reference to its loader. But the loader's fetcher, in the training process and
    in workers, calls `iter(dataset)` in its constructor. Its argument `auto_collation` shows
    whether the loader makes batches.

    Args:
        caller: Frame that calls `iter(stream)`.
        batch_size: Rows in a batch of the stream; None for a stream of rows.

    Raises:
        ValueError: If both make batches.
    """
    if batch_size is None or caller is None:
        return
    package = str(caller.f_globals.get("__name__")).partition(".")[0]
    if package in ("torch", "torchdata") and caller.f_locals.get("auto_collation") is True:
        raise ValueError(
            "DataLoader: expected batch_size=None for a stream that makes batches itself, got a "
            f"stream with batch_size={batch_size} in a loader that makes batches of them; use "
            "DataLoader(stream, batch_size=None) or StreamLoader(stream)"
        )
