"""Explain a run: learning curves, mistakes and the dependence of accuracy on parameters."""
