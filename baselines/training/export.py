"""Weights of a finished run, in the form of the packaged ones."""

from pathlib import Path

import deepbench_torch as db
from baselines.scoring.results import Result
from baselines.training.runs import Run
from deepbench_torch.training.configuration import configuration, task_metadata
from deepbench_torch.training.models import load_weights
from deepbench_torch.training.tasks import tasks_of
from deepbench_torch.training.weight_files import WeightFile, write_weights


def export(run: Run, model: db.Classifier, folder: Path, *, result: Result) -> Path:
    """Write the weights of a run for grey images, and return their folder.

    `db.get_model(architecture, weights=folder)` reads them, and `deepbench-torch weights verify`
    measures their accuracy on the test images again.

    Args:
        run: The run.
        model: Its trained network.
        folder: Folder to write.
        result: Recorded row of the run.
    """
    recipes = {run.task: run.recipe}
    tasks = tasks_of(recipes, ["class", "present"])
    architecture = run.settings.architecture
    network = db.get_model(architecture, outputs=len(model.classes))
    state = {key: value.cpu() for key, value in model.model.state_dict().items()}
    load_weights(network, WeightFile(state, architecture, {}), architecture=architecture)
    test = db.Catalogue(run.recipe, size=run.settings.size, seed=run.seed, split="test")
    meta = task_metadata(tasks, recipes) | {
        "protocol": run.to_plain() | {"seconds": result.wall_time, "device": result.device},
        "test": {"rows": len(test), "start": int(test.rows[0]), "seed": run.seed},
        "transforms": {"standardize": False},
        "metrics": {tasks[0].name: result.accuracy / 100},
        "precision": "float32",
        "commit": result.commit,
        "command": f"python -m baselines.reproduce {run.task} --seed {run.seed}",
    }
    config = configuration(network, architecture, side=run.recipe.image.height, meta=meta)
    return write_weights(folder, network.state_dict(), config=config)
