"""A catalogue as NumPy arrays: images.npy (or series.npy) and labels.npy."""

from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.lib.format import open_memmap
from typing_extensions import override

from deepbench_torch.storage.contents import Contents
from deepbench_torch.storage.folder import RowFiles
from deepbench_torch.storage.parts import Part


@final
class NpyFiles(RowFiles):
    """Two arrays that `np.load(..., mmap_mode="r")` maps into memory."""

    def __init__(self, folder: Path, contents: Contents) -> None:
        super().__init__(folder, contents)
        self._arrays: dict[str, np.memmap[Any, Any]] = {}
        self._shapes: dict[str, list[int]] = {}

    @property
    def name(self) -> str:
        """The name of the array of rows."""
        return "images" if self.contents.recipe.content == "image" else "series"

    @override
    def write(self, part: Part, first: int) -> None:
        place = first - self.contents.rows.start
        for name, values in ((self.name, part.data), ("labels", part.tables["label"])):
            if name not in self._arrays:
                shape = (len(self.contents.rows), *values.shape[1:])
                self._shapes[name] = list(shape)
                self._arrays[name] = open_memmap(
                    self.folder / f"{name}.npy", mode="w+", dtype=values.dtype, shape=shape
                )
            self._arrays[name][place : place + len(values)] = values

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "npy", "arrays": self._shapes}

    @override
    def close(self) -> None:
        for array in self._arrays.values():
            array.flush()
        self._arrays.clear()
