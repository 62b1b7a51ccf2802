"""Native rows: compiled kernels that make images on a CPU, the same bits on every CPU.

`plan` turns a recipe into arrays, `rows` has the kernels that Python calls, and `run` calls them.
`scene` samples scenes, `light` renders objects, `blur`, `noise` and `poisson` degrade images;
`bodies` follows N bodies.
Kernels use IEEE additions, multiplications, divisions and square roots alone, in one order. numba
is imported when the first row is made.
"""
