"""A configuration of the package released with the paper, as a recipe."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from deepbench_torch.convert.parameters import Parameters, number
from deepbench_torch.convert.pendulum import hamiltonian, pendulum
from deepbench_torch.convert.shapes import SHAPES, Frame, Object
from deepbench_torch.convert.sky import ALONE, BLUR, SKY
from deepbench_torch.generate import generate
from deepbench_torch.paths import user_path
from deepbench_torch.recipes import Recipe, recipe_from_plain
from deepbench_torch.recipes.text import read_yaml

KEYS = ("object_type", "object_name", "total_runs", "image_parameters", "object_parameters")
PENDULUMS = {"Pendulum": pendulum, "HamiltonianPendulum": hamiltonian}
OTHERS = ("total_objects", "seed", "parameter_noise", "name")


class Conversion(NamedTuple):
    """What became of an old configuration.

    Attributes:
        recipe: The recipe as it stands in YAML, without what is left at its default.
        notes: What could not be carried over, a sentence each.
    """

    recipe: dict[str, Any]
    notes: list[str]

    def to_yaml(self) -> str:
        """The recipe as YAML."""
        return yaml.safe_dump(self.recipe, sort_keys=False, default_flow_style=None, width=100)


def convert(path: str | Path) -> Conversion:
    """The recipe that draws what an old configuration drew.

    Args:
        path: A YAML file with the keys object_type, object_name, total_runs, image_parameters and
            object_parameters.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a configuration of the released package.
    """
    path = user_path(path)
    old = read_yaml(path)
    try:
        return _convert(_checked(old), name=path.stem)
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} is no configuration of the released package that can be converted: "
            f"{error}"
        ) from None


def _checked(old: object) -> Mapping[str, Any]:
    if not isinstance(old, Mapping):
        raise ValueError(f"it must be a mapping with the keys {', '.join(KEYS)}, got {old!r:.60}")
    missing = [key for key in ("object_type", "object_parameters") if key not in old]
    if missing:
        raise ValueError(f"it must have the keys {', '.join(KEYS)}, got none of {missing}")
    return old


def _convert(old: Mapping[str, Any], *, name: str) -> Conversion:
    readers: dict[object, Callable[[Mapping[str, Any], list[str]], dict[str, Any]]] = {
        "sky": _sky,
        "shape": _shape,
        "astro": _astro,
        "physics": _physics,
    }
    kind = old["object_type"]
    if not isinstance(kind, str) or kind not in readers:
        raise ValueError(f"object_type must be one of {', '.join(map(str, readers))}, got {kind!r}")
    notes = [
        f"{key} is not a key of the released package" for key in old if key not in KEYS + OTHERS
    ]
    if _noise(old):
        notes.append(
            "parameter_noise is drawn for each parameter and image anew; the released package "
            "added one number to all of them"
        )
    plain = {
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", str(old.get("name", name))) or "converted",
        "description": f"converted from the configuration of a {old.get('object_name', kind)}",
        **_runs(old),
        **readers[kind](old, notes),
    }
    recipe_from_plain(plain, source="the recipe made of it")
    return Conversion(plain, notes)


def _runs(old: Mapping[str, Any]) -> dict[str, Any]:
    """How many images, and the seed."""
    size = old.get("total_runs", old.get("total_objects"))
    runs = {} if size is None else {"size": round(number("total_runs", size))}
    return runs if old.get("seed") is None else runs | {"seed": round(number("seed", old["seed"]))}


def _sky(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_shape"))
    scene = [_read(SKY, part, frame, noise=0.0) for part in _objects(old, notes)]
    plain = _recipe(frame, scene) | {"degrade": _degradation(image, frame, notes, blurred=True)}
    if image.get("scale", True):
        plain["scene"] = [_scaled(plain, place) for place in range(len(scene))]
        notes.append(
            "every object is made as bright as the released package scales it, 1 at its brightest "
            "pixel; that its faintest pixel was set to 0 is not carried over"
        )
    return plain


def _shape(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_shape"))
    scene = [_read(SHAPES, part, frame) for part in _objects(old, notes)]
    return _recipe(frame, scene) | {"degrade": _degradation(image, frame, notes, blurred=False)}


def _astro(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """One object alone: image_parameters make it, object_parameters place it."""
    kind = old.get("object_name")
    if not isinstance(kind, str) or kind not in ALONE:
        raise ValueError(f"object_name must be one of {', '.join(ALONE)}, got {kind!r}")
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_dimensions", image.get("image_shape")))
    given = {key: value for key, value in image.items() if not key.startswith("image_")}
    values = given | _mapping(old, "object_parameters")
    values.pop("seed", None)
    part = Parameters(ALONE[kind], values, noise=_noise(old), notes=notes)
    scene = [_read(SKY, part, frame)]
    return _recipe(frame, scene) | {"degrade": _degradation({}, frame, notes, blurred=True)}


def _physics(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Pendulums: image_parameters make one, object_parameters say when it is looked at."""
    kind = old.get("object_name")
    if not isinstance(kind, str) or kind not in PENDULUMS:
        raise ValueError(f"object_name must be one of {', '.join(PENDULUMS)}, got {kind!r}")
    moments = _mapping(old, "object_parameters").get("time")
    given = _mapping(old, "image_parameters")
    return PENDULUMS[kind](given, moments, noise=_noise(old), notes=notes)


def _recipe(frame: Frame, scene: list[Object]) -> dict[str, Any]:
    return {
        "image": {"height": frame.height, "width": frame.width},
        "label": "class" if len(scene) == 1 else "present",
        "scene": [{kind: values} for kind, values in scene],
    }


def _read(
    table: Mapping[str, Callable[..., Object]], part: Parameters, frame: Frame, **options: float
) -> Object:
    kind = part.owner
    if kind not in table:
        raise ValueError(f"an object must be one of {', '.join(table)}, got {kind!r}")
    made = table[kind](part, frame, **options)
    part.finish()
    return made


def _objects(old: Mapping[str, Any], notes: list[str]) -> Iterator[Parameters]:
    """The objects of an image, each with what `object` and `instance` say of it together."""
    listed = old["object_parameters"]
    groups = listed if isinstance(listed, list) else [listed]
    for group in groups:
        if not isinstance(group, Mapping):
            raise ValueError(f"object_parameters must name objects, got {group!r:.60}")
        for kind, parts in group.items():
            parts = {} if parts is None else parts
            if not isinstance(parts, Mapping):
                raise ValueError(f"object_parameters.{kind} must be a mapping, got {parts!r:.60}")
            values = {**_mapping(parts, "object"), **_mapping(parts, "instance")}
            yield Parameters(str(kind), values, noise=_noise(old), notes=notes)


def _mapping(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = values.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{key} must be a mapping, got {value!r:.60}")
    return {str(name): part for name, part in (value or {}).items()}


def _noise(old: Mapping[str, Any]) -> float:
    value = old.get("parameter_noise") or 0.0
    return number("parameter_noise", float(value) if isinstance(value, bool) else value)


def _frame(shape: object) -> Frame:
    pair = shape if isinstance(shape, list | tuple) else [shape, shape]
    if len(pair) != 2:
        raise ValueError(f"image_shape must be two numbers of pixels, got {shape!r}")
    height, width = (round(number("image_shape", side)) for side in pair)
    if min(height, width) < 1:
        raise ValueError(f"image_shape must be two positive numbers of pixels, got {shape!r}")
    return Frame(height, width)


def _degradation(
    image: Mapping[str, Any], frame: Frame, notes: list[str], *, blurred: bool
) -> dict[str, Any]:
    plain: dict[str, Any] = (
        {"blur": {"sigma": float(f"{BLUR / min(frame):.9g}")}} if blurred else {}
    )
    level = number("object_noise_level", image.get("object_noise_level", 0.0))
    kind = image.get("object_noise_type", "gaussian")
    if kind not in ("gaussian", "poisson"):
        raise ValueError(f"object_noise_type must be gaussian or poisson, got {kind!r}")
    if level > 0 and kind == "gaussian":
        plain["gaussian"] = {"sigma": level}
    elif level > 0:
        plain["poisson"] = {"exposure": 1.0, "background": level}
        notes.append(
            "object_noise_type poisson becomes photon noise of signal and background together, "
            "whose mean background is subtracted; the released package added the background alone"
        )
    if level > 0:
        notes.append("the noise differs from image to image; the released package repeated it")
    return plain


def _scaled(plain: Mapping[str, Any], place: int) -> dict[str, Any]:
    """An object with the amplitude that makes its blurred light 1 at the brightest pixel."""
    (kind, values), *_ = plain["scene"][place].items()
    middle = {
        name: sum(prior["uniform"]) / 2 if isinstance(prior, Mapping) else prior
        for name, prior in values.items()
    }
    alone = dict(plain) | {
        "name": "alone",
        "label": "class",
        "scene": [{kind: middle | {"amplitude": 1.0}}],
        "degrade": {"blur": plain["degrade"]["blur"]},
    }
    light = generate(
        Recipe.model_validate(alone), 0, torch.tensor([0], dtype=torch.int64, device="cpu")
    ).clean
    return {kind: values | {"amplitude": float(f"{1 / float(light.max() - light.min()):.6g}")}}
