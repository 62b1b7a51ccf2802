"""Train the networks of the paper: settings, runs and training."""
