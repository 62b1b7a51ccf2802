"""Train the paper's networks: settings, runs and the training itself."""
