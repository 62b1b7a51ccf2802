"""Measurements of speed that require more than one call."""
