"""Conversion of a configuration of the package released with the paper to a recipe."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from deepbench_torch.convert.parameters import Parameters, number
from deepbench_torch.convert.pendulum import hamiltonian, pendulum
from deepbench_torch.convert.shapes import SHAPES, Frame, Object
from deepbench_torch.convert.sky import BLUR, SINGLE_OBJECTS, SKY
from deepbench_torch.generate import generate
from deepbench_torch.recipes import Recipe, recipe_from_plain
from deepbench_torch.recipes.paths import user_path
from deepbench_torch.recipes.text import read_yaml

KEYS = ("object_type", "object_name", "total_runs", "image_parameters", "object_parameters")
PENDULUMS = {"Pendulum": pendulum, "HamiltonianPendulum": hamiltonian}
OTHERS = ("total_objects", "seed", "parameter_noise", "name")


class Conversion(NamedTuple):
    """Result of converting an old configuration.

    Attributes:
        recipe: Keys and values of the recipe; keys at their default are omitted.
        notes: Differences from the released package, one sentence each.
    """

    recipe: dict[str, Any]
    notes: list[str]

    def to_yaml(self) -> str:
        """Return the recipe as YAML."""
        return yaml.safe_dump(self.recipe, sort_keys=False, default_flow_style=None, width=100)


def convert(path: str | Path) -> Conversion:
    """Return the recipe of the images or time series that an old configuration generated.

    Args:
        path: A YAML file with the keys object_type, object_name, total_runs, image_parameters and
            object_parameters.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not a configuration of the released package.
    """
    path = user_path(path)
    old = read_yaml(path)
    try:
        return _convert(_checked(old), name=path.stem)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} cannot be converted: {error}") from None


def _checked(old: object) -> Mapping[str, Any]:
    if not isinstance(old, Mapping):
        raise ValueError(f"expected a mapping, got {old!r:.60}; write the keys {', '.join(KEYS)}")
    for key in ("object_type", "object_parameters"):
        if key not in old:
            found = f"{', '.join(map(str, old)):.60}" or "no key"
            raise ValueError(f"expected the key {key}, got {found}; add {key}")
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
        raise _not_one_of("object_type", readers, value=kind)
    notes = [
        f"{key} is not a key of the released package" for key in old if key not in KEYS + OTHERS
    ]
    if _noise(old):
        notes.append(
            "parameter_noise is sampled for each parameter of each image; the released package "
            "added one number to all of them"
        )
    plain = {
        "name": re.sub(r"[^A-Za-z0-9_.-]+|^\.+$", "-", str(old.get("name", name))) or "converted",
        "description": f"converted from the configuration of a {old.get('object_name', kind)}",
        **_runs(old),
        **readers[kind](old, notes),
    }
    recipe_from_plain(plain, source="the converted recipe")
    return Conversion(plain, notes)


def _not_one_of(key: str, allowed: Iterable[object], *, value: object) -> ValueError:
    names = ", ".join(map(str, allowed))
    return ValueError(f"{key}: expected one of {names}, got {value!r:.60}; choose one of these")


def _runs(old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the number of images and the seed, as far as the configuration has them."""
    size = old.get("total_runs", old.get("total_objects"))
    runs = {} if size is None else {"size": round(number("total_runs", size))}
    return runs if old.get("seed") is None else runs | {"seed": round(number("seed", old["seed"]))}


def _sky(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_shape"))
    scene = [_read(SKY, part, frame=frame, noise=0.0) for part in _objects(old, notes)]
    plain = _recipe(frame, scene) | {
        "degrade": _degradation(image, frame, notes=notes, blurred=True)
    }
    if image.get("scale", True):
        plain["scene"] = [_scaled(plain, index) for index in range(len(scene))]
        notes.append(
            "every object is scaled to 1 at its brightest pixel, as in the released package; "
            "its faintest pixel is not set to 0"
        )
    return plain


def _shape(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_shape"))
    scene = [_read(SHAPES, part, frame=frame) for part in _objects(old, notes)]
    return _recipe(frame, scene) | {
        "degrade": _degradation(image, frame, notes=notes, blurred=False)
    }


def _astro(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Convert one object: image_parameters set its profile, object_parameters its position."""
    kind = old.get("object_name")
    if not isinstance(kind, str) or kind not in SINGLE_OBJECTS:
        raise _not_one_of("object_name", SINGLE_OBJECTS, value=kind)
    image = _mapping(old, "image_parameters")
    frame = _frame(image.get("image_dimensions", image.get("image_shape")))
    profile = {key: value for key, value in image.items() if not key.startswith("image_")}
    values = profile | _mapping(old, "object_parameters")
    values.pop("seed", None)
    part = Parameters(SINGLE_OBJECTS[kind], values, noise=_noise(old), notes=notes)
    scene = [_read(SKY, part, frame=frame)]
    return _recipe(frame, scene) | {"degrade": _degradation({}, frame, notes=notes, blurred=True)}


def _physics(old: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Convert a pendulum: image_parameters describe it, object_parameters hold the times."""
    kind = old.get("object_name")
    if not isinstance(kind, str) or kind not in PENDULUMS:
        raise _not_one_of("object_name", PENDULUMS, value=kind)
    times = _mapping(old, "object_parameters").get("time")
    values = _mapping(old, "image_parameters")
    return PENDULUMS[kind](values, times, noise=_noise(old), notes=notes)


def _recipe(frame: Frame, scene: list[Object]) -> dict[str, Any]:
    return {
        "image": {"height": frame.height, "width": frame.width},
        "label": "class" if len(scene) == 1 else "present",
        "scene": [{kind: values} for kind, values in scene],
    }


def _read(
    table: Mapping[str, Callable[..., Object]], part: Parameters, *, frame: Frame, **options: float
) -> Object:
    kind = part.owner
    if kind not in table:
        raise _not_one_of("object_parameters", table, value=kind)
    converted = table[kind](part, frame, **options)
    part.note_unknown()
    return converted


def _objects(old: Mapping[str, Any], notes: list[str]) -> Iterator[Parameters]:
    """Yield the objects of an image; the keys `object` and `instance` of each are merged."""
    listed = old["object_parameters"]
    groups = listed if isinstance(listed, list) else [listed]
    for group in groups:
        if not isinstance(group, Mapping):
            rule = "a mapping of objects"
            remedy = "write `star: {...}`, for instance"
            raise ValueError(f"object_parameters: expected {rule}, got {group!r:.60}; {remedy}")
        for kind, parts in group.items():
            parts = _mapping({f"object_parameters.{kind}": parts}, f"object_parameters.{kind}")
            values = {**_mapping(parts, "object"), **_mapping(parts, "instance")}
            yield Parameters(str(kind), values, noise=_noise(old), notes=notes)


def _mapping(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = values.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{key}: expected a mapping, got {value!r:.60}; write `name: value` lines")
    return {str(name): part for name, part in (value or {}).items()}


def _noise(old: Mapping[str, Any]) -> float:
    value = old.get("parameter_noise") or 0.0
    return number("parameter_noise", float(value) if isinstance(value, bool) else value)


def _frame(shape: object) -> Frame:
    pair = shape if isinstance(shape, list | tuple) else [shape, shape]
    sides = [round(number("image_shape", side)) for side in pair]
    if len(sides) != 2 or min(sides) < 1:
        rule = "two positive numbers of pixels"
        raise ValueError(f"image_shape: expected {rule}, got {shape!r:.60}; write [28, 28]")
    return Frame(*sides)


def _degradation(
    image: Mapping[str, Any], frame: Frame, *, notes: list[str], blurred: bool
) -> dict[str, Any]:
    plain: dict[str, Any] = (
        {"blur": {"sigma": float(f"{BLUR / min(frame):.9g}")}} if blurred else {}
    )
    level = number("object_noise_level", image.get("object_noise_level", 0.0))
    kind = image.get("object_noise_type", "gaussian")
    if kind not in ("gaussian", "poisson"):
        raise _not_one_of("object_noise_type", ("gaussian", "poisson"), value=kind)
    if level > 0 and kind == "gaussian":
        plain["gaussian"] = {"sigma": level}
    elif level > 0:
        plain["poisson"] = {"exposure": 1.0, "background": level}
        notes.append(
            "object_noise_type poisson becomes photon noise of signal and background, "
            "minus the mean background; the released package added the background alone"
        )
    if level > 0:
        notes.append("the noise differs between images; the released package repeated it")
    return plain


def _scaled(plain: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return an object with the amplitude that makes its brightest blurred pixel 1."""
    (kind, values), *_ = plain["scene"][index].items()
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
