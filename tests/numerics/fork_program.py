"""A program for `test_forks.py`: use torch's threads, fork, and make rows in the children.

Usage: python fork_program.py WAY FOLDER WORK... Each work runs in a child of its own. The program
prints the name of each work whose child neither failed nor waited for ever, with its hash.
"""

import ctypes
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

WAY = sys.argv[1] if __name__ == "__main__" else ""
WITHOUT_PAUSE = "old OpenMP"
if WAY == WITHOUT_PAUSE:  # as on a system whose runtime cannot end its threads
    import numba  # noqa: F401 - both load libraries of their own
    import torchvision  # noqa: F401

    ctypes.CDLL = lambda path: object()  # type: ignore[assignment,misc]
if not WAY.startswith("late"):
    import deepbench_torch as db

LIMIT = 90.0  # [s]
INDEX = torch.arange(64)
Work = Callable[[Path], object]


def use_threads() -> None:
    """Run parallel loops on two threads, as training and large tensors do."""
    torch.set_num_threads(2)
    torch.ones(1 << 20).mul(2)
    if "deepbench_torch" in sys.modules:
        db.generate("sky", 0, INDEX)


def render(folder: Path) -> torch.Tensor:
    star = {"x": 100.0, "y": 90.0, "amplitude": 2.0, "gamma": 5.0, "alpha": 2.5}
    values = {name: torch.full((8,), value, dtype=torch.float32) for name, value in star.items()}
    return db.OBJECTS["star"].render(values, db.Grid(256, 256))


def simulate_bodies(folder: Path) -> torch.Tensor:
    mass = torch.ones(4096, 3)
    position = torch.arange(4096 * 6, dtype=torch.float32).view(4096, 3, 2).sin()
    path = db.physics.nbody.simulate(
        mass, position, 0 * position, softening=0.3, duration=1.0, steps=4
    )
    return path.position


def simulate_pendulums(folder: Path) -> torch.Tensor:
    angle = torch.linspace(-2, 2, 40_000, dtype=torch.float64)
    time = torch.arange(3, dtype=torch.float64) / 4
    follow = partial(db.physics.pendulum.simulate, time, length=1.0, gravity=9.8, angle=angle)
    closed, stepped = follow().angle, follow(friction=0.1).angle
    path = db.physics.hamiltonian.simulate(
        angle, length=1.0, gravity=9.8, duration=1.0, steps=3, substeps=2
    )
    return torch.cat((closed.flatten(), stepped.flatten(), path.q.flatten()))


def load(folder: Path) -> torch.Tensor:
    data = db.Catalogue("sky", size=64, target=["label", "masks", "clean"])
    return torch.stack([target["clean"] for _, target in data.__getitems__(list(range(64)))[:4]])


def read(folder: Path) -> torch.Tensor:
    image: torch.Tensor = db.StoredCatalogue(folder / "stored.h5").__getitems__([3, 60])[1][0]
    return image


def write(folder: Path) -> bytes:
    path = folder / f"written by {os.getpid()}.h5"
    return db.materialize(db.Catalogue("sky", size=64), path, progress=False).read_bytes()[-4096:]


def write_with_workers(folder: Path) -> bytes:
    path = folder / f"shared by {os.getpid()}.h5"
    data = db.Catalogue("sky", size=64)
    return db.materialize(data, path, progress=False, workers=2).read_bytes()[-4096:]


def stream(folder: Path) -> torch.Tensor:
    images: torch.Tensor = next(iter(db.CatalogueStream("sky", batch_size=64, start=0)))[0]
    return images


def collect(folder: Path) -> torch.Tensor:
    data = db.Collection([db.Catalogue("sky", size=40), db.Catalogue("lensing", size=40)])
    return torch.stack([image for image, _ in data.__getitems__(list(range(80)))[-4:]])


WORKS: dict[str, Work] = {
    "sky": lambda folder: db.generate("sky", 0, INDEX).image,
    "geometric": lambda folder: db.generate("geometric", 0, INDEX[:8]).image,
    "nbody": lambda folder: db.generate("nbody", 0, INDEX).series,
    "pendulum": lambda folder: db.generate("pendulum", 0, INDEX).series,
    "render": render,
    "bodies": simulate_bodies,
    "pendulums": simulate_pendulums,
    "catalogue": load,
    "stored": read,
    "materialize": write,
    "materialize with workers": write_with_workers,
    "stream": stream,
    "collection": collect,
}


def digest(made: object) -> str:
    """The first digits of a hash of what a work has made."""
    content = made if isinstance(made, bytes) else made.contiguous().numpy().tobytes()  # type: ignore[attr-defined]
    return hashlib.sha256(content).hexdigest()[:16]


def report(work: str, folder: Path) -> None:
    """Do a work and print its hash."""
    print(f"{work}: {digest(WORKS[work](folder))}", flush=True)


def fork(task: Callable[[], None]) -> None:
    """Run a task in a forked child; kill it after LIMIT."""
    child = os.fork()
    if child == 0:
        try:
            task()
        finally:
            sys.stdout.flush()
            os._exit(0)
    end = time.monotonic() + LIMIT
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.01)


def fork_in_thread(task: Callable[[], None]) -> None:
    """Use threads in another thread than the main one, and fork there."""

    def run() -> None:
        use_threads()
        fork(task)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def fork_by_multiprocessing(task: Callable[[], None]) -> None:
    """Fork as users of multiprocessing do."""
    process = multiprocessing.get_context("fork").Process(target=task)
    process.start()
    process.join(LIMIT)
    process.kill()


def fork_twice(task: Callable[[], None]) -> None:
    """Fork, use threads in the child as well, and fork there again."""

    def child() -> None:
        use_threads()
        fork(task)

    fork(child)


def fork_to_more_threads(task: Callable[[], None]) -> None:
    """Have the child raise the number of threads, as Lightning does."""

    def child() -> None:
        torch.set_num_threads(3)
        task()

    fork(child)


def fork_to_import(task: Callable[[], None]) -> None:
    """Import the package in the child only, which keeps torch's number of threads."""

    def child() -> None:
        global db
        import deepbench_torch as db

        task()
        if torch.get_num_threads() != 2:
            raise RuntimeError(f"expected 2 threads, got {torch.get_num_threads()}")

    fork(child)


def fork_to_import_and_fork(task: Callable[[], None]) -> None:
    """Import the package in the child only, and have it fork."""
    fork_to_import(lambda: fork(task))


WAYS: dict[str, Callable[[Callable[[], None]], None]] = {
    "fork": fork,
    "thread": fork_in_thread,
    "multiprocessing": fork_by_multiprocessing,
    "twice": fork_twice,
    "more threads": fork_to_more_threads,
    "late import": fork_to_import,
    "late import and fork": fork_to_import_and_fork,
    WITHOUT_PAUSE: fork,
    "none": lambda task: task(),
}


def main() -> None:
    folder, works = Path(sys.argv[2]), sys.argv[3:]
    use_threads()
    for work in works:
        WAYS[WAY](lambda work=work: report(work, folder))  # type: ignore[misc]


if __name__ == "__main__":
    main()
