"""Ellipticities of real galaxies, read by a network that never saw a label of theirs."""

import numpy as np
import torch

import deepbench_torch as db
from baselines.transfers.target import Target
from deepbench_torch.training.tasks import Task
from deepbench_torch.training.verify_weights import recipes_of

KIND = "galaxy"


def read_shapes(name: str, target: Target) -> list[float]:
    """Return the mean correlation of read and measured ellipticities; nothing for other weights.

    Args:
        name: Name of a source; of packaged weights that measure single galaxies, or any other.
        target: Target whose first two values are e1 and e2.
    """
    if name not in db.list_weights():
        return []
    weights = db.get_weights(name)
    tasks = [Task(**each | {"names": tuple(each["names"])}) for each in weights.meta["tasks"]]
    own = [task for task in tasks if task.name == f"{KIND}/vector"]
    if not own:
        return []
    outputs = len(weights.meta["outputs"])
    network = db.get_model(weights.architecture, weights=weights, outputs=outputs).eval()
    image = weights.transforms()(target.image)
    with torch.inference_mode():
        values = torch.cat([network(batch)[:, own[0].outputs] for batch in torch.split(image, 256)])
    found = recipes_of(weights.meta)[KIND].vector.decode(values)
    ellip, theta = (found[f"{KIND}/{part}"] for part in ("ellip", "theta"))
    read = torch.stack((ellip * torch.cos(2 * theta), ellip * torch.sin(2 * theta)))
    pairs = zip(read.numpy(), np.asarray(target.label).T[:2], strict=True)
    return [float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in pairs]))]
