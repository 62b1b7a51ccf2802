"""The pendulum in phase space as a system of time series: angle q and momentum p."""

from collections.abc import Collection

import torch
from torch import Tensor

from deepbench_torch.physics import hamiltonian
from deepbench_torch.priors import Fixed
from deepbench_torch.priors.parameter import Parameter
from deepbench_torch.systems.gravity import (
    ANGLE,
    GRAVITY,
    LENGTH,
    MASS,
    as_sampled,
    gravity_of,
    needs_gravity,
)
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

FIELDS = {
    "length": LENGTH,
    "q": ANGLE,
    "p": Quantity("kg m^2 / s", Parameter("number", Fixed(0.0)), role="start"),
    **GRAVITY,
    "mass": MASS,
}
CHANNELS = [
    Channel("q", "q", "radian"),
    Channel("p", "p", "kg m^2 / s"),
    Channel("dq_dt", "dq_dt", "radian / s"),
    Channel("dp_dt", "dp_dt", "kg m^2 / s^2"),
]
TURN = 6.283185307179586  # [radian]


def needs(given: Collection[str], options: Options) -> list[str]:
    """Return all parameters, with the gravity that is given."""
    return needs_gravity(list(FIELDS), given)


def channels(slots: int, options: Options) -> list[Channel]:
    """Return angle, momentum and their rates."""
    return CHANNELS


def simulate(sampled: SampledSystems, setting: Setting) -> Record:
    """Return the paths of pendulums; parameters that vary act from their time to the next one."""
    if varies(FIELDS, sampled.parameters):
        return _step_by_step(sampled.parameters, setting)
    return _record(_simulate(sampled.parameters, setting), sampled.parameters)


def _simulate(parameters: Parameters, setting: Setting) -> hamiltonian.PhasePath[Tensor]:
    return hamiltonian.simulate(
        parameters["q"],
        parameters["p"],
        length=parameters["length"],
        gravity=gravity_of(parameters),
        mass=parameters["mass"],
        duration=setting.duration,
        steps=setting.steps,
        substeps=setting.substeps,
    )


def _step_by_step(parameters: Parameters, setting: Setting) -> Record:
    q, p = parameters["q"], parameters["p"]
    turned = torch.zeros_like(q)
    records = []
    for number in range(setting.steps + 1):
        now = at_time(FIELDS, parameters, number) | {"q": q, "p": p}
        path = _simulate(now, setting.one_step)
        record = _record(path, now)
        record.series[..., 0] += turned[:, None]
        records.append(Record(*(field[:, :1] for field in record)))
        q, p = path.q[:, 1].contiguous(), path.p[:, 1].contiguous()
        turns = (q / TURN).round() * TURN  # a step starts from an angle within half a turn
        q, turned = q - turns, turned + turns
    return Record(*(torch.cat(field, dim=1) for field in zip(*records, strict=True)))


def _record(path: hamiltonian.PhasePath[Tensor], parameters: Parameters) -> Record:
    mass, length = parameters["mass"][:, None], parameters["length"][:, None]
    speed = length * path.dq_dt
    kinetic = mass * speed * speed / 2
    return Record(
        series=torch.stack((path.q, path.p, path.dq_dt, path.dp_dt), dim=2),
        kinetic=kinetic,
        potential=path.energy - kinetic,
    )


HAMILTONIAN_PENDULUM = System(
    name="hamiltonian_pendulum",
    time_unit="s",
    energy_unit="J",
    fields=FIELDS,
    options={},
    memoryless=False,
    required=needs,
    phase_plane=("q", "p"),
    channels=channels,
    initial_state=as_sampled,
    simulate=simulate,
)
