"""All modes of differentiation and `vmap` agree, for every object and every case of the table.

Oracles: reverse mode of plain autograd, which `test_laws.py` holds against finite differences, and
for the transforms the images themselves.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vmap

import deepbench_torch as db
from deepbench_torch.numerics.differentiation import alike, is_differentiated, plain_values
from tests.cases import (
    GRID,
    SHAPES,
    Case,
    brightness_of,
    drawn,
    each_case,
    each_object,
    tensors,
    typical,
)

# torch's own forward mode makes its rules by the old compiler
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")

Function = Callable[[Tensor], Tensor]
make_dual: Callable[[Tensor, Tensor], Tensor] = forward_ad.make_dual
unpack_dual: Callable[[Tensor], Any] = forward_ad.unpack_dual


def image_of(case: Case) -> tuple[Function, Tensor]:
    """The image as a function of the parameters by which it is differentiable, and these."""
    parameters = tensors(case.parameters)
    names = case.smooth or tuple(parameters)

    def image(values: Tensor) -> Tensor:
        changed = {name: value[None] for name, value in zip(names, values, strict=True)}
        return case.kind.render(parameters | changed, GRID)[0]

    return image, torch.stack([parameters[name][0] for name in names])


def by_columns(image: Function, values: Tensor) -> Tensor:
    """The Jacobian, one forward derivative a parameter."""
    directions = torch.eye(len(values), dtype=values.dtype)
    return torch.stack([jvp(image, (values,), (each,))[1] for each in directions], dim=-1)


def by_dual_numbers(image: Function, values: Tensor) -> Tensor:
    """The Jacobian by dual numbers, without torch.func."""
    columns = []
    for each in torch.eye(len(values), dtype=values.dtype):
        with forward_ad.dual_level():
            dual = image(make_dual(values, each))
            columns.append(unpack_dual(dual).tangent)
    return torch.stack(columns, dim=-1)


MODES: dict[str, Callable[[Function, Tensor], Tensor]] = {
    "jvp": by_columns,
    "dual": by_dual_numbers,
    "jacfwd": lambda image, values: jacfwd(image)(values),
    "jacrev": lambda image, values: jacrev(image)(values),
}


@each_case
@pytest.mark.parametrize("mode", MODES)
def test_modes_agree(mode: str, case: Case) -> None:
    image, values = image_of(case)
    found = MODES[mode](image, values)
    expected = torch.autograd.functional.jacobian(image, values)  # type: ignore[no-untyped-call]
    assert bool(found.isfinite().all())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@each_case
def test_forward_mode_agrees_with_finite_differences(case: Case) -> None:
    """Along one direction, but for the pixel of a cusp, which has no derivative there."""
    image, values = image_of(case)
    direction, step = values.abs().clamp(0.1, 1), 1e-6
    values = values + 2 * step * direction  # away from the least value of each parameter
    sides = [image(values + sign * step * direction) for sign in (1, -1)]
    numeric = (sides[0] - sides[1]) / (2 * step)
    found = jvp(image, (values,), (direction,))[1]
    smooth = torch.ones_like(found, dtype=torch.bool)
    x, y = case.parameters.get("x", -1.0), case.parameters.get("y", -1.0)
    if x == round(x) and y == round(y) and 0 <= x < GRID.width and 0 <= y < GRID.height:
        smooth[int(y), int(x)] = False
    peak = float(image(values).max())
    torch.testing.assert_close(found[smooth], numeric[smooth], rtol=1e-4, atol=1e-6 * (1 + peak))


@each_object
def test_second_derivatives_agree(name: str) -> None:
    image, values = image_of(typical(name))

    def total(values: Tensor) -> Tensor:
        return image(values).square().sum()

    expected = torch.autograd.functional.hessian(total, values)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(hessian(total)(values), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("n", [0.4, 1.0, 4.0, 19.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_derivatives_are_finite_at_the_centre(n: float, dtype: torch.dtype) -> None:
    case = Case("galaxy", "", typical("galaxy").parameters | {"x": 10.0, "y": 7.0, "n": n})
    image, values = image_of(case)
    values = values.to(dtype)
    for mode in MODES.values():
        assert bool(mode(image, values).isfinite().all())
    assert bool(hessian(lambda v: image(v).square().sum())(values).isfinite().all())


@each_object
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_vmap_changes_no_bit(name: str, dtype: torch.dtype) -> None:
    """Over all parameters, over each alone, and over two dimensions."""
    kind, batch = db.OBJECTS[name], drawn(name, 3, dtype)
    render = partial(kind.render, grid=GRID)
    expected = kind.render(batch, GRID)
    split = {key: values[:, None] for key, values in batch.items()}
    assert torch.equal(vmap(render)(split)[:, 0], expected)
    twice = {key: values.view(1, -1, 1) for key, values in batch.items()}
    assert torch.equal(vmap(vmap(render))(twice)[0, :, 0], expected)


@each_object
def test_vmap_over_one_parameter_changes_no_bit(name: str) -> None:
    kind, one = db.OBJECTS[name], tensors(typical(name).parameters)
    for key, value in one.items():

        def image(changed: Tensor, key: str = key) -> Tensor:
            return kind.render(one | {key: changed}, GRID)

        assert torch.equal(vmap(image)(value.expand(2)[:, None])[1], kind.render(one, GRID)), key


@each_object
def test_a_gradient_for_each_object_of_a_batch(name: str) -> None:
    """`vmap(grad)`: what fits of many objects and per-sample gradients use."""
    kind, batch = db.OBJECTS[name], drawn(name, 2, torch.float64)

    def brightness(one: dict[str, Tensor]) -> Tensor:
        return kind.render({key: value[None] for key, value in one.items()}, GRID).square().sum()

    scale = brightness_of(name)
    each = vmap(grad(brightness))(batch)[scale]
    amplitude = batch[scale].clone().requires_grad_()
    kind.render(batch | {scale: amplitude}, GRID).square().sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(each, amplitude.grad, rtol=1e-9, atol=1e-12)


@each_object
def test_compiled_images_are_equal(name: str) -> None:
    """As far as the graph goes; oracle: the image without compilation, to rounding."""
    kind, batch = db.OBJECTS[name], drawn(name, 3, torch.float64)
    compiled: Any = torch.compile(partial(kind.render, grid=GRID), backend="aot_eager")
    torch.testing.assert_close(compiled(batch), kind.render(batch, GRID), rtol=1e-12, atol=1e-12)
    torch._dynamo.reset()


@each_object
@pytest.mark.parametrize("transform", ["vmap", "jvp", "jacfwd"])
def test_nonsense_is_refused_inside_of_transforms(name: str, transform: str) -> None:
    one = tensors(typical(name).parameters)
    key = "thickness" if name in SHAPES else {"star": "gamma", "point": "flux"}.get(name, "radius")

    def image(wrong: Tensor) -> Tensor:
        return db.OBJECTS[name].render(one | {key: wrong}, GRID)

    wrong = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    calls: dict[str, Callable[[], object]] = {
        "vmap": lambda: vmap(image)(wrong),
        "jvp": lambda: jvp(image, (wrong[1],), (wrong[1],)),
        "jacfwd": lambda: jacfwd(image)(wrong[1]),
    }
    with pytest.raises(ValueError, match=f"{name}.{key} must be"):
        calls[transform]()


def test_what_is_differentiated() -> None:
    seen = []

    def look(x: Tensor) -> Tensor:
        seen.append((is_differentiated(x), plain_values(x).tolist()))
        return x * 2

    x = torch.tensor([1.0, 2.0])
    look(x)
    look(x.clone().requires_grad_())
    jvp(look, (x,), (x,))
    vmap(look)(x)
    with forward_ad.dual_level():
        look(make_dual(x, x))
        look(x)
    assert seen == [(k not in (0, 5), [1.0, 2.0]) for k in range(6)]


def test_alike_wraps_all() -> None:
    def product(x: Tensor) -> Tensor:
        one, two = alike([torch.ones(()), x])
        return (one + 1).mul_(two)

    assert vmap(product)(torch.tensor([1.0, 3.0])).tolist() == [2.0, 6.0]
