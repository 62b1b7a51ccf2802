"""A catalogue as NumPy arrays: images.npy (or series.npy) and labels.npy."""

import json
from pathlib import Path
from typing import IO, Any, final

import numpy as np
from numpy.lib.format import write_array_header_1_0
from typing_extensions import override

from deepbench_torch.storage.description import Description
from deepbench_torch.storage.formats.file_format import FileFormat
from deepbench_torch.storage.formats.folder import RowFiles, array_name, write_folder
from deepbench_torch.storage.formats.gather import gather
from deepbench_torch.storage.formats.rows import Indices, RowReader, label_shape
from deepbench_torch.storage.metadata import Metadata
from deepbench_torch.storage.trust import inside, mapped_array
from deepbench_torch.storage.work.chunks import Array, Chunk


@final
class NpyFiles(RowFiles):
    """Two arrays that `np.load(..., mmap_mode="r")` maps into memory."""

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        super().__init__(folder, metadata)
        self._files: dict[str, IO[bytes]] = {}
        self._shapes: dict[str, list[int]] = {}

    @override
    def write(self, chunk: Chunk, first: int) -> None:
        for name, values in (
            (array_name(self.metadata.recipe), chunk.data),
            ("labels", chunk.tables["label"]),
        ):
            if name not in self._files:
                self._files[name] = self._start(name, values)
            # not through mapped memory: a full disk would end the process
            self._files[name].write(np.ascontiguousarray(values).data)

    def _start(self, name: str, values: Array) -> IO[bytes]:
        """Return a new file of an array, open after its header."""
        shape = (len(self.metadata.rows), *values.shape[1:])
        self._shapes[name] = list(shape)
        file = (self.folder / f"{name}.npy").open("wb")
        header = {"descr": values.dtype.str, "fortran_order": False, "shape": shape}
        write_array_header_1_0(file, header)
        return file

    @override
    def finish(self) -> dict[str, Any]:
        return {"format": "npy", "arrays": self._shapes}

    @override
    def close(self) -> None:
        for file in self._files.values():
            file.close()


@final
class NpyRows(RowReader):
    """Rows of a folder of two arrays, mapped into memory.

    Args:
        stored: The catalogue.
    """

    def __init__(self, stored: Description) -> None:
        folder, recipe = stored.path, stored.recipe
        shape, dtype = label_shape(stored)
        data = inside(folder, f"{array_name(recipe)}.npy")
        float32 = np.dtype(np.float32)
        self._data = mapped_array(data, (len(stored.rows), *recipe.shape), float32)
        self._labels = mapped_array(inside(folder, "labels.npy"), shape, dtype)

    @override
    def read(self, indices: Indices) -> tuple[Array, Array]:
        return gather(self._data, indices), gather(self._labels, indices)


def _example(stored: Description) -> str:
    """Return code that maps both arrays into memory."""
    data, labels = (
        json.dumps(f"{stored.path.name}/{name}.npy")
        for name in (array_name(stored.recipe), "labels")
    )
    return (
        f'import numpy as np\n\ndata = np.load({data}, mmap_mode="r")\nlabels = np.load({labels})'
    )


def _info(stored: Description) -> dict[str, str]:
    """Return the shapes of the arrays."""
    data = (len(stored.rows), *stored.recipe.shape)
    labels = label_shape(stored)[0]
    return {"arrays": f"{array_name(stored.recipe)}.npy {data}, labels.npy {labels}"}


NPY = FileFormat(
    write=lambda job, path: write_folder(job, path, NpyFiles),
    open=NpyRows,
    example=_example,
    info=_info,
    suffixes=(".npy",),
)
