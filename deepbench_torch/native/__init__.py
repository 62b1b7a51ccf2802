"""Native rows: compiled kernels that make images on a CPU, the same bits on every CPU.

`plan` turns a recipe into the arrays of `records`, `rows` has the kernels that Python calls, and
`run` calls them. `scene` samples scenes, `light` renders objects, and `spread`, `noise` and
`poisson` degrade them, in the order of `observe`. `bodies` simulates N bodies.

Kernels use IEEE additions, multiplications, divisions and square roots alone, in one order. numba
is imported when the first row is made.
"""

from deepbench_torch.physics import nbody


def _load_leapfrog() -> nbody.Leapfrog:
    from deepbench_torch.native import bodies  # numba takes half a second to import

    return bodies.leapfrog


nbody.Kernel.load = _load_leapfrog
