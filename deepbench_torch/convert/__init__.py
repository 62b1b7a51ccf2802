"""Conversion of configurations of the package released with the paper to recipes."""

from deepbench_torch.convert.configuration import Conversion, convert

__all__ = ["Conversion", "convert"]
