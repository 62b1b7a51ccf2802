"""The systems whose motion the package can record: one explicit table."""

from deepbench_torch.systems.pendulum import PENDULUM
from deepbench_torch.systems.system import Channel, Clock, Quantity, Record, System

SYSTEMS: dict[str, System] = {system.name: system for system in (PENDULUM,)}

__all__ = ["SYSTEMS", "Channel", "Clock", "Quantity", "Record", "System"]
