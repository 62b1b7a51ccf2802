"""Simulated motion, as pure functions: bodies under their own gravity, and pendulums."""

from deepbench_torch.physics import hamiltonian, nbody, pendulum

__all__ = ["hamiltonian", "nbody", "pendulum"]
