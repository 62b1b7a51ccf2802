"""Program of `test_new_effect`, run on a copy of the package that has a noise and a spread more."""

import json
import sys
from pathlib import Path

import torch

import deepbench_torch as db
from deepbench_torch.images.spread import rendered_grid
from deepbench_torch.recipes.schema import schema_text

KEYS = {"psf": {"box": {"fwhm": 0.05}}, "poisson": None, "stripes": {"height": 0.3}}


def main(folder: Path) -> None:
    """Print what the copy makes of the two effects, as JSON."""
    index = torch.arange(3)
    recipe = db.load_recipe("sky").replace(degrade=KEYS)
    sample = db.generate(recipe, seed=5, index=index)
    noise = sample.recipe.degrade.noises[0]
    own = sample.conditions
    expected = noise.apply(sample.clean[:, 0], own, light=sample.clean[:, 0], seed=5, index=index)
    sharp = db.generate(recipe.replace(degrade={"psf": None}), seed=5, index=index)
    db.materialize(db.Catalogue(recipe, size=3, seed=5), folder / "fits", format="fits")
    header = next((folder / "fits").rglob("*.fits")).read_bytes()[: 20 * 2880]
    found = {
        "noise": float((sample.image[:, 0] - expected).abs().max()),
        "spread": float((sample.clean - sharp.clean).abs().max()),
        "margin": rendered_grid(recipe).margin,
        "conditions": list(own),
        "units": recipe.unit("conditions/stripe_height"),
        "schema": [name in schema_text() for name in ("Stripes", "Box")],
        "rungs": [len(rung.recipe.degrade.noises) for rung in recipe.rungs()[:1]],
        "card": b"STRIPES " in header,
        "again": db.load_recipe(_written(recipe, folder)) == recipe,
    }
    print(json.dumps(found))


def _written(recipe: db.Recipe, folder: Path) -> Path:
    path = folder / "own.yaml"
    path.write_text(recipe.to_yaml())
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
