"""Configurations of the package released with the paper, as recipes of this one."""

from deepbench_torch.convert.configuration import Conversion, convert

__all__ = ["Conversion", "convert"]
