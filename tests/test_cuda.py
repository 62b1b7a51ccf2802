"""Rows and renderers on a GPU: `pytest -m cuda`. Oracle: the same on the CPU, equal to rounding."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

import deepbench_torch as db
from deepbench_torch.physics import hamiltonian, nbody, pendulum
from tests.cases import GRID, drawn, each_object, tensors, typical

pytestmark = pytest.mark.cuda
DEVICE = torch.device("cuda")
ROWS = torch.arange(24)
# float32 rounds an exponent of up to 80 a few times
ROUNDING = 2e-5
# a photon more or less where rounding decides, in one pixel of so many
PHOTONS = 1e-3


@contextmanager
def no_synchronisation() -> Iterator[None]:
    """Fail on any wait of the host for the GPU."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def assert_near(found: Tensor, expected: Tensor, *, rounding: float = ROUNDING) -> None:
    """Equal to rounding, relative to the brightest pixel."""
    assert found.device.type == DEVICE.type
    assert found.dtype == expected.dtype
    peak = float(expected.abs().max()) if expected.numel() else 1.0
    torch.testing.assert_close(found.cpu(), expected, rtol=rounding, atol=rounding * peak)


@pytest.mark.parametrize("name", db.list_recipes("image"))
def test_images_agree(name: str) -> None:
    here, there = db.generate(name, 3, ROWS), db.generate(name, 3, ROWS, device=DEVICE)
    for kind, parameters in here.scene.items():
        assert torch.equal(there.present[kind].cpu(), here.present[kind])
        for parameter, values in parameters.items():
            assert torch.equal(there.scene[kind][parameter].cpu(), values), (kind, parameter)
    assert torch.equal(there.label.cpu(), here.label)
    assert torch.equal(there.index.cpu(), here.index)
    differs = (there.clean.cpu() - here.clean).abs() > ROUNDING * float(here.clean.max())
    # the edge of a shape is a step, on which rounding decides
    assert float(differs.float().mean()) < PHOTONS
    assert_noise_agrees(db.load_recipe(name), there, here)


def test_objects_on_the_gpu_are_observed_alike() -> None:
    """Kernels of the CPU observe them, and gradients flow back to the GPU."""
    here = db.generate("sky", 3, ROWS)
    there = {
        kind: {name: values.to(DEVICE).requires_grad_() for name, values in own.items()}
        for kind, own in here.scene.items()
    }
    sample = db.observe(there, "sky", seed=3, index=ROWS.to(DEVICE), present=here.present)
    assert torch.equal(sample.image, here.image)
    (gradient,) = torch.autograd.grad(sample.clean.sum(), there["star"]["amplitude"])
    assert gradient.device.type == DEVICE.type
    density = here.recipe.log_prob(there, here.present)
    assert density.device.type == DEVICE.type
    torch.testing.assert_close(density.cpu(), here.recipe.log_prob(here.scene))


def assert_noise_agrees(recipe: db.Recipe, there: db.Sample, here: db.Sample) -> None:
    """The same noise but for a few photons."""
    assert there.image.device.type == DEVICE.type
    apart = (there.image.cpu() - here.image).abs()
    assert float((apart > 1e-4 * float(here.image.abs().max())).float().mean()) < PHOTONS
    if recipe.degrade.poisson is not None or recipe.degrade.gaussian is not None:
        assert float((there.image - there.clean).std()) > 0


@pytest.mark.parametrize("name", db.list_recipes("series"))
def test_series_are_the_same_bits(name: str) -> None:
    """They are worked out on the CPU and handed over."""
    here, there = db.generate(name, 3, ROWS[:4]), db.generate(name, 3, ROWS[:4], device=DEVICE)
    assert there.series.device.type == DEVICE.type
    for field in ("series", "clean", "label", "index"):
        assert torch.equal(getattr(there, field).cpu(), getattr(here, field)), field


@each_object
def test_objects_agree(name: str) -> None:
    batch = drawn(name, 20, torch.float64)
    moved = {key: values.to(DEVICE) for key, values in batch.items()}
    kind = db.OBJECTS[name]
    assert_near(kind.render(moved, GRID), kind.render(batch, GRID), rounding=1e-9)


@each_object
def test_gradients_agree(name: str) -> None:
    case = typical(name)
    smooth = case.smooth or tuple(case.parameters)

    def gradients(device: torch.device) -> list[Tensor]:
        values = {key: value.to(device) for key, value in tensors(case.parameters).items()}
        wanted = [values[key].requires_grad_() for key in smooth]
        light = case.kind.render(values, GRID).square().sum()
        return list(torch.autograd.grad(light, wanted))

    for found, expected in zip(gradients(DEVICE), gradients(torch.device("cpu")), strict=True):
        assert_near(found, expected, rounding=1e-8)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@each_object
def test_a_renderer_does_not_wait_for_the_gpu(name: str) -> None:
    kind, batch = db.OBJECTS[name], drawn(name, 4, torch.float32)
    record = kind.record(**{key: values.to(DEVICE) for key, values in batch.items()})
    kind.render_unchecked(record, GRID)  # compiled and loaded before
    torch.cuda.synchronize()
    with no_synchronisation():
        kind.render_unchecked(record, GRID)


def test_simulators_agree() -> None:
    def paths(device: torch.device) -> list[Tensor]:
        angle = torch.linspace(-2, 2, 9, dtype=torch.float64, device=device)
        mass = torch.ones(5, 3, dtype=torch.float64, device=device)
        place = torch.arange(30, dtype=torch.float64, device=device).view(5, 3, 2).sin()
        time = torch.linspace(0, 2, 6, dtype=torch.float64, device=device)
        options = {"softening": 0.3, "duration": 0.5, "steps": 3}
        return [
            pendulum.simulate(time, length=1.0, gravity=9.8, angle=angle).position,
            pendulum.simulate(time, length=1.0, gravity=9.8, angle=angle, friction=0.1).angle,
            hamiltonian.simulate(
                angle, length=1.0, gravity=9.8, duration=1.0, steps=3, substeps=4
            ).q,
            nbody.simulate(mass, place, 0 * place, **options).position,  # type: ignore[arg-type]
        ]

    for found, expected in zip(paths(DEVICE), paths(torch.device("cpu")), strict=True):
        assert_near(found, expected, rounding=1e-10)
