"""Many processes, on one machine or several: the same bytes, though workers are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster

import deepbench_torch as db
from tests.soak import contents_of

pytestmark = [
    # Dask leaves its sockets to the garbage collector and warns of what it does at its end
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.moves_generators,
]
SHARDS: dict[str, Any] = {"shard_rows": 250, "progress": False}


@pytest.fixture
def catalogue() -> db.Catalogue:
    return db.Catalogue("star", size=4000, seed=5, image_size=32)


def kill_when(begun: Callable[[], bool], processes: Callable[[], list[int]]) -> threading.Thread:
    """Kill the first of some processes once work has begun."""

    def wait_and_kill() -> None:
        while not begun():
            time.sleep(0.002)
        os.kill(processes()[0], signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Dask with two worker processes."""
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tmp_path / "dask",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def test_dask_writes_the_same_though_a_worker_is_killed(
    client: Client, catalogue: db.Catalogue, tmp_path: Path
) -> None:
    alone, spread = tmp_path / "alone", tmp_path / "spread"
    db.materialize(catalogue, alone / "a.h5", **SHARDS)
    workers = list(client.run(os.getpid).values())
    killed = kill_when(lambda: bool(list(spread.glob(".a.h5.*/shards/0*.h5"))), lambda: workers)
    executor = client.get_executor()  # type: ignore[no-untyped-call]
    db.materialize(catalogue, spread / "a.h5", executor=executor, **SHARDS)
    killed.join()
    assert not psutil.pid_exists(workers[0])
    assert contents_of(spread) == contents_of(alone)


@pytest.mark.slow
def test_a_process_pool_writes_the_same_though_a_worker_is_killed(
    catalogue: db.Catalogue, tmp_path: Path
) -> None:
    alone, spread = tmp_path / "alone", tmp_path / "spread"
    db.materialize(catalogue, alone / "a.h5", **SHARDS)
    killed = kill_when(lambda: bool(list(spread.glob(".a.h5.*/shards/0*.h5"))), _pool_workers)
    db.materialize(catalogue, spread / "a.h5", workers=2, **SHARDS)
    killed.join()
    assert contents_of(spread) == contents_of(alone)


def _pool_workers() -> list[int]:
    """The processes that the server of forks has started."""
    server = [p for p in psutil.Process().children() if "forkserver" in " ".join(p.cmdline())]
    return [p.pid for each in server for p in each.children()]


@pytest.mark.slow
def test_workers_end_with_a_writer_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import deepbench_torch as db, sys\n"
        "if __name__ == '__main__':\n"
        "    c = db.Catalogue('sky', size=20_000)\n"
        "    db.materialize(c, sys.argv[1], workers=2, progress=False)\n"
    )
    (tmp_path / "write.py").write_text(script)
    path = tmp_path / "new" / "a.h5"
    command = [sys.executable, str(tmp_path / "write.py"), str(path)]
    writer = subprocess.Popen(command)  # noqa: S603
    while not list(path.parent.glob(".a.h5.*.partial/*.part")):
        assert writer.poll() is None
        time.sleep(0.05)
    family = psutil.Process(writer.pid).children(recursive=True)
    assert len(family) >= 3
    writer.kill()
    writer.wait()
    assert psutil.wait_procs(family, timeout=20)[1] == []
