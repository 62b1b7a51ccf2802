"""The systems of which the package makes time series: one explicit table."""

from deepbench_torch.systems.hamiltonian import HAMILTONIAN_PENDULUM
from deepbench_torch.systems.nbody import NBODY
from deepbench_torch.systems.pendulum import PENDULUM
from deepbench_torch.systems.system import (
    Channel,
    Quantity,
    Record,
    SampledSystems,
    Setting,
    System,
)

SYSTEMS: dict[str, System] = {
    system.name: system for system in (NBODY, PENDULUM, HAMILTONIAN_PENDULUM)
}

__all__ = ["SYSTEMS", "Channel", "Quantity", "Record", "SampledSystems", "Setting", "System"]
