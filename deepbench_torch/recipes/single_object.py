"""Packaged recipes of one object, derived from the default priors of `OBJECTS`."""

from typing import Any

from deepbench_torch.objects import OBJECTS

SIDE = 64  # [pixel]; large enough to recognise shapes and to sample every default prior well
# sky-limited imaging: photon noise 0.05 of the sky's brightness
SKY = {"poisson": {"exposure": 400, "background": 1.0}}

# lines of a third of the side and more: they have 17 pixels on this grid
LONG = {"visible": 0.9, "least_pixels": 17, "candidates": 64, "grid": 32}


def single_object_recipe(kind: str) -> dict[str, Any]:
    """Return the plain recipe of one object of a kind.

    Shapes are white on black; other objects have the noise of the sky, which is their unit of
    brightness. An object between two points is long. `OBJECTS` states the reason of each prior.

    Args:
        kind: Key of `OBJECTS`.
    """
    is_shape = "thickness" in OBJECTS[kind].fields
    description = f"one {kind}, every parameter random"
    return {
        "name": kind,
        "description": f"{description} but its brightness" if is_shape else description,
        "image": {"height": SIDE, "width": SIDE},
        "label": "class",
        "count": 1,
        "objects": {kind: {name: prior.to_plain() for name, prior in OBJECTS[kind].prior.items()}},
        **({"compose": "union"} if is_shape else {"degrade": SKY}),
        **({"layout": LONG} if "x1" in OBJECTS[kind].fields else {}),
    }
