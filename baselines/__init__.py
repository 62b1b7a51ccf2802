"""The paper's baselines: reproduced, recorded and measured.

- `python -m baselines.reproduce astro` (or `sky`, `geometric`, `all`) trains ResNet50 as the paper
  does and adds a line to `results.csv`; `--seeds 0 1 2` makes several runs, `--stream` generates
  every training batch instead of repeating 6,000 images. A stopped run resumes after its last
  epoch. What the paper leaves open is chosen once in `runs.yaml`, with reasons. A run's folder
  holds its checkpoint, configuration, log and pictures: the learning curve, the confusion matrix,
  the most confident mistakes with all parameters, and accuracy against signal to noise, size and
  overlap.
- `python -m baselines.score FILE` scores predictions again, of this package or of another network:
  a CSV whose head names recipe and seed, from which the truth follows. `--pictures FOLDER` adds the
  pictures. Predictions of recorded runs are in `predictions`.
- `python -m baselines.diagnose sky` trains a small network (four convolutions, 32,000 fresh images)
  on each rung of a recipe's ladder and names the rung that costs most skill, the accuracy on a
  scale from chance to perfection, beyond 95 % intervals. With seeds 0, 1 and 2 it takes ten minutes
  on one core.
- `python -m baselines.pretrain small_multitask` trains a network whose weights the package holds,
  on fresh images of several recipes, on classes and parameters together. The settings are in
  `pretrain.yaml`.
- `python -m baselines.transfer` tests the features of these weights on images of another origin
  and writes `transfer.csv`; `pip install deepbench_torch[transfer]` brings the images.
- `python -m baselines.report` writes the table of the README.
- `python -m baselines.speed` measures speed; all ratios come from one run.

Measured speeds beside those of the README:

- Two threads make 1.95 times as many `sky` images as one. A ConcatDataset of `sky` behind a stock
  DataLoader reads 26,000 images a second without workers, 32,000 with two, 33,000 with four; a
  worker has 295 MiB of its own. A stored `astro` catalogue reads at 480,000 to 540,000 a second.
- A scene of stars and galaxies takes GalSim 8 to 9 times as long (340 us); the released DeepBench
  takes 3.3 ms for three objects of 64 x 64 and 213 ms for three shapes of 256 x 256, as recorded.
- The import takes 0.2 s beyond torch's. The first row compiles kernels for the CPU, 13 s once for a
  version of the package, and loads them in 0.5 s afterwards. They are kept in `NUMBA_CACHE_DIR` if
  that is set, else beside the package, in the user's cache or in a temporary folder.
- On a GPU (H100, torch 2.11) tensors render `astro` in 17 to 29 us an image, `sky` in 33 to 59 us
  and `geometric` in 31 to 44 us in batches of 256, the less the faster the host.
"""
