"""The paper's baselines: reproduced, recorded and measured."""
