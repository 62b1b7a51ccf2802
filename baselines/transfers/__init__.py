"""Transfer of features to images that this package did not make: targets, sources, probes."""
