"""Folder of weights: network, metadata and measured scores."""

from pathlib import Path
from typing import Any

from torch import nn

from baselines.pretraining.settings import Pretraining
from baselines.scoring.results import commit
from deepbench_torch.training.configuration import configuration, task_metadata
from deepbench_torch.training.quantize import dequantize, quantize
from deepbench_torch.training.tasks import evaluate
from deepbench_torch.training.weight_files import write_weights


def export(plan: Pretraining, model: nn.Module, folder: Path, *, seconds: float) -> dict[str, Any]:
    """Test a network as it will be stored, write its folder, and return its metadata.

    Args:
        plan: Settings of the training.
        model: Trained network.
        folder: Folder to write.
        seconds: Duration of the training [s].
    """
    own = plan.network
    state = model.cpu().state_dict()
    before = _scores(plan, model)
    model.load_state_dict(dequantize(quantize(state, own.precision)))
    meta = _meta(plan, seconds=seconds) | {"metrics": _scores(plan, model)}
    meta["metrics_float32"] = before
    config = configuration(model, own.architecture, side=own.side, meta=meta)
    write_weights(folder, state, config=config, precision=own.precision)
    return meta


def _scores(plan: Pretraining, model: nn.Module) -> dict[str, float]:
    scores = evaluate(
        model,
        plan.tasks,
        recipes=plan.recipes,
        transforms=plan.transforms,
        side=plan.network.side,
        rows=plan.settings.test_rows,
        seed=plan.settings.test_seed,
    )
    return {name: round(score, 5) for name, score in scores.items()}


def _meta(plan: Pretraining, *, seconds: float) -> dict[str, Any]:
    own, settings = plan.network, plan.settings
    return task_metadata(plan.tasks, plan.recipes) | {
        "protocol": {
            "training": f"{own.steps} batches of {own.batch} fresh images, AdamW, one cycle",
            "lr": own.lr,
            "weight_decay": own.weight_decay,
            "seed": settings.seed,
            "seconds": round(seconds),
        },
        "test": {"rows": settings.test_rows, "seed": settings.test_seed},
        "transforms": {"standardize": True, "least_side": own.side},
        "precision": own.precision,
        "commit": commit(),
        "command": f"python -m baselines.pretrain {plan.name}",
    }
