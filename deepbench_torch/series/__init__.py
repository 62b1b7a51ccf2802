"""Time series.

1. `simulate` samples the parameters of a system, simulates its motion and adds the noise of the
   measurement.
2. `targets` has the values that a dataset returns beside a series.
"""
