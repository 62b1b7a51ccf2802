"""The systems of which the package makes time series: one explicit table.

====================  ===========================================  =========================
recipe                what moves                                   channels
====================  ===========================================  =========================
nbody                 2 to 5 bodies bound by their own gravity     x0 y0 vx0 vy0 x1 ...
pendulum              a pendulum at any amplitude                  angle velocity x y
hamiltonian_pendulum  the same in phase space, also over the top   q p dq_dt dp_dt
====================  ===========================================  =========================

Units are solar masses, au and years for `nbody`, else kg, m, s and radians; `recipe.unit(path)`
returns each. A slot without a body is zero everywhere.

The target `label` holds the parameters that differ between rows side by side, named in
`data.classes`; `parameters` has all by name, float32, and `data.samples(0).parameters` float64,
from which the simulators make `clean` again, bit for bit. `energy` has the energies. The total
energy of `nbody` is negative by construction: velocities are scaled to a sampled share, `virial`,
of the potential.

Noise is of the measurement, of the parameters, or of both, and changes no other number. That of
parameters is relative and sampled once for a series, or for every step: then each time of a
pendulum shows the swing of its own parameters, while in the other two they act until the next time.
The target `used` has what acted; `vector` and `index` are as for images.

The simulators alone, batched and differentiable, are `db.physics`: `nbody.simulate` (softened
gravity, leapfrog), `pendulum.simulate` (exact) and `hamiltonian.simulate` (symplectic, fourth
order). Three bodies on a figure of eight keep their energy to 2.4e-5 over 10,000 steps.

Example:
    >>> import deepbench_torch as db
    >>> data = db.Catalogue("nbody", size=5, target=["parameters", "clean", "energy"])
    >>> series, truth = data[0]
    >>> series.shape, truth["parameters"]["mass"].shape, truth["energy"]["total"].shape
    (torch.Size([201, 20]), torch.Size([5]), torch.Size([201]))
    >>> pendulum = db.load_recipe("pendulum").replace(
    ...     parameters={"gravity": None, "big_g": 6.674e-11, "phi": 1.47e11},
    ...     noise={"draw": "step", "parameters": {"phi": 0.1}, "measurement": {"angle": 0.01}},
    ... )
    >>> small = pendulum.replace(options={"method": "small_angle"})  # the harmonic oscillator
    >>> space = db.load_recipe("nbody").replace(options={"dimensions": 3})  # z0, vz0, ... too
"""

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
