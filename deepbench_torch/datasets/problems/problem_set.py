"""Problem set: its datasets, and scores of predictions on its test rows."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, final

import torch
from torch import Tensor

from deepbench_torch.datasets.base import PairDataset
from deepbench_torch.datasets.catalogue import Catalogue
from deepbench_torch.datasets.problems.definition import Definition, read_definition
from deepbench_torch.datasets.problems.wrong_labels import WrongLabels
from deepbench_torch.datasets.splits import Split
from deepbench_torch.numerics.checks import nearest
from deepbench_torch.numerics.row_numbers import check_seed
from deepbench_torch.recipes import Recipe
from deepbench_torch.recipes.paths import user_path

FOLDER = Path(__file__).parent
SCENE_KEPT = {"image", "degrade"}  # keys whose change leaves the scene as it is
ROWS = 1024  # rows whose labels are read at a time


def list_problems(label: Literal["class", "present"] | None = None) -> list[str]:
    """Return the names of the packaged problem sets, sorted.

    Args:
        label: "class" for the sets with one class an image, "present" for those with several
            labels; None for all.

    Raises:
        ValueError: If `label` is another value.

    Example:
        >>> import deepbench_torch as db
        >>> db.list_problems("class")
        ['astro', 'few', 'imbalance', 'label_noise', 'shift', 'shift_outlines', 'zoo']
    """
    if label not in (None, "class", "present"):
        raise ValueError(
            f"label: expected None, 'class' or 'present', got {label!r}; use one of these"
        )
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return [name for name in names if label is None or problem(name).recipe.label == label]


def problem(name: str | Path) -> "Problem":
    """Return a packaged problem set by name, or that of a YAML file.

    Args:
        name: A name of `list_problems`, or a path that ends in .yaml or .yml.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If there is no such set, or it is not valid.

    Example:
        >>> import deepbench_torch as db
        >>> image, label = db.problem("faint").test[0]
        >>> image.shape, label.shape
        (torch.Size([1, 64, 64]), torch.Size([3]))
    """
    if str(name) in list_problems():
        return Problem(read_definition(FOLDER / f"{name}.yaml"))
    if not str(name).endswith((".yaml", ".yml")):
        names = ", ".join(list_problems())
        raise ValueError(
            f"problem: expected a packaged name or a .yaml file, got {str(name)!r}; "
            f"{nearest(str(name), list_problems())}there are {names}"
        )
    return Problem(read_definition(user_path(name)))


@final
class Problem:
    """Problem set: datasets for training and test, and the score of predictions.

    The metric is the accuracy: the share of images with the right class, or with several labels
    the mean over labels of the share of images with that label right.

    Args:
        definition: Keys of its YAML file.

    Attributes:
        definition: Keys of its YAML file.
        name: Name of the set.
        description: One line on what the set asks.
        metric: Key of `score` by which networks are ranked.
        recipe: Recipe of the test rows.
    """

    metric = "accuracy"

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.name, self.description = definition.name, definition.description
        self.recipe = definition.load_recipe()
        self._training = definition.load_recipe(definition.train)
        self._shifted = {name: definition.load_recipe(c) for name, c in definition.domains.items()}
        _check_labels(self, {"train": self._training, **self._shifted})

    def __repr__(self) -> str:
        return f"Problem({self.name!r}: {self.description})"

    @cached_property
    def train(self) -> PairDataset:
        """Rows for training. With `wrong_labels`, `arrays` and `samples` have the true labels."""
        data = self._split("train")
        if self.definition.labels_per_class is None:
            return data
        return data[_first_of_each_class(data, self.definition.labels_per_class, self.name)]

    @cached_property
    def val(self) -> Catalogue:
        """Rows for validation."""
        return self._split("val")

    @cached_property
    def test(self) -> Catalogue:
        """Rows for test, whose labels a training must not use."""
        return self.sealed(self.definition.test_seed)

    @property
    def domains(self) -> list[str]:
        """Names of the shifted domains."""
        return list(self._shifted)

    def domain(self, name: str, *, paired: bool = False) -> Catalogue:
        """Return the test rows of a shifted domain.

        Args:
            name: A name of `domains`.
            paired: Whether the rows show the scenes of `test`, for a study image by image. By
                default they are other scenes, as in the adaptation to a domain.

        Raises:
            ValueError: If the set has no such domain, or `paired` is asked of a domain with other
                scenes.
        """
        if name not in self._shifted:
            known = ", ".join(self.domains) or "none"
            raise ValueError(
                f"domain: expected a domain of {self.name}, got {name!r}; "
                f"{nearest(name, self.domains)}there are: {known}"
            )
        if paired and not self.definition.domains[name].keys() <= SCENE_KEPT:
            raise ValueError(
                f"paired: expected a domain that changes image or degrade alone, got {name!r}, "
                "whose scenes differ; use paired=False"
            )
        seed = self.definition.test_seed + (0 if paired else 1 + self.domains.index(name))
        return Catalogue(self._shifted[name], size=self.definition.test_size, seed=seed)

    def sealed(self, seed: int) -> Catalogue:
        """Return as many test rows of another seed.

        A seed that is chosen after the weights, such as a part of the hash of their file, gives
        images that nobody could tune the weights to.

        Args:
            seed: Seed from 0 to 2**63 - 1, other than that of the training rows.

        Raises:
            ValueError: If the seed is out of range or that of the training rows.
        """
        seed = check_seed(seed)
        if seed == self.definition.seed:
            raise ValueError(
                f"seed: expected another seed than that of the training rows, got {seed}; use "
                "another number"
            )
        return Catalogue(self.recipe, size=self.definition.test_size, seed=seed)

    def labels(self, data: PairDataset | None = None) -> Tensor:
        """Return the true labels of all rows of a dataset, shape (N,) or (N, K).

        They are also true where the set has `wrong_labels`, as are those of `samples`.

        Args:
            data: One of the set's datasets; None for `test`.

        Raises:
            TypeError: If the data is no dataset, or of several recipes.
            ValueError: If it is empty, or of another problem set.
        """
        chosen = self._checked(data)
        return torch.cat([label for _, label in _label_batches(chosen)])

    def _checked(self, data: PairDataset | None) -> PairDataset:
        """Return the data of a score, `test` for None."""
        chosen = self.test if data is None else data
        if not isinstance(chosen, PairDataset):
            raise TypeError(
                f"data: expected a dataset of this set, got {type(chosen).__name__}; use "
                "problem.test or problem.domain(name), or rows of it"
            )
        if not len(chosen) or chosen.classes != self.recipe.classes:
            raise ValueError(
                f"data: expected one or more rows with the classes {', '.join(self.recipe.classes)}"
                f", got {len(chosen)} with {', '.join(chosen.classes)}; use rows of this set"
            )
        return chosen

    def _split(self, split: Split) -> Catalogue:
        """Return the rows of a split with the labels that they state."""
        own, change = self.definition, None
        if own.wrong_labels:
            change = WrongLabels(own.wrong_labels, len(self.recipe.classes), own.seed)
        return Catalogue(
            self._training,
            size=own.size,
            seed=own.seed,
            split=split,
            target=["label", "index"] if change else "label",
            target_transform=change,
        )

    def score(self, predictions: object, data: PairDataset | None = None) -> dict[str, float]:
        """Return the scores of predictions, by name.

        `accuracy` with `accuracy_low` and `accuracy_high`, its 95 % interval (Wilson 1927);
        `exact_match`, the share of images with every label right; `log_loss`, `brier` and
        `calibration_error` of the probabilities; `confident_50`, `confident_80` and `confident_90`,
        the accuracy on the surest 50, 80 and 90 % of images; and, for more than three classes,
        `top_2` and `top_3`. Except for `log_loss` and `brier`, all are from 0 to 1.

        Args:
            predictions: Probabilities, a tensor or an array of shape (N, K), one row for each row
                of the data. With one class an image, each row sums to 1.
            data: Data that the predictions are of; None for `test`.

        Raises:
            TypeError: If the data is no dataset, or of several recipes.
            ValueError: If the data is empty or of another problem set, or the predictions are not
                probabilities, or their shape is wrong.

        Example:
            >>> import deepbench_torch as db
            >>> zoo = db.problem("zoo")
            >>> rows = zoo.test[:90]
            >>> guess = torch.full((90, 9), 1 / 9)
            >>> round(zoo.score(guess, rows)["log_loss"], 3)  # log 9
            2.197
        """
        # torchmetrics takes seconds to import, which only scores need
        from deepbench_torch.datasets.problems.scores import all_scores, check_probabilities

        chosen = self._checked(data)
        one = self.recipe.label == "class"
        shape = (len(chosen), len(chosen.classes))
        probability = check_probabilities(predictions, shape=shape, sums=one)
        return all_scores(probability, self.labels(chosen))


def _check_labels(found: Problem, changed: Mapping[str, Recipe]) -> None:
    """Refuse changes of the classes, and keys that do not suit the label."""
    own, definition = found.recipe, found.definition
    for name, recipe in changed.items():
        if (recipe.label, recipe.classes) != (own.label, own.classes):
            raise ValueError(
                f"problem set {found.name}: {name}: expected the label {own.label!r} and the "
                f"classes {', '.join(own.classes)}, got {recipe.label!r} and "
                f"{', '.join(recipe.classes)}; change other keys, or `weights` for rare classes"
            )
    for key in ("labels_per_class", "wrong_labels"):
        if getattr(definition, key) and (own.label != "class" or len(own.classes) < 2):
            raise ValueError(
                f"problem set {found.name}: {key}: expected a recipe with label: class and two or "
                f"more classes, got {own.label!r} with {len(own.classes)}; omit the key"
            )


def _label_batches(data: PairDataset) -> Iterator[tuple[range, Tensor]]:
    """Yield indices and their labels, some rows at a time."""
    for start in range(0, len(data), ROWS):
        places = range(len(data))[start : start + ROWS]
        sample = data.samples(places)
        if isinstance(sample, Mapping):
            raise TypeError("data: expected rows of one recipe, got a sum; score each part alone")
        yield places, sample.label


def _first_of_each_class(data: Catalogue, count: int, name: str) -> list[int]:
    """Return the indices of the first rows of each class, in order."""
    missing, found = dict.fromkeys(range(len(data.classes)), count), []
    for places, labels in _label_batches(data):
        for place, label in zip(places, labels.tolist(), strict=True):
            if missing[label]:
                missing[label] -= 1
                found.append(place)
        if not any(missing.values()):
            return found
    raise ValueError(
        f"problem set {name}: labels_per_class: expected {count} rows of each class among "
        f"{len(data)} training rows, got fewer; use a larger size"
    )
