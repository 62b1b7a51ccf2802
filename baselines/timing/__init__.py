"""Measure speeds that need more than one call."""
