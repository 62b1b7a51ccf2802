"""Hashes of the first rows of every packaged recipe, the same on every CPU.

`python -m tests.native.golden` writes them to `golden.json`, as it must be when GENERATOR_VERSION
rises; `python -m tests.native.golden sky lensing` prints those of some recipes.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch

import deepbench_torch as db
from deepbench_torch.generate import GENERATOR_VERSION

FILE = Path(__file__).with_suffix(".json")
ROWS = 64


def hashes(names: list[str]) -> dict[str, dict[str, str]]:
    """Return by recipe the SHA-256 of its rows, of its rows without noise, and of its parameters.

    Args:
        names: Packaged recipes.
    """
    found = {}
    for name in names:
        sample = db.generate(name, 7, torch.arange(ROWS))
        found[name] = {
            sample.recipe.content: _digest([sample.data]),
            "clean": _digest([sample.clean]),
            "parameters": _digest(_truth(sample)),
        }
    return found


def _truth(sample: db.Sample | db.SeriesSample) -> list[torch.Tensor]:
    tables = sample.tables()
    kept = ("parameters/", "used/", "present/", "label")
    truth = [tables[name] for start in kept for name in tables if name.startswith(start)]
    if isinstance(sample, db.SeriesSample):
        truth += [sample.time, sample.kinetic, sample.potential]
    return truth


def _digest(tensors: list[torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def main(names: list[str]) -> None:
    """Print the hashes of some recipes, or write those of all."""
    if names:
        print(json.dumps(hashes(names)))
        return
    content = {
        "generator_version": GENERATOR_VERSION,
        "rows": ROWS,
        "recipes": hashes(db.list_recipes()),
    }
    FILE.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
