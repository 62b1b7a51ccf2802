"""Catalogues on disk: writing them in several formats, and reading rows back bit for bit.

======  ============================================  ==========================================
format  written                                       read with, besides `StoredCatalogue`
======  ============================================  ==========================================
h5      one HDF5 file                                 h5py
npy     `images.npy` (or `series.npy`), `labels.npy`  `np.load(..., mmap_mode="r")`
jpeg    `train/0-star/000000.jpg` and so on, or       `torchvision.datasets.ImageFolder(folder,
        `images/000000.jpg` where a label has         allow_empty=True)`, Pillow
        several kinds
fits    `images/000000.fits`, float32, with the       astropy
        parameters of every object in the header
======  ============================================  ==========================================

An HDF5 file holds `image` or `series`, `label`, and in groups by kind and name `parameters/...`,
shape (N, slots) in pixels and radians, with `present/...`; conditions that vary are in
`conditions/...`. The attributes have recipe, seed, splits, versions and checksums: `describe`.

Beside the rows a folder holds `parameters.csv` (a line an object), `labels.csv`, `recipe.yaml` and
`metadata.json`, which suffice to generate it again: `reproduce` does so and finds identical bytes
of h5 and npy, and identical pixels of jpeg and fits.

- Files are written atomically: after a kill, a full disk or Ctrl-C the old file or the complete new
  file exists, and the same call resumes with what was done, after checking its checksums. If
  several processes request one file, one writes and the rest wait. The bytes do not depend on who
  writes them; `SOURCE_DATE_EPOCH` fixes the date too.
- `append` writes the catalogue of a larger size, to the byte; the splits are those of that size.
- Only files that this package wrote are replaced, as their metadata prove. Other files in a folder
  are kept, or the call is refused before anything changes. A card that finds another file in its
  place gets a longer name.
- A stranger's file or folder is safe to open: it reads nothing but itself.
- A catalogue of more than a gibibyte becomes a folder of shards beside a small file that shows them
  as one, to h5py as well.
- The card, `astro.md` with pictures in `astro_card/`, shows a gallery and the distribution of every
  label and parameter; with mlcroissant (`pip install '.[croissant]'`) it has Croissant metadata.
- The 8 bits of JPEG are asinh(x / softening), from the least to the largest brightness of a
  recipe's first images; a recipe without noise has x itself. `metadata.json` has the numbers, so
  that `StoredCatalogue` returns brightness, rounded to 8 bits.
- A Collection is a folder of HDF5 files; `Collection.open` reads it.

On many machines, `executor=` takes any `concurrent.futures.Executor`; all machines must see the
same folder, on a file system with locks (NFS 4, Lustre mounted with `flock`). With Dask on Slurm::

    cluster = SLURMCluster(cores=16, processes=16, memory="32GB", walltime="02:00:00",
                           job_script_prologue=["export OMP_NUM_THREADS=1"])
    cluster.scale(jobs=10)
    with Client(cluster) as client:
        materialize(catalogue, "/scratch/sky.h5", executor=client.get_executor())

submitit's executor waits in Slurm's queue, so give it few large shards::

    executor = submitit.AutoExecutor(folder="logs")
    executor.update_parameters(timeout_min=60, cpus_per_task=1, slurm_array_parallelism=200)
    materialize(catalogue, "/scratch/sky.h5", executor=executor, shard_rows=500_000)

A worker that dies is replaced and its shard generated again. A script that starts workers needs
`if __name__ == "__main__":` around the call.

Example:
    >>> import deepbench_torch as db, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> catalogue = db.Catalogue("star", size=20, image_size=8)
    >>> path = db.materialize(catalogue, folder.name + "/stars.h5", progress=False)
    >>> bool((db.StoredCatalogue(path)[3][0] == catalogue[3][0]).all())
    True
    >>> folder.cleanup()
"""

from deepbench_torch.storage.append import append
from deepbench_torch.storage.describe import describe
from deepbench_torch.storage.description import Description
from deepbench_torch.storage.hdf5.header import Header, read_header, stored_bytes
from deepbench_torch.storage.materialize import materialize
from deepbench_torch.storage.reproduce import Reproduction, reproduce
from deepbench_torch.storage.stored_catalogue import StoredCatalogue
from deepbench_torch.storage.suffixes import is_file_name
from deepbench_torch.storage.verify import verified, verified_folder, verified_header

__all__ = [
    "Description",
    "Header",
    "Reproduction",
    "StoredCatalogue",
    "append",
    "describe",
    "is_file_name",
    "materialize",
    "read_header",
    "reproduce",
    "stored_bytes",
    "verified",
    "verified_folder",
    "verified_header",
]
