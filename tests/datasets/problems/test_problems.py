"""Problem sets: their rows, domains and files; scikit-learn is the oracle of scores."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from typer.testing import CliRunner

import deepbench_torch as db
from deepbench_torch.cli import app

ROWS = 300
PAPER = ("astro", "sky", "geometric")
each_problem = pytest.mark.parametrize("name", db.list_problems())


def guesses(rows: int, classes: int, *, several: bool = False) -> Tensor:
    logits = 3 * torch.randn(rows, classes, generator=torch.Generator().manual_seed(5))
    return logits.sigmoid() if several else logits.softmax(1)


@each_problem
def test_a_set_has_disjoint_rows_of_the_stated_number(name: str) -> None:
    found = db.problem(name)
    assert found.name == name
    assert len(found.test) == 20_000
    assert len(found.val) == 2_000
    assert len(found.train) == (30 if name == "few" else 6_000)
    assert found.test.seed != found.val.seed
    assert found.test.classes == found.train.classes == found.val.classes
    image, label = found.test[0]
    assert image.shape == found.recipe.shape
    truth = db.generate(found.recipe, 1_000_003, torch.arange(1))
    assert torch.equal(image, truth.image[0])
    assert torch.equal(torch.as_tensor(label), truth.label[0])


@each_problem
def test_certain_and_right_answers_have_the_best_scores(name: str) -> None:
    found = db.problem(name)
    rows = found.test[:ROWS]
    labels = found.labels(rows)
    several = labels.dim() == 2
    classes = len(rows.classes)
    perfect = labels if several else torch.nn.functional.one_hot(labels, classes)
    scores = found.score(perfect.float(), rows)
    low, error = scores.pop("accuracy_low"), ("brier", "log_loss", "calibration_error")
    assert 0.98 < low < 1
    for key, score in scores.items():
        assert score == pytest.approx(0.0 if key in error else 1.0, abs=1e-5), key
    assert ("top_3" in scores) == (not several and classes > 3)


def test_scores_of_one_class_are_those_of_scikit_learn() -> None:
    zoo = db.problem("zoo")
    rows, p = zoo.test[:ROWS], guesses(ROWS, 9)
    label, scores = zoo.labels(rows).numpy(), zoo.score(p, rows)
    wide = p.double().numpy()
    wide /= wide.sum(1, keepdims=True)
    for k, key in ((1, "accuracy"), (2, "top_2"), (3, "top_3")):
        top = metrics.top_k_accuracy_score(label, wide, k=k, labels=range(9))
        assert scores[key] == pytest.approx(top)
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(label, wide, labels=range(9)), 1e-5)
    assert scores["brier"] == pytest.approx(((wide - np.eye(9)[label]) ** 2).sum(1).mean(), 1e-5)
    right, sure = wide.argmax(1) == label, wide.max(1)
    for percent in (50, 80, 90):
        surest = np.argsort(-sure)[: ROWS * percent // 100]
        assert scores[f"confident_{percent}"] == pytest.approx(right[surest].mean())
    bins = np.minimum((sure * 15).astype(int), 14)
    gaps = [abs(right[bins == b].sum() - sure[bins == b].sum()) for b in range(15)]
    assert scores["calibration_error"] == pytest.approx(sum(gaps) / ROWS, abs=1e-5)


def test_scores_of_several_labels_are_those_of_scikit_learn() -> None:
    faint = db.problem("faint")
    rows, p = faint.test[:ROWS], guesses(ROWS, 3, several=True)
    label, scores = faint.labels(rows).numpy(), faint.score(p, rows)
    wide, answer = p.double().numpy(), p.numpy() > 0.5
    assert scores["accuracy"] == pytest.approx((answer == (label > 0.5)).mean())
    assert scores["exact_match"] == pytest.approx(metrics.accuracy_score(label > 0.5, answer))
    columns = [metrics.log_loss(label[:, k], wide[:, k], labels=[0, 1]) for k in range(3)]
    assert scores["log_loss"] == pytest.approx(sum(columns), 1e-5)
    columns = [metrics.brier_score_loss(label[:, k], wide[:, k]) for k in range(3)]
    assert scores["brier"] == pytest.approx(sum(columns), 1e-5)
    order = np.argsort(-np.maximum(wide, 1 - wide).prod(1))
    for percent in (50, 80, 90):
        surest = order[: ROWS * percent // 100]
        right = (answer == (label > 0.5))[surest].mean()
        assert scores[f"confident_{percent}"] == pytest.approx(right)
    bins = np.minimum((wide * 15).astype(int), 14)
    gaps = [abs(label[bins == b].sum() - wide[bins == b].sum()) for b in range(15)]
    assert scores["calibration_error"] == pytest.approx(sum(gaps) / wide.size, abs=1e-5)
    assert "top_2" not in scores


@pytest.mark.parametrize(
    ("predictions", "rule"),
    [
        (torch.full((299, 9), 1 / 9), r"the shape \(300, 9\), .*, got \(299, 9\)"),
        (torch.full((300, 3), 1 / 3), r"the shape \(300, 9\), .*, got \(300, 3\)"),
        (torch.zeros(300, 9), "probabilities that sum to 1, got .* in row 0; use softmax"),
        (torch.full((300, 9), float("nan")), "probabilities that sum to 1"),
        (torch.eye(9)[torch.arange(300) % 9] * 2 - 1 / 9, "probabilities that sum to 1"),
        (np.full((300, 9), 1 / 9, dtype=np.float16) * 2, "probabilities that sum to 1"),
    ],
)
def test_predictions_that_are_no_probabilities_are_refused(predictions: object, rule: str) -> None:
    zoo = db.problem("zoo")
    with pytest.raises(ValueError, match=f"^predictions: expected {rule}"):
        zoo.score(predictions, zoo.test[:300])


@pytest.mark.parametrize(
    "predictions", [None, "zoo", [[0.5], [0.5, 0.5]], object(), torch.ones(2, 9) > 0]
)
def test_predictions_that_are_no_numbers_are_refused(predictions: object) -> None:
    zoo = db.problem("zoo")
    with pytest.raises(ValueError, match=r"^predictions: expected real numbers, got"):
        zoo.score(predictions, zoo.test[:2])


def test_data_of_another_set_are_refused() -> None:
    zoo, guess = db.problem("zoo"), torch.eye(9)[:2]
    assert zoo.score(guess * 1.0000001, zoo.test[:2])["accuracy"] >= 0
    for wrong in (db.problem("astro").test[:2], zoo.test[:0]):
        with pytest.raises(ValueError, match=r"^data: expected one or more rows with the cl"):
            zoo.score(guess, wrong)
    with pytest.raises(TypeError, match=r"^data: expected rows of one recipe, got a sum"):
        zoo.labels(zoo.test + zoo.sealed(5))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^data: expected a dataset of this set, got str"):
        zoo.labels("test")  # type: ignore[arg-type]


def test_only_domains_with_the_same_scenes_are_paired(tmp_path: Path) -> None:
    large, small = "{objects: {star: {gamma: 0.2}}}", "{image: {height: 14, width: 14}}"
    change = f"\ndomains: {{large: {large}, small: {small}}}"
    file = tmp_path / "mine.yaml"
    file.write_text(OWN + change)
    mine = db.problem(file)
    with pytest.raises(ValueError, match=r"^paired: expected a domain that changes image or"):
        mine.domain("large", paired=True)
    assert mine.domain("small", paired=True)[0][0].shape == (1, 14, 14)


def test_recipes_are_found_beside_the_set(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("extends: astro\nname: base\nobjects: {star: null}\n")
    file = tmp_path / "mine.yaml"
    for recipe in ("base.yaml", "{extends: base.yaml, degrade: null}"):
        file.write_text(f"name: mine\ndescription: x\nsize: 100\nrecipe: {recipe}\n")
        assert db.problem(file).test.classes == ["galaxy", "spiral"]


def test_few_has_the_first_rows_of_each_class() -> None:
    few = db.problem("few")
    labels = few.labels(few.train)
    assert labels.bincount().tolist() == [10, 10, 10]
    first = db.generate("astro", 0, torch.arange(200)).label
    expected = torch.cat([(first == k).nonzero()[:10, 0] for k in range(3)]).sort().values.tolist()
    assert [int(few.train.with_target("index")[k][1]) for k in range(30)] == expected


def test_imbalance_is_in_training_alone() -> None:
    found = db.problem("imbalance")
    share = (found.labels(found.train) == found.train.classes.index("galaxy")).double().mean()
    assert abs(float(share) - 0.05) < 4 * (0.05 * 0.95 / 6_000) ** 0.5
    share = (found.labels(found.test[:4_000]) == 1).double().mean()
    assert abs(float(share) - 0.5) < 4 * 0.5 / 4_000**0.5


def test_a_fifth_of_the_training_labels_is_wrong_evenly() -> None:
    found = db.problem("label_noise")
    true = found.labels(found.train)
    stated = torch.tensor([label for _, label in found.train[:]])
    # as recorded: other wrong labels would void every result
    recorded = "022021202211010202011020120010"
    assert "".join(map(str, stated[:30].tolist())) == recorded
    wrong = stated != true
    assert abs(float(wrong.double().mean()) - 0.2) < 4 * (0.2 * 0.8 / 6_000) ** 0.5
    # each of the two other classes equally often: chi-squared of 6 pairs, 99.99 %
    pairs = (3 * true + stated)[wrong].bincount(minlength=9).double()
    expected = (true[wrong].bincount(minlength=3).double() / 2).repeat_interleave(3)
    apart = torch.ones(3, 3).fill_diagonal_(0).flatten().bool()
    assert float(((pairs - expected) ** 2 / expected)[apart].sum()) < 20
    assert pickle.loads(pickle.dumps(found.train))[17][1] == int(stated[17])  # noqa: S301
    # and, with other rows, in validation
    stated = torch.tensor([label for _, label in found.val[:]])
    share = float((stated != found.labels(found.val)).double().mean())
    assert abs(share - 0.2) < 4 * (0.2 * 0.8 / 2_000) ** 0.5
    test = found.test[:200]
    assert [label for _, label in test] == found.labels(test).tolist()


@pytest.mark.parametrize(
    ("name", "domain"), [(n, d) for n in db.list_problems() for d in db.problem(n).domains]
)
def test_a_domain_shows_the_same_scenes_only_if_paired(name: str, domain: str) -> None:
    found = db.problem(name)
    source, paired = found.test.samples(range(20)), found.domain(domain, paired=True)
    assert torch.equal(paired.samples(range(20)).label, source.label)
    assert torch.equal(paired.samples(range(20)).clean, source.clean) == (domain != "blurred")
    assert not torch.equal(paired[0][0], found.test[0][0])
    assert found.domain(domain).seed not in {found.test.seed, found.val.seed}
    assert len(found.domain(domain)) == len(found.test)


def test_the_domains_have_the_values_of_the_recipes_that_were_tried() -> None:
    shift = db.problem("shift")
    shallow = db.load_recipe("astro").replace(degrade={"poisson": {"exposure": 25}})
    assert shift.domain("shallow").recipe.digest == shallow.digest
    blurred = db.load_recipe("astro").replace(degrade={"blur": {"sigma": 0.07}})
    assert shift.domain("blurred").recipe.digest == blurred.digest


def test_zoo_has_the_objects_of_astro_and_six_shapes() -> None:
    zoo, astro = db.problem("zoo").recipe, db.load_recipe("astro")
    shapes = ["ellipse", "circle", "rectangle", "polygon", "arc", "line"]
    assert zoo.classes == [*astro.classes, *shapes]
    assert zoo.replace(name="astro", objects=dict.fromkeys(shapes)).digest == astro.digest


def test_sealed_rows_are_other_rows() -> None:
    zoo = db.problem("zoo")
    sealed = zoo.sealed(2**63 - 1)
    assert len(sealed) == len(zoo.test)
    assert not torch.equal(sealed[0][0], zoo.test[0][0])
    assert torch.equal(sealed[3][0], db.generate(zoo.recipe, 2**63 - 1, torch.tensor([3])).image[0])
    with pytest.raises(ValueError, match=r"^seed: expected another seed than that of the training"):
        zoo.sealed(0)
    with pytest.raises(ValueError, match=r"^seed"):
        zoo.sealed(-1)


OWN = """
name: mine
description: a star or a galaxy, in few photons
recipe: {extends: astro, objects: {spiral: null}, degrade: {poisson: {exposure: 25}}}
size: 500
test_size: 100
"""


def test_a_set_of_ones_own_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(OWN)
    mine = db.problem(file)
    assert (len(mine.train), len(mine.val), len(mine.test)) == (300, 100, 100)
    assert mine.test.classes == ["star", "galaxy"]
    assert repr(mine) == "Problem('mine': a star or a galaxy, in few photons)"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("sead: 3", r"mine\.yaml: sead: expected one of the keys .* did you mean .seed"),
        ("test_seed: 0", "expected another seed than those of the test rows, 0 to 0"),
        ("seed: 7\ntest_seed: 5\ndomains: {a: {}, b: {}}", "of the test rows, 5 to 7, got 7"),
        (f"test_seed: {2**63 - 1}\ndomains: {{a: {{}}}}", "less the number of domains"),
        ("test_size: 3", "mine.yaml: test_size: "),
        ("labels_per_class: 290", "expected 290 rows of each class among 300 training rows"),
        ("recipe: nbody", "expected a recipe of images, got nbody of time series"),
        ("recipe: {extends: sky}\nlabels_per_class: 3", "expected a recipe with label: class"),
        ("recipe: star\nwrong_labels: 0.5", "two or more classes, got 'class' with 1"),
        ("wrong_labels: '0.2'", "mine.yaml: wrong_labels: "),
        (
            "train: {objects: {star: null}}",
            "train: expected the label .* and the classes star",
        ),
        ("train: {label: present}", "train: expected the label 'class'"),
        ("domains: {b: {objects: {star: null}}}", "b: expected the label 'class' and the classes"),
        ("recipe: {extends: sky}\nwrong_labels: 0.1", "wrong_labels: expected a recipe with label"),
        ("wrong_labels: 1.0", "mine.yaml: wrong_labels: "),
        ("recipe: {extends: [astro]}", "recipe.extends: expected the name of a recipe or a YAML"),
        ("recipe: {extends: astro, cuont: 2}", "cuont"),
        ("domains: {dim: {degrade: {poisson: {exposure: -1}}}}", "exposure"),
    ],
)
def test_a_wrong_file_is_refused(change: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    lines = [line for line in OWN.splitlines() if line.split(":")[0] != change.split(":")[0]]
    file.write_text("\n".join([*lines, change]))
    with pytest.raises((ValueError, TypeError), match=rule):
        _ = db.problem(file).train


@pytest.mark.parametrize("text", ["", "- name", "3"])
def test_a_file_without_keys_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"^mine\.yaml: expected a mapping of keys to values"):
        db.problem(file)


def test_sets_are_listed_by_label() -> None:
    one, several = db.list_problems("class"), db.list_problems("present")
    assert sorted(one + several) == db.list_problems()
    assert set(PAPER) < {*one, *several}
    with pytest.raises(ValueError, match=r"^label: expected None, .*, got 'clas'"):
        db.list_problems("clas")  # type: ignore[arg-type]


def test_an_unknown_name_has_a_hint() -> None:
    with pytest.raises(ValueError, match=r"a \.yaml file, got 'zooo'; did"):
        db.problem("zooo")
    with pytest.raises(ValueError, match=r"^domain: .* of shift, got 'blured'; did you"):
        db.problem("shift").domain("blured")
    with pytest.raises(ValueError, match=r"there are: none$"):
        db.problem("zoo").domain("noisy")
    with pytest.raises(FileNotFoundError):
        db.problem("nowhere.yaml")


def test_the_command_lists_all_sets() -> None:
    done = CliRunner().invoke(app, ["list", "--problems"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["problem", "size", "label", "description"]
    assert [line.split()[0] for line in lines[1:]] == db.list_problems()
    assert "shift_outlines" in done.stdout


def test_a_stranger_fits_scikit_learn_and_scores_it() -> None:
    """Ten lines, from the problem set to its score."""
    zoo = db.problem("zoo")
    train, test = zoo.train[:900], zoo.test[:300]

    def pixels(data: torch.utils.data.Dataset[tuple[Tensor, int]]) -> np.ndarray:
        return np.stack([np.ravel(image) for image, _ in data])  # type: ignore[attr-defined]

    model = LogisticRegression(max_iter=300).fit(pixels(train), zoo.labels(train))
    scores = zoo.score(model.predict_proba(pixels(test)), test)
    assert 0.2 < scores["accuracy"] <= scores["top_2"] <= scores["top_3"] <= 1
    assert scores["accuracy_low"] < scores["accuracy"] < scores["accuracy_high"]
