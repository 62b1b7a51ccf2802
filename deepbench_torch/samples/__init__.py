"""Samples: rows of a catalogue with all that is true of them, as `generate` gives them."""

from deepbench_torch.samples.base import AbstractSample as AbstractSample
from deepbench_torch.samples.base import own_rows as own_rows
from deepbench_torch.samples.base import row_dicts as row_dicts
from deepbench_torch.samples.base import vector_rows as vector_rows
from deepbench_torch.samples.image import PresentTables as PresentTables
from deepbench_torch.samples.image import Sample as Sample
from deepbench_torch.samples.image import SceneTables as SceneTables
from deepbench_torch.samples.series import SeriesSample as SeriesSample
