"""Bodies under their own gravity as a system of time series, bound by construction."""

import math
from collections.abc import Collection
from functools import reduce
from itertools import combinations

import torch
from torch import Tensor

from deepbench_torch.numerics import exact_math
from deepbench_torch.physics import nbody, ranges
from deepbench_torch.priors import Fixed, Integer, LogUniform, Uniform
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.systems.system import (
    Channel,
    Options,
    Parameters,
    Quantity,
    Record,
    SampledSystems,
    Setting,
    System,
    at_time,
    varies,
)

MOST_BODIES = 64
COORDINATE = Quantity("au", Parameter("number", Uniform(-1.0, 1.0)), role="start", slots=True)
SPEED = Quantity("au / yr", Parameter("number", Uniform(-1.0, 1.0)), role="start", slots=True)
FIELDS = {
    "bodies": Quantity(
        "",
        Parameter(
            "number",
            Integer(2, 5),
            ge=1.0,
            le=MOST_BODIES,
            whole=True,
            remedy="a system has a body, and forces grow with the square of their number",
        ),
        role="design",
    ),
    "mass": Quantity(
        "solar mass",
        Parameter("number", LogUniform(0.2, 1.0), gt=0.0, remedy="leave an absent body out"),
        slots=True,
    ),
    "x": COORDINATE,
    "y": COORDINATE,
    "z": COORDINATE,
    "vx": SPEED,
    "vy": SPEED,
    "vz": SPEED,
    "rotation": Quantity("", Parameter("number", Uniform(-2.0, 2.0)), role="design"),
    "virial": Quantity(
        "",
        Parameter(
            "number",
            Uniform(0.3, 0.5),
            ge=0.0,
            lt=1.0,
            remedy="it is the kinetic by the potential energy, and at 1 nothing holds the bodies",
        ),
        role="design",
    ),
    "gravity": Quantity(
        "au^3 / (solar mass yr^2)",
        Parameter("number", Fixed(4 * math.pi**2), **ranges.GRAVITATION._asdict()),
    ),
    "softening": Quantity(
        "au",
        Parameter("number", Fixed(0.2), **ranges.SOFTENING._asdict()),
    ),
    "damping": Quantity(
        "1 / yr",
        Parameter("number", Fixed(0.0), **ranges.DRAG._asdict()),
    ),
}


def needs(given: Collection[str], options: Options) -> list[str]:
    """Return all parameters, in a plane without z and vz."""
    return [name for name in FIELDS if options["dimensions"] == 3 or name not in ("z", "vz")]


def channels(slots: int, options: Options) -> list[Channel]:
    """Return position and velocity, body after body."""
    names = _axes(options) + [f"v{axis}" for axis in _axes(options)]
    return [
        Channel(f"{name}{slot}", name, FIELDS[name].unit, slot)
        for slot in range(slots)
        for name in names
    ]


def initial_state(sampled: dict[str, Tensor], options: Options) -> SampledSystems:
    """Return bound systems in the frame of their centre of mass, from samples of the priors.

    Places are moved to that frame. A body's speed is the same share of what it takes to escape from
    the others as every other body's; it goes along the sum of what was sampled and `rotation` times
    the way round the centre. Velocities too are moved to that frame and then scaled until the
    kinetic energy is `virial` times the size of the potential energy. As that is less than 1 the
    total energy is negative. Only sums, products, quotients and square roots are taken, so the bits
    are the same on every machine.
    """
    axes = _axes(options)
    present = (
        torch.arange(sampled["mass"].shape[1], dtype=torch.int64, device="cpu")
        < sampled["bodies"][:, None]
    )
    mass = torch.where(present, sampled["mass"], 0.0)
    position = [_centred(sampled[axis], mass, present=present) for axis in axes]
    depth = _depth(mass, position, sampled=sampled)
    directions = _directions(sampled, position)
    velocity = [
        _centred(part * exact_math.sqrt(depth), mass, present=present) for part in directions
    ]
    kinetic = _total(mass * _squared(velocity)) / 2
    wanted = sampled["virial"] * _total(mass * depth) / 2
    still = kinetic == 0
    share = torch.where(still, 0.0, wanted / torch.where(still, 1.0, kinetic))
    scale = exact_math.sqrt(share)[:, None]
    motion = dict(zip(axes, position, strict=True))
    motion |= {f"v{axis}": part * scale for axis, part in zip(axes, velocity, strict=True)}
    return SampledSystems({**sampled, "mass": mass, **motion}, present)


def simulate(sampled: SampledSystems, setting: Setting) -> Record:
    """Return the paths of systems; parameters that vary act from their time to the next one."""
    axes = _axes(setting.options)
    position = torch.stack([sampled.parameters[axis] for axis in axes], dim=2)  # (B, slots, D)
    speed = torch.stack([sampled.parameters[f"v{axis}"] for axis in axes], dim=2)
    if varies(FIELDS, sampled.parameters):
        motion = _step_by_step(sampled.parameters, setting, position=position, speed=speed)
    else:
        motion = _simulate(sampled.parameters, setting, position=position, speed=speed)
    columns = torch.cat((motion.position, motion.velocity), dim=3)  # (B, T, slots, 2 D)
    if sampled.present is not None:
        columns = torch.where(sampled.present[:, None, :, None], columns, 0.0)
    return Record(columns.flatten(2), motion.kinetic, motion.potential)


def _simulate(
    parameters: Parameters, setting: Setting, *, position: Tensor, speed: Tensor
) -> nbody.Trajectory[Tensor]:
    return nbody.simulate(
        parameters["mass"],
        position,
        speed,
        gravity=parameters["gravity"],
        softening=parameters["softening"],
        damping=parameters["damping"],
        duration=setting.duration,
        steps=setting.steps,
        substeps=setting.substeps,
    )


def _step_by_step(
    parameters: Parameters, setting: Setting, *, position: Tensor, speed: Tensor
) -> nbody.Trajectory[Tensor]:
    records = []
    for number in range(setting.steps + 1):
        now = at_time(FIELDS, parameters, number)
        motion = _simulate(now, setting.one_step, position=position, speed=speed)
        records.append([field[:, :1] for field in motion[1:]])
        position, speed = motion.position[:, 1], motion.velocity[:, 1]
    record = (torch.cat(field, dim=1) for field in zip(*records, strict=True))
    return nbody.Trajectory(motion.time, *record)


def _axes(options: Options) -> list[str]:
    return ["x", "y", "z"] if options["dimensions"] == 3 else ["x", "y"]


def _centred(values: Tensor, mass: Tensor, *, present: Tensor) -> Tensor:
    """Return values less their mean by mass, shape (B, slots); 0 where no body is."""
    mean = _total(values * mass) / _total(mass)
    return torch.where(present, values - mean[:, None], 0.0)


def _directions(sampled: Parameters, position: list[Tensor]) -> list[Tensor]:
    """Return unit vectors along the sampled velocities and the turn round the centre."""
    radius = exact_math.sqrt(_squared(position[:2]))
    spin = sampled["rotation"][:, None] / torch.where(radius > 0, radius, 1.0)
    turn = [-position[1] * spin, position[0] * spin, torch.zeros_like(radius)]
    velocity = [
        sampled[f"v{axis}"] + part for axis, part in zip("xyz", turn[: len(position)], strict=False)
    ]
    size = exact_math.sqrt(_squared(velocity))
    return [part / torch.where(size > 0, size, 1.0) for part in velocity]


def _depth(mass: Tensor, position: list[Tensor], *, sampled: Parameters) -> Tensor:
    """Return how deep each body lies in the potential of the others, softened, shape (B, slots)."""
    softening2 = sampled["softening"] * sampled["softening"]
    depth = list(torch.zeros_like(mass).unbind(1))
    for one, other in combinations(range(mass.shape[1]), 2):
        apart = [part[:, one] - part[:, other] for part in position]
        closeness = sampled["gravity"] / exact_math.sqrt(_squared(apart) + softening2)
        depth[one] = depth[one] + mass[:, other] * closeness
        depth[other] = depth[other] + mass[:, one] * closeness
    return torch.stack(depth, dim=1)


def _squared(parts: list[Tensor]) -> Tensor:
    return reduce(torch.add, (part * part for part in parts))


def _total(values: Tensor) -> Tensor:
    """Return the sum over slots, one after another: `Tensor.sum` picks an order by shape."""
    return reduce(torch.add, values.unbind(1))


NBODY = System(
    name="nbody",
    time_unit="yr",
    energy_unit="solar mass au^2 / yr^2",
    fields=FIELDS,
    options={"dimensions": (2, 3)},
    memoryless=False,
    required=needs,
    phase_plane=("x", "y"),
    channels=channels,
    initial_state=initial_state,
    simulate=simulate,
)
