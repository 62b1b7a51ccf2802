"""Simulated motion, as pure functions: bodies under their own gravity."""

from deepbench_torch.physics import nbody

__all__ = ["nbody"]
