"""Problem sets: data for training and test, one metric, and scores of predictions.

A problem set is one YAML file: a recipe, or changes to one, the seeds and sizes of its training and
test rows, and the domains to which its test rows are shifted. `db.problem("zoo")` reads a packaged
one, `db.problem("mine.yaml")` one of your own::

    name: mine
    description: a star or a galaxy, in few photons
    recipe:
      extends: astro
      objects: {spiral: null}
      degrade: {poisson: {exposure: 25}}

Its `train`, `val` and `test` are datasets, and its `score` compares networks.

Example:
    >>> import deepbench_torch as db
    >>> zoo = db.problem("zoo")
    >>> len(zoo.train), len(zoo.val), len(zoo.test), len(zoo.test.classes)
    (6000, 2000, 20000, 9)
"""

from deepbench_torch.datasets.problems.problem_set import Problem, list_problems, problem

__all__ = ["Problem", "list_problems", "problem"]
