"""Calls of the kernels: tensors in, tensors out, rows spread over torch's number of threads."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepbench_torch.native.plans import plans_of
from deepbench_torch.native.records import Plan
from deepbench_torch.recipes import Recipe

LEAST = 1 << 15  # pixels of a batch from which on it is worth more than one thread
_PARTS = 4  # of the batch for each thread, so that none waits long for the others


class Rows(NamedTuple):
    """Rows as the kernels make them.

    Attributes:
        tables: Parameters of all kinds in pixels and radians, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        label: Which classes are present, float32, shape (B, classes).
        conditions: Conditions in pixels and radians, in the order of `degrade.CONDITIONS`, float32,
            shape (C, B).
        clean: Images without noise, float32, shape (B, H, W).
        image: Images, float32, shape (B, H, W).
    """

    tables: Tensor
    present: Tensor
    label: Tensor
    conditions: Tensor
    clean: Tensor
    image: Tensor


def make_rows(recipe: Recipe, seed: int, index: Tensor) -> Rows:
    """Return some rows.

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
    """
    arrays = _make(recipe, seed, index.contiguous().numpy(), images=True)
    shape = (len(index), recipe.image.height, recipe.image.width)
    rows = Rows._make(map(torch.from_numpy, arrays))
    return rows._replace(clean=rows.clean.view(shape), image=rows.image.view(shape))


def make_scenes(recipe: Recipe, seed: int, index: Tensor) -> Rows:
    """Return some rows with empty images."""
    arrays = _make(recipe, seed, index.contiguous().numpy(), images=False)
    return Rows._make(map(torch.from_numpy, arrays))


def make_pairs(recipe: Recipe, seed: int, rows: list[int]) -> tuple[Tensor, Tensor]:
    """Return images, shape (B, 1, H, W), and labels, as `Rows` has them, of some rows."""
    arrays = _make(recipe, seed, np.array(rows, np.int64), images=True)
    image = torch.from_numpy(arrays[-1])
    shape = (len(rows), 1, recipe.image.height, recipe.image.width)
    return image.view(shape), torch.from_numpy(arrays[2])


def _make(
    recipe: Recipe, seed: int, index: NDArray[np.int64], *, images: bool
) -> tuple[NDArray[Any], ...]:
    """Return the arrays of `Rows` of some rows; those of images are empty if none are made."""
    plan = _plan(recipe, seed)
    parameters, slots = plan.chosen.shape
    batch = len(index)
    shape = (batch, recipe.image.height * recipe.image.width) if images else (0, 0)
    arrays = (
        np.empty((parameters, batch, slots), np.float32),
        np.empty((len(plan.kinds), batch, slots), np.bool_),
        np.empty((batch, plan.settings["classes"][0]), np.float32),
        np.empty((len(plan.conditions), batch), np.float32),
        _with_spare_rows(shape),
        np.empty(shape, np.float32),
    )
    make = _kernels().make_rows
    _spread(lambda start, end: make(plan, index, start, end, *arrays), batch, arrays[-1].size)
    return arrays


def _with_spare_rows(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return an uninitialised float32 array of a shape, in a memory block with an eighth more.

    glibc returns freed memory to the system once it exceeds twice the largest block, which two
    images of equal size do exactly; every batch then requests its pages again, a fifth to half of
    its time. The spare rows are never written, so they occupy addresses and no memory.
    """
    rows, pixels = shape
    return np.empty((rows + rows // 8 + (rows > 1), pixels), np.float32)[:rows]


def observe_rows(
    recipe: Recipe,
    seed: int,
    index: Tensor,
    *,
    tables: Tensor,
    present: Tensor,
    conditions: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the images of given scenes without and with noise, float32, shape (B, H, W).

    Args:
        recipe: What the images hold.
        seed: 0 to 2**63 - 1.
        index: Row numbers, int64, shape (B,), on the CPU.
        tables: Parameters of all kinds in pixels and radians, float32, shape (S, B, slots).
        present: Which slots hold an object, bool, shape (K, B, slots).
        conditions: As `Rows` has them, shape (C, B).
    """
    plan, observe = _plan(recipe, seed), _observe_kernel()
    shape = (len(index), recipe.image.height, recipe.image.width)
    flat = shape[0], shape[1] * shape[2]
    images = [_with_spare_rows(flat), np.empty(flat, np.float32)]
    given = [each.contiguous().numpy() for each in (index, tables, present, conditions)]
    arrays = (*given[1:], *images)
    _spread(
        lambda start, end: observe(plan, given[0], start, end, *arrays), *shape[:1], images[0].size
    )
    clean, image = (torch.from_numpy(each).view(shape) for each in images)
    return clean, image


def make_lights(
    recipe: Recipe,
    tables: Tensor,
    *,
    conditions: Tensor,
    row: Tensor,
    kind: Tensor,
    slot: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the light of objects, each alone on its own image, before and after it is spread.

    Of a point, which is the point spread itself, both are the light after.

    Args:
        recipe: What the images hold.
        tables: Parameters of all kinds in pixels, float32, shape (S, B, slots).
        conditions: As `Rows` has them, shape (C, B).
        row: The image of each, int64, shape (N,).
        kind: The place of its kind in the recipe, int64, shape (N,).
        slot: Its slot, int64, shape (N,).
    """
    shape = (len(row), recipe.grid.height, recipe.grid.width)
    sharp = torch.empty(len(row), shape[1] * shape[2], dtype=torch.float32, device="cpu")
    light = torch.empty_like(sharp)
    places = [each.contiguous().numpy() for each in (row, kind, slot)]
    given = tables.contiguous(), conditions.contiguous(), sharp, light
    images = [each.numpy() for each in given]
    _kernels().make_lights(_plan(recipe, 0), *places, *images)
    return sharp.view(shape), light.view(shape)


def _spread(work: Callable[[int, int], None], batch: int, pixels: int) -> None:
    """Do the work of a batch in parts, on as many threads as torch may use."""
    threads = 1 if pixels < LEAST else min(torch.get_num_threads(), batch)
    if threads < 2:
        work(0, batch)
        return
    parts = min(batch, threads * _PARTS)
    ends = [batch * part // parts for part in range(parts + 1)]
    for _ in _threads(threads).map(work, ends[:-1], ends[1:]):
        pass


_lock = threading.RLock()
_pools: dict[int, ThreadPoolExecutor] = {}
_loaded: list[Any] = []
_observing: list[Any] = []


def _threads(count: int) -> ThreadPoolExecutor:
    """Return a pool of threads, kept for the next batch."""
    with _lock:
        if count not in _pools:
            for pool in _pools.values():
                pool.shutdown(wait=False)
            _pools.clear()
            _pools[count] = ThreadPoolExecutor(count, thread_name_prefix="deepbench_torch")
        return _pools[count]


def _plan(recipe: Recipe, seed: int) -> Plan:
    """Return the plan of a recipe and a seed; to make one may compile kernels."""
    kept = plans_of(recipe)
    plan = kept.plans.get(seed)
    if plan is None:
        with _lock:
            plan = kept.plan(recipe, seed)
    return plan


def _kernels() -> Any:
    """Return the module of the kernels; numba is imported and they are compiled once."""
    if not _loaded:
        with _lock:
            if not _loaded:
                from deepbench_torch.native import rows

                rows.load()
                _loaded.append(rows)
    return _loaded[0]


def _observe_kernel() -> Any:
    """Return the kernel of given scenes, which is compiled when it is first used."""
    if not _observing:
        with _lock:
            rows = _kernels()
            rows.load_observe()
            _observing.append(rows.observe_rows)
    return _observing[0]


def while_no_fork(work: Callable[[], None]) -> None:
    """Do some work, such as compilation, during which no other thread forks this process."""
    with _lock:
        work()


def _after_fork_in_child() -> None:
    """Forget the threads of the parent, which do not exist here."""
    _pools.clear()
    _lock.release()


# a fork waits until no thread compiles: the child would find numba's locks held for ever
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child
    )
