"""Score predictions and record results."""
