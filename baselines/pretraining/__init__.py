"""Pre-training of networks on several recipes and tasks together."""
