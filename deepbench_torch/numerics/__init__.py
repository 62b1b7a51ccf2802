"""Exact arithmetic: random numbers, functions and checks with the same bits everywhere."""
