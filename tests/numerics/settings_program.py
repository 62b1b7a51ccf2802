"""A program for `test_settings.py`: do every work under each global setting, print the hashes.

Usage: python settings_program.py FOLDER SETTING... Every setting is set in a forked child, so each
meets empty caches. A line is `setting: work: hash`; a work that fails prints its error instead.
"""

import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import deepbench_torch as db

CPU = torch.device("cpu")
Made = bytes | str
Work = Callable[[Path], Made]
TARGETS = ["label", "parameters", "boxes", "masks", "clean", "index", "labels", "components"]
# bright to faint, and so faint that single precision has fewer digits
FAINT = {"star": {"amplitude": 1e-38}, "galaxy": {"amplitude": 3e-38}}
STAR = {"x": 20.0, "y": 10.5, "amplitude": 1.0, "gamma": 1.5, "alpha": 3.0}


def index(count: int) -> Tensor:
    """Row numbers from 0 on."""
    return torch.arange(count, dtype=torch.int64, device=CPU)


def joined(parts: Any) -> bytes:
    """The bytes of nested tensors, in order; dtypes count."""
    if isinstance(parts, Tensor):
        found = parts.detach().contiguous()
        return str((found.dtype, found.device)).encode() + found.numpy().tobytes()
    if isinstance(parts, Mapping):
        return b"".join(name.encode() + joined(part) for name, part in parts.items())
    if isinstance(parts, list | tuple):
        return b"".join(map(joined, parts))
    return repr(parts).encode()


def rows(recipe: str, folder: Path, **changes: Any) -> bytes:
    """All that is known of some rows of a recipe."""
    chosen = db.load_recipe(recipe).replace(**changes)
    sample = db.generate(chosen, 3, index(3))
    if isinstance(sample, db.Sample):
        parts = [sample.image, sample.clean, sample.label, sample.index]
        return joined([*parts, sample.scene, sample.present])
    parts = [sample.series, sample.clean, sample.label, sample.index, sample.time]
    return joined([*parts, sample.parameters, sample.used, sample.kinetic, sample.potential])


def large(folder: Path) -> bytes:
    """A batch so large that its loops run on all threads, of light that fades to nothing."""
    recipe = db.load_recipe("sky").replace(degrade={"blur": {"sigma": 0.02}})
    sample = db.generate(recipe, 3, index(96))
    return joined([sample.image, sample.clean])


def targets(folder: Path) -> bytes:
    return joined(db.Catalogue("sky", size=12, target=TARGETS).__getitems__([3, 1, 11]))


def stored(suffix: str, folder: Path) -> bytes:
    """A file or folder, its card included, and the rows read from it."""
    work = folder / f"{suffix} {os.getpid()}"
    work.mkdir()
    path = work / ("a.h5" if suffix == "h5" else "a")
    data = db.Catalogue("astro", size=9, seed=2)
    db.materialize(data, path, format=suffix, progress=False)  # type: ignore[arg-type]
    files = sorted(file for file in work.rglob("*") if file.is_file())
    named = [
        (str(file.relative_to(work)), hashlib.sha256(file.read_bytes()).digest()) for file in files
    ]
    read = db.StoredCatalogue(path).__getitems__([0, 8]) if suffix == "h5" else []
    return repr(named).encode() + joined(read)


def card(folder: Path) -> bytes:
    from deepbench_torch.plotting.cards.card import write_card

    path = folder / f"card {os.getpid()}.h5"
    db.materialize(db.Catalogue("sky", size=9, seed=2), path, progress=False)
    return write_card(path).read_bytes().replace(str(os.getpid()).encode(), b"")


def stream(folder: Path) -> bytes:
    return joined(next(iter(db.CatalogueStream("astro", batch_size=5, target="parameters"))))


def collection(folder: Path) -> bytes:
    data = db.Collection([db.Catalogue("sky", size=5), db.Catalogue("lensing", size=5)])
    return joined(data.__getitems__(list(range(10))))


def collection_of_classes(folder: Path) -> bytes:
    data = db.Collection([db.Catalogue(name, size=5, image_size=9) for name in ("astro", "star")])
    return joined(data.__getitems__(list(range(10))))


def render(kind: str, folder: Path) -> bytes:
    """Objects of the default priors, in both precisions."""
    made = []
    for dtype in (torch.float32, torch.float64):
        u = db_uniform(kind)
        priors = db.OBJECTS[kind].prior.items()
        values = {
            name: (prior.icdf(u[:, position]) * (1 if name in SHARES else 20)).to(dtype)
            for position, (name, prior) in enumerate(priors)
        }
        made.append(db.OBJECTS[kind].render(values, db.Grid(17, 23)))
    return joined(made)


SHARES = {
    "n",
    "ellip",
    "core_ellip",
    "source_ellip",
    "source_theta",
    "shear",
    "shear_theta",
    "theta",
    "phase",
    "start",
    "extent",
    "vertices",
    "arms",
    "alpha",
}


def db_uniform(kind: str) -> Tensor:
    from deepbench_torch.numerics import rng

    return rng.uniform(0, db.OBJECTS[kind].parameters, index(4), 1)[..., 0]


def faint(folder: Path) -> bytes:
    """Light so faint that it lies below the normal numbers of single precision."""
    values = {
        name: torch.tensor([value], dtype=torch.float32, device=CPU) for name, value in STAR.items()
    }
    return joined(
        db.OBJECTS["star"].render(values | {"amplitude": values["x"] * 1e-37}, db.Grid(20, 30))
    )


def integers(folder: Path) -> bytes:
    values = {
        name: torch.tensor([int(value) + 1], dtype=torch.int64, device=CPU)
        for name, value in STAR.items()
    }
    return joined(db.OBJECTS["star"].render(values, db.Grid(20, 30)))


def bodies(folder: Path) -> bytes:
    mass = torch.ones(3, 3, dtype=torch.float32, device=CPU)
    position = torch.arange(18, dtype=torch.float32, device=CPU).view(3, 3, 2).sin()
    path = db.physics.nbody.simulate(
        mass, position, 0 * position, softening=0.3, duration=1.0, steps=9
    )
    return joined(list(path))


def pendulums(folder: Path) -> bytes:
    time = torch.arange(20, dtype=torch.int64, device=CPU)
    follow = partial(db.physics.pendulum.simulate, time, length=1.0, gravity=9.8, angle=2.0)
    path = db.physics.hamiltonian.simulate(
        1.0, length=1.0, gravity=9.8, duration=1.0, steps=3, substeps=2
    )
    return joined([*follow(), *follow(friction=0.1), *follow(method="small_angle"), *path])


def gradients(folder: Path) -> bytes:
    """Rows made before a derivative leave no tensor behind that has no gradient."""
    db.generate("galaxy", 0, index(2))
    radius = torch.tensor([3.0, 4.0], dtype=torch.float32, device=CPU, requires_grad=True)
    rest = {"x": 8.0, "y": 8.0, "amplitude": 1.0, "n": 1.5, "ellip": 0.3, "theta": 0.4}
    values = {name: torch.full_like(radius.detach(), value) for name, value in rest.items()}
    image = db.OBJECTS["galaxy"].render(values | {"radius": radius}, db.Grid(17, 19))
    return joined(image)


def recipe_text(folder: Path) -> str:
    return "".join(db.load_recipe(name).to_yaml() + db.load_recipe(name).digest for name in names())


def names() -> list[str]:
    """The packaged recipes of images and time series."""
    return [*db.list_recipes(), *db.list_recipes("series")]


WORKS: dict[str, Work] = {
    **{f"generate {name}": partial(rows, name) for name in names()},
    "generate in parallel": large,
    "generate faint": partial(rows, "sky", objects=FAINT),
    "generate noisy series": partial(
        rows, "nbody", noise={"draw": "step", "parameters": {"mass": 0.05, "gravity": 0.05}}
    ),
    "targets": targets,
    **{f"store {suffix}": partial(stored, suffix) for suffix in ("h5", "npy", "jpeg", "fits")},
    "card": card,
    "stream": stream,
    "collection": collection,
    "collection of classes": collection_of_classes,
    **{f"render {kind}": partial(render, kind) for kind in db.OBJECTS},
    "render faint": faint,
    "render whole numbers": integers,
    "bodies": bodies,
    "pendulums": pendulums,
    "gradients": gradients,
    "recipes": recipe_text,
}


def deterministic() -> None:
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined]


def flush_on_threads() -> None:
    torch.set_flush_denormal(True)
    torch.set_num_threads(3)


def formats_of_numbers() -> None:
    np.set_printoptions(precision=1, suppress=True, threshold=2)
    torch.set_printoptions(precision=1, threshold=2, sci_mode=True)  # type: ignore[no-untyped-call]


def enter(context: Any) -> None:
    context.__enter__()


SETTINGS: dict[str, Callable[[], object]] = {
    "none": lambda: None,
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "float16": lambda: torch.set_default_dtype(torch.float16),
    "device": lambda: torch.set_default_device("meta"),
    "device context": lambda: enter(torch.device("meta")),
    "no_grad": lambda: torch.set_grad_enabled(False),
    "inference_mode": lambda: enter(torch.inference_mode()),
    "deterministic": deterministic,
    **{f"{count} threads": partial(torch.set_num_threads, count) for count in (2, 3, 4)},
    "flush denormal": lambda: torch.set_flush_denormal(True),
    "flush denormal on threads": flush_on_threads,
    "autocast": lambda: enter(torch.autocast("cpu", dtype=torch.bfloat16)),
    "numpy errors": lambda: np.seterr(all="raise"),
    "print options": formats_of_numbers,
}


# Under these every work is done; under others those that write no file, which take half the time
THOROUGH = {"none", "float64", "device", "inference_mode", "numpy errors", "print options"}


def works_under(setting: str) -> list[str]:
    """The names of the works that are done under a setting."""
    slow = ("store", "card")
    return [name for name in WORKS if setting in THOROUGH or not name.startswith(slow)]


def work_under(setting: str, folder: Path) -> None:
    """Print the hash of every work under a setting, or its error."""
    SETTINGS[setting]()
    for name in works_under(setting):
        try:
            made = WORKS[name](folder)
            content = made.encode() if isinstance(made, str) else made
            found = hashlib.sha256(content).hexdigest()[:16]
        except Exception as error:
            if "--trace" in sys.argv:
                traceback.print_exc()
            found = f"{type(error).__name__} {error}".replace("\n", " ")[:300]
        print(f"{setting}: {name}: {found}", flush=True)


def main() -> None:
    for setting in sys.argv[2:]:
        child = os.fork() if setting in SETTINGS else None
        if child == 0:
            work_under(setting, Path(sys.argv[1]))
            os._exit(0)
        elif child is not None:
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
