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
"""
