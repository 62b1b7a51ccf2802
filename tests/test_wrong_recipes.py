"""Wrong recipes: each is refused with exactly this text."""

import time
from pathlib import Path

import pytest

import deepbench_torch as db
from deepbench_torch.objects import OBJECTS
from deepbench_torch.recipes import recipe_faults

GOOD = """name: mine
image: {height: 8, width: 9}
label: class
count: 1
objects:
  star: {gamma: 0.1}
"""
KEYS = (
    "name, description, size, seed, image, label, compose, count, counts, scene, layout, objects, "
    "degrade, simplify, ladder"
)
KINDS = ", ".join(OBJECTS)
PACKAGED = ", ".join(db.list_recipes())
PRIOR = (
    "a prior is a number or one of uniform, log_uniform, normal, integer, choice, fixed with its "
    "arguments, as in {uniform: [0, 1]}"
)
# What follows "wrong.yaml is not valid: ", or "wrong.yaml" after an exclamation mark
CASES = [
    (GOOD + "colour: red\n", f"colour: there is no such key, got 'red'; the keys here are {KEYS}"),
    (
        GOOD + "lable: class\n",
        f"lable: there is no such key, got 'class'; did you mean 'label'? the keys here are {KEYS}",
    ),
    (
        GOOD.replace(" {he", " {h"),
        "image.height: must be given; image.hight: there is no such key, got 8; did you mean 'height'? the keys here are height, width",
    ),
    (
        GOOD.replace("nam", "nma"),
        f"name: must be given; nmae: there is no such key, got 'mine'; did you mean 'name'? the keys here are {KEYS}",
    ),
    (
        GOOD + "degrade: {poison: {exposure: 400}}\n",
        "degrade.poison: there is no such key, got {'exposure': 400}; did you mean 'poisson'? the keys here are blur, poisson, gaussian",
    ),
    (
        GOOD + "degrade: {poisson: {exposures: 400}}\n",
        "degrade.poisson.exposure: must be given; degrade.poisson.exposures: there is no such key, got 400; did you mean 'exposure'? the keys here are exposure, background",
    ),
    (
        GOOD + "layout: {visible: 0.5, candidate: 3}\n",
        "layout.candidate: there is no such key, got 3; did you mean 'candidates'? the keys here are visible, candidates, grid",
    ),
    (
        GOOD.replace("gamm", "gam"),
        "objects.star.gama: star has no parameter gama; did you mean 'gamma'? it has x, y, amplitude, gamma, alpha, got 0.1",
    ),
    (
        GOOD.replace("star", "starr"),
        f"objects.starr: unknown kind 'starr'; did you mean 'star'? the kinds are {KINDS}",
    ),
    (GOOD.replace("star", "comet"), f"objects.comet: unknown kind 'comet'; the kinds are {KINDS}"),
    (GOOD.replace("label: class\n", ""), "label: must be given"),
    (GOOD.replace("image: {height: 8, width: 9}\n", ""), "image: must be given"),
    (GOOD.replace(", width: 9", ""), "image.width: must be given"),
    (GOOD.replace("objects:\n  star: {gamma: 0.1}\n", ""), "objects: must be given"),
    ("name: x\n", "image: must be given; label: must be given; objects: must be given"),
    (GOOD.replace("t: 8", "t: '8'"), "image.height: must be a whole number, got '8'"),
    (GOOD.replace("t: 8", "t: 8.5"), "image.height: must be a whole number, got 8.5"),
    (GOOD.replace("t: 8", "t: true"), "image.height: must be a whole number, got True"),
    (
        GOOD.replace("{height: 8, width: 9}", "64"),
        "image: must be a mapping of the keys height, width, got 64",
    ),
    (
        GOOD.replace("{height: 8, width: 9}", "[8, 9]"),
        "image: must be a mapping of the keys height, width, got [8, 9]",
    ),
    (GOOD.replace("mine", "5"), "name: must be a text, got 5"),
    (
        GOOD.replace(" min", " my recip"),
        "name: must be letters, digits, '_', '.' and '-' only, got 'my recipe'",
    ),
    (GOOD.replace("mine", "''"), "name: must not be empty, got ''"),
    (
        GOOD.replace("{gamma: 0.1}", "[0.1]"),
        "objects.star: must be a mapping of names to values, got [0.1]",
    ),
    (
        GOOD.replace("star: {gamma: 0.1}", "- star"),
        "objects: must be a mapping of names to values, got ['star']",
    ),
    (
        GOOD.replace(" {gamma: 0.1}", ""),
        "objects.star: must be a mapping of names to values, got None; write {} for all defaults",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: 1e-3}}\n",
        "degrade.gaussian.sigma: must be a number, got '1e-3'; YAML takes 1e-3 and -.3 for text, write 1.0e-3 and -0.3",
    ),
    (GOOD + "degrade: {blur: 0.1}\n", "degrade.blur: must be a mapping of the keys sigma, got 0.1"),
    (GOOD + "layout: {visible: half}\n", "layout.visible: must be a number, got 'half'"),
    (GOOD + "compose: add\n", "compose: must be 'sum' or 'union', got 'add'"),
    (
        GOOD.replace("lass", "las"),
        "label: must be 'class' or 'present', got 'clas'; did you mean 'class'?",
    ),
    (GOOD.replace("t: 8", "t: 0"), "image.height: must be greater than or equal to 1, got 0"),
    (
        GOOD.replace("t: 8", "t: 99999"),
        "image.height: must be less than or equal to 16384, got 99999",
    ),
    (
        GOOD.replace("ma: ", "ma: -"),
        "objects.star.gamma: star.gamma must be > 0, got -0.1; a star of no width draws nothing, so leave its slot empty instead",
    ),
    (
        GOOD.replace("gamma: 0.1", "alpha: {uniform: [0.5, 2]}"),
        "objects.star.alpha: star.alpha must be > 1, got {'uniform': [0.5, 2]}; at 1 or below its light is infinite; seeing through air gives 2.5 to 4.8",
    ),
    (GOOD + "degrade: {blur: {sigma: 0}}\n", "degrade.blur.sigma: must be greater than 0, got 0"),
    (
        GOOD + "degrade: {poisson: {exposure: -4}}\n",
        "degrade.poisson.exposure: must be greater than 0, got -4",
    ),
    (
        GOOD + "degrade: {poisson: {exposure: 4, background: -1}}\n",
        "degrade.poisson.background: must be greater than or equal to 0, got -1",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: .inf}}\n",
        "degrade.gaussian.sigma: must be a finite number, got inf",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: .nan}}\n",
        "degrade.gaussian.sigma: must be a finite number, got nan",
    ),
    (GOOD + "layout: {visible: 1.5}\n", "layout.visible: must be less than or equal to 1, got 1.5"),
    (
        GOOD + "layout: {visible: 0.5, grid: 4}\n",
        "layout.grid: must be greater than or equal to 8, got 4",
    ),
    (GOOD.replace(" 0.1", " .nan"), "objects.star.gamma: fixed needs a number, got nan"),
    (
        GOOD.replace(" 0.1", " .inf"),
        "objects.star.gamma: star.gamma must be > 0, got inf; a star of no width draws nothing, so leave its slot empty instead",
    ),
    (
        GOOD.replace(" 0.1", " {unifrom: [0, 1]}"),
        f"objects.star.gamma: {PRIOR}, got {{'unifrom': [0, 1]}}; did you mean 'uniform'?",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 0]}"),
        "objects.star.gamma: uniform needs finite low < high, got [1, 0]; for one value write the number alone",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [0.1]}"),
        "objects.star.gamma: uniform takes low, high, got [0.1]",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [0.1, b]}"),
        "objects.star.gamma: uniform takes low, high, got [0.1, 'b']; 'b' is not a number",
    ),
    (
        GOOD.replace(" 0.1", " {normal: {mean: 1, sd: 1}}"),
        "objects.star.gamma: normal takes mean, std, low, high, got {'mean': 1, 'sd': 1}",
    ),
    (
        GOOD.replace(" 0.1", " {normal: {std: 1}}"),
        "objects.star.gamma: normal takes mean, std, low, high, got {'std': 1}",
    ),
    (
        GOOD.replace(" 0.1", " {choice: []}"),
        "objects.star.gamma: choice needs at least one value and none twice, got ()",
    ),
    (
        GOOD.replace(" 0.1", " {choice: {values: [1, 2], weights: [1]}}"),
        "objects.star.gamma: choice needs one weight >= 0 for each of its 2 values and a positive sum, got (1.0,)",
    ),
    (
        GOOD.replace(" 0.1", " 1e-3"),
        f"objects.star.gamma: {PRIOR}, got '1e-3'; YAML takes 1e-3 and -.3 for text, write 1.0e-3 and -0.3",
    ),
    (GOOD.replace(" 0.1", " [1, 2]"), f"objects.star.gamma: {PRIOR}, got [1, 2]"),
    (
        GOOD.replace(" 0.1", " {log_uniform: [0, 1]}"),
        "objects.star.gamma: log_uniform needs low > 0, got [0, 1]",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 2], normal: [1, 2]}"),
        f"objects.star.gamma: {PRIOR}, got {{'uniform': [1, 2], 'normal': [1, 2]}}",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 2, 3]}"),
        "objects.star.gamma: uniform takes low, high, got [1, 2, 3]",
    ),
    (GOOD.replace(" 0.1", " true"), f"objects.star.gamma: {PRIOR}, got True"),
    (
        GOOD.replace("t: 1", "t: 2"),
        "label: 'class' needs exactly one object an image, got counts [2.0]; set count: 1 or label: present",
    ),
    (
        GOOD.replace("t: 1", "t: 0"),
        "count: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got 0.0",
    ),
    (
        GOOD.replace("t: 1", "t: {uniform: [1, 2]}"),
        "count: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got {'uniform': [1, 2]}",
    ),
    (
        GOOD.replace("count: 1\n", ""),
        "recipe: give either count, for objects of any kind, or counts, for each kind its own, or scene, for each object alone; got neither",
    ),
    (
        GOOD + "counts: {star: 1}\n",
        "recipe: give either count, for objects of any kind, or counts, for each kind its own, or scene, for each object alone; got count and counts",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncounts: {galaxy: 1}"),
        "counts: must name the kinds of objects, star; got galaxy",
    ),
    (
        GOOD.replace("nt: ", "nt: -"),
        "count: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got -1.0",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncount: {integer: [-1, 2]}"),
        "count: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got {'integer': [-1, 2]}",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncount: 5000"),
        "count: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got 5000.0",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncounts: {star: 1.5}"),
        "counts.star: must give whole numbers of objects from 0 to 1000, and sometimes at least 1, got 1.5",
    ),
    (GOOD.replace("count: 1", "scene: []"), "scene: must not be empty, got []"),
    (
        GOOD.replace("count: 1", "scene: [{star: {}, galaxy: {}}]"),
        "scene.0: must be one object, as in {star: {x: 0.5}}, got 'star, galaxy'",
    ),
    (
        GOOD.replace("count: 1", "scene: [{star: {gamma: 0}}]"),
        "scene.0.star.gamma: star.gamma must be > 0, got 0.0; a star of no width draws nothing, so leave its slot empty instead",
    ),
    (
        GOOD.replace("count: 1", "scene: [star]"),
        "scene.0: must be a mapping of names to values, got 'star'",
    ),
    (
        GOOD.replace("count: 1", "scene: [{star: {}}, {star: {}}]"),
        "label: 'class' needs exactly one object an image, got counts 2; set count: 1 or label: present",
    ),
    (GOOD + "size: 0\n", "size: must be greater than or equal to 1, got 0"),
    (GOOD + "seed: -1\n", "seed: must be greater than or equal to 0, got -1"),
    (
        GOOD + "ladder: [noize]\n",
        "ladder: a ladder has each of its steps once, got 'noize'; did you mean 'noise'? the steps are form, orientation, position, brightness, classes, balance, objects, blur, noise",
    ),
    (
        GOOD + "simplify: {objects: 0}\n",
        "simplify.objects: must be greater than or equal to 1, got 0",
    ),
    (
        GOOD + "count: 2\n",
        "! is not YAML: a key must be given once, got count in line 4 and in line 7; take one of them out",
    ),
    (GOOD + "1: 2\n", "! is not YAML: a key must be a text, got 1 in line 7; put it in quotes"),
    (GOOD + "[a, b]: 2\n", "! is not YAML: a key must be a text, got a list or mapping in line 7"),
    (
        "a: [",
        "! is not YAML: expected the node content, but found '<stream end>' in line 1, column 5",
    ),
    ("- 1\n", "! must be a mapping of keys to values, got [1]"),
    ("", "! must be a mapping of keys to values, got None"),
    (
        "!!python/object/apply:os.system ['true']",
        "! is not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system' in line 1, column 1",
    ),
    (
        GOOD + "seed: 100000000000000000000000000000000000000000000000000\n",
        "! holds a value that cannot be read: whole numbers must have at most 40 digits, got 51 in line 7",
    ),
    (
        "extends: skyy\n",
        f"!: extends: there is no recipe 'skyy'; packaged are {PACKAGED}; did you mean 'sky'? a file of your own must end in .yaml",
    ),
    ("extends: 3\n", "!: extends: must be the name of a packaged recipe or a YAML file, got 3"),
    (
        "extends: wrong.yaml\n",
        "!: extends: must not lead back to the file itself, got wrong.yaml -> wrong.yaml",
    ),
    (
        "extends: sky\nobjects: {star: {gama: 1}}\n",
        "objects.star.gama: star has no parameter gama; did you mean 'gamma'? it has x, y, amplitude, gamma, alpha, got 1.0",
    ),
    (
        "name: p\nsystem: pendulm\ntime: {duration: 1, steps: 2}\n",
        "system: unknown system; did you mean 'pendulum'? the systems are nbody, pendulum, hamiltonian_pendulum, got 'pendulm'",
    ),
    (
        "name: p\nsystem: pendulum\ntime: {duration: 0, steps: 2.5}\n",
        "time.duration: must be greater than 0, got 0; time.steps: must be a whole number, got 2.5",
    ),
    (
        "name: p\nsystem: pendulum\ntime: {duration: 1, steps: 2}\nparameters: {lenght: 1}\n",
        "parameters.lenght: pendulum has no parameter lenght; did you mean 'length'? there is length, angle, velocity, gravity, friction, mass, got 'lenght'",
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_recipe_that_is_spoiled_is_valid(folder: Path) -> None:
    (folder / "good.yaml").write_text(GOOD)
    assert db.load_recipe("good.yaml").name == "mine"
    assert recipe_faults("good.yaml") == []


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_wrong_recipe_is_refused_in_these_words(text: str, message: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(text)
    expected = f"wrong.yaml{message[1:]}" if message[0] == "!" else message
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        db.load_recipe("wrong.yaml")
    said = str(caught.value)
    assert said.removeprefix("wrong.yaml is not valid: ") == expected
    # `check` tells the same, fault by fault
    assert "; ".join(recipe_faults("wrong.yaml")) == expected


def test_all_faults_are_told_at_once(folder: Path) -> None:
    """Also those that show only once others are mended: here the count, and the label with it."""
    (folder / "wrong.yaml").write_text(
        GOOD.replace("count: 1", "count: 3").replace("0.1", "-1")
        + "colour: red\nlayout: {grid: 2}\n"
    )
    places = [fault.split(": ")[0] for fault in recipe_faults("wrong.yaml")]
    assert sorted(places) == [
        "colour",
        "label",
        "layout.grid",
        "layout.visible",
        "objects.star.gamma",
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]\n"
    for last, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "must hold at most 100,000 values, got more by its aliases"),
        ("a: &a [*a]", "too deep within each other"),
        ("a: &a {b: *a}", "too deep within each other"),
        ("[" * 5000, "too deep"),
        ("{a: " * 5000, "too deep"),
        ("a:\n" + "".join(" " * n + "- \n" for n in range(200)), "wrong.yaml"),
        ("a: " + "9" * 10_000, "at most 40 digits, got 10000 in line 1"),
        ("a: 1" + "0" * 400, "at most 40 digits, got 401 in line 1"),
        ("a: 1e999999", "wrong.yaml is not valid"),
        ("a: [" + "x, " * 400_000 + "]", "must have at most 1,048,576 characters"),
        (GOOD + "<<: {a: 1}\n", "there is no such key"),
        (GOOD + "? [1, 2]\n: 3\n", "a key must be a text, got a list or mapping in line 7"),
        (GOOD + "null: 3\n", "a key must be a text, got null in line 7; put it in quotes"),
        (GOOD + "yes: 3\n", "a key must be a text, got yes in line 7; put it in quotes"),
        (GOOD + "degrade: {blur: {sigma: 1, sigma: 2}}\n", "got sigma in line 7 and in line 7"),
        ("!!python/name:os.system", "could not determine a constructor for the tag"),
        ("!!python/object/new:os.system [ls]", "could not determine a constructor for the tag"),
        ("!!binary aGVsbG8=", "must be a mapping of keys to values, got b'hello'"),
        ("!!set {a, b}", "must be a mapping"),
        (GOOD.replace("mine", "2020-01-01"), "name: must be a text, got datetime.date"),
        (GOOD.replace("mine", "!!timestamp nonsense"), "wrong.yaml"),
        (GOOD.replace("0.1", "!!float x"), "wrong.yaml holds a value that cannot be read"),
        (GOOD.replace("0.1", "1:30"), "without ':' and without a leading 0, got 1:30 in line 6"),
        (GOOD.replace("8", "010"), "without a leading 0, got 010 in line 2"),
        ("\0", "wrong.yaml is not YAML"),
        ("%YAML 9.9\n---\na: 1", "wrong.yaml is not"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("*nothing", "found undefined alias"),
    ],
)
def test_hostile_text_is_refused_without_delay(text: str, message: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(text)
    start = time.process_time()
    with pytest.raises(ValueError) as caught:
        db.load_recipe("wrong.yaml")
    # half a second at most when measured; a hang would take minutes or all memory
    assert time.process_time() - start < 10
    assert message in str(caught.value)
    assert "wrong.yaml" in str(caught.value)
    assert len(str(caught.value)) < 1000
