"""Training with Lightning: data module, networks and their schedule."""
