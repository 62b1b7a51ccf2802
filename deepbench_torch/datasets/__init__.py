"""Datasets: catalogues, their splits, collections and streams."""

from deepbench_torch.datasets.base import PairDataset, PairTransform, Transform
from deepbench_torch.datasets.catalogue import Catalogue, RowDataset
from deepbench_torch.datasets.splits import LARGEST_SIZE, Split, split_rows

__all__ = [
    "LARGEST_SIZE",
    "Catalogue",
    "PairDataset",
    "PairTransform",
    "RowDataset",
    "Split",
    "Transform",
    "split_rows",
]
