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
    "name, description, size, seed, realization, image, label, compose, count, weights, counts, groups, shared, scene, layout, objects, "
    "degrade, simplify, zero_point, pixel_scale, ladder"
)
KINDS = ", ".join(OBJECTS)
PACKAGED = ", ".join(db.list_recipes())
PRIOR = (
    "expected a number or one of uniform, log_uniform, power_law, normal, integer, choice, fixed with its "
    "arguments, as in {uniform: [0, 1]}"
)
# The message after "wrong.yaml is not valid: "; with a leading "!" the message after "wrong.yaml"
CASES = [
    (GOOD + "colour: red\n", f"colour: expected one of the keys {KEYS}, got 'colour'; remove it"),
    (
        GOOD + "lable: class\n",
        f"lable: expected one of the keys {KEYS}, got 'lable'; did you mean 'label'?",
    ),
    (
        GOOD.replace(" {he", " {h"),
        "image.height: expected a value, got none; write for example height: 64; image.hight: expected one of the keys height, width, samples, got 'hight'; did you mean 'height'?",
    ),
    (
        GOOD.replace("nam", "nma"),
        f"name: expected a value, got none; write for example name: mine; nmae: expected one of the keys {KEYS}, got 'nmae'; did you mean 'name'?",
    ),
    (
        GOOD + "degrade: {poison: {exposure: 400}}\n",
        "degrade.poison: expected one of the keys psf, blur, gradient, poisson, pedestal, gaussian, got 'poison'; did you mean 'poisson'?",
    ),
    (
        GOOD + "degrade: {poisson: {exposures: 400}}\n",
        "degrade.poisson.exposure: expected a value, got none; write for example exposure: 400; degrade.poisson.exposures: expected one of the keys exposure, background, got 'exposures'; did you mean 'exposure'?",
    ),
    (
        GOOD + "layout: {visible: 0.5, candidate: 3}\n",
        "layout.candidate: expected one of the keys visible, least_pixels, candidates, grid, got 'candidate'; did you mean 'candidates'?",
    ),
    (
        GOOD.replace("gamm", "gam"),
        "objects.star.gama: expected a parameter of star, one of x, y, amplitude, gamma, alpha, got 'gama'; did you mean 'gamma'?",
    ),
    (
        GOOD.replace("star", "starr"),
        f"objects.starr: expected one of {KINDS}, got 'starr'; did you mean 'star'?",
    ),
    (
        GOOD.replace("star", "comet"),
        f"objects.comet: expected one of {KINDS}, got 'comet'; write one of them",
    ),
    (
        GOOD.replace("label: class\n", ""),
        "label: expected a value, got none; write for example label: present",
    ),
    (
        GOOD.replace("image: {height: 8, width: 9}\n", ""),
        "image: expected a value, got none; write for example image: {height: 64, width: 64}",
    ),
    (
        GOOD.replace(", width: 9", ""),
        "image.width: expected a value, got none; write for example width: 64",
    ),
    (
        GOOD.replace("objects:\n  star: {gamma: 0.1}\n", ""),
        "objects: expected a value, got none; write for example objects: {star: {}}",
    ),
    (
        "name: x\n",
        "image: expected a value, got none; write for example image: {height: 64, width: 64}; label: expected a value, got none; write for example label: present; objects: expected a value, got none; write for example objects: {star: {}}",
    ),
    (
        GOOD.replace("t: 8", "t: '8'"),
        "image.height: expected a whole number, got '8'; write it without quotes",
    ),
    (GOOD.replace("t: 8", "t: 8.5"), "image.height: expected a whole number, got 8.5; round it"),
    (
        GOOD.replace("t: 8", "t: true"),
        "image.height: expected a whole number, got True; write 1 or 0",
    ),
    (
        GOOD.replace("{height: 8, width: 9}", "64"),
        "image: expected a mapping of the keys height, width, samples, got 64; write for example image: {height: 64, width: 64}",
    ),
    (
        GOOD.replace("{height: 8, width: 9}", "[8, 9]"),
        "image: expected a mapping of the keys height, width, samples, got [8, 9]; write for example image: {height: 64, width: 64}",
    ),
    (GOOD.replace("mine", "5"), "name: expected a string, got 5; write it in quotes"),
    (
        GOOD.replace(" min", " my recip"),
        "name: expected only letters, digits, '_', '.' and '-', and not dots alone, got 'my recipe'; remove spaces and other characters, or add a letter",
    ),
    *(
        (
            GOOD.replace("mine", f"'{name}'"),
            f"name: expected only letters, digits, '_', '.' and '-', and not dots alone, got '{name}'; remove spaces and other characters, or add a letter",
        )
        for name in (".", "..", "...")
    ),
    (
        GOOD.replace("mine", "''"),
        "name: expected a non-empty string, got ''; write at least one letter",
    ),
    (
        GOOD.replace("{gamma: 0.1}", "[0.1]"),
        "objects.star: expected a mapping of names to values, got [0.1]; write {name: value}",
    ),
    (
        GOOD.replace("star: {gamma: 0.1}", "- star"),
        "objects: expected a mapping of names to values, got ['star']; write {name: value}",
    ),
    (
        GOOD.replace(" {gamma: 0.1}", ""),
        "objects.star: expected a mapping of names to values, got None; write {} for all defaults",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: 1e-3}}\n",
        f"degrade.gaussian.sigma: {PRIOR}, got '1e-3'; YAML reads 1e-3 and -.3 as text, write 1.0e-3 and -0.3",
    ),
    (
        GOOD + "degrade: {blur: 0.1}\n",
        "degrade.blur: expected a mapping of the keys sigma, got 0.1; write for example {sigma: 0.05}",
    ),
    (
        GOOD + "layout: {visible: half}\n",
        "layout.visible: expected a number, got 'half'; write a number as in 1 or 0.5",
    ),
    (GOOD + "compose: add\n", "compose: expected 'sum' or 'union', got 'add'; write one of them"),
    (
        GOOD.replace("lass", "las"),
        "label: expected class, present, brightness or a list of parameters as [galaxy.radius], got 'clas'; did you mean 'class'?",
    ),
    (
        GOOD.replace("t: 8", "t: 0"),
        "image.height: expected a number >= 1, got 0; write a larger number",
    ),
    (
        GOOD.replace("t: 8", "t: 99999"),
        "image.height: expected a number <= 16384, got 99999; write a smaller number",
    ),
    (
        GOOD.replace("ma: ", "ma: -"),
        "objects.star.gamma: expected a number > 0, got -0.1; a star of no width has no light, so leave its slot empty instead",
    ),
    (
        GOOD.replace("gamma: 0.1", "alpha: {uniform: [0.5, 2]}"),
        "objects.star.alpha: expected a number > 1, got {'uniform': [0.5, 2]}; at 1 or below its light is infinite; seeing through air gives 2.5 to 4.8",
    ),
    (
        GOOD + "degrade: {blur: {sigma: 0}}\n",
        "degrade.blur.sigma: expected a number > 0, got 0; write a larger number",
    ),
    (
        GOOD + "degrade: {poisson: {exposure: -4}}\n",
        "degrade.poisson.exposure: expected a number > 0, got -4.0; write a larger number",
    ),
    (
        GOOD + "degrade: {poisson: {exposure: 4, background: -1}}\n",
        "degrade.poisson.background: expected a number >= 0, got -1.0; write a larger number",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: .inf}}\n",
        "degrade.gaussian.sigma: expected a finite number, got inf; write a number without nan and inf",
    ),
    (
        GOOD + "degrade: {gaussian: {sigma: .nan}}\n",
        "degrade.gaussian.sigma: expected a finite number, got nan; write a number without nan and inf",
    ),
    (
        GOOD + "layout: {visible: 1.5}\n",
        "layout.visible: expected a number <= 1, got 1.5; write a smaller number",
    ),
    (
        GOOD + "layout: {visible: 0.5, grid: 4}\n",
        "layout.grid: expected a number >= 8, got 4; write a larger number",
    ),
    (
        GOOD.replace(" 0.1", " .nan"),
        "objects.star.gamma.fixed: expected a number, got nan; write a number, or inf for a solid shape",
    ),
    (
        GOOD.replace(" 0.1", " .inf"),
        "objects.star.gamma: expected a number > 0, got inf; a star of no width has no light, so leave its slot empty instead",
    ),
    (
        GOOD.replace(" 0.1", " {unifrom: [0, 1]}"),
        f"objects.star.gamma: {PRIOR}, got {{'unifrom': [0, 1]}}; did you mean 'uniform'?",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 0]}"),
        "objects.star.gamma.uniform: expected finite low < high, got [1, 0]; for one value write the number alone",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [0.1]}"),
        "objects.star.gamma.uniform: expected the arguments low, high, got [0.1]; write {uniform: [0, 1]}",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [0.1, b]}"),
        "objects.star.gamma.uniform.high: expected a number, got 'b'; write a number as in 1 or 0.5",
    ),
    (
        GOOD.replace(" 0.1", " {normal: {mean: 1, sd: 1}}"),
        "objects.star.gamma.normal: expected the arguments mean, std, low, high (mean, std at least), got {'mean': 1, 'sd': 1}; did you mean 'std'?",
    ),
    (
        GOOD.replace(" 0.1", " {normal: {std: 1}}"),
        "objects.star.gamma.normal: expected the arguments mean, std, low, high (mean, std at least), got {'std': 1}; write {normal: {mean: 2, std: 1}}",
    ),
    (
        GOOD.replace(" 0.1", " {choice: []}"),
        "objects.star.gamma.choice: expected at least one value, all different, got (); use weights to make a value more frequent",
    ),
    (
        GOOD.replace(" 0.1", " {choice: {values: [1, 2], weights: [1]}}"),
        "objects.star.gamma.choice: expected one weight >= 0 for each of 2 values and a positive sum, got (1.0,); omit weights for equal ones",
    ),
    (
        GOOD.replace(" 0.1", " 1e-3"),
        f"objects.star.gamma: {PRIOR}, got '1e-3'; YAML reads 1e-3 and -.3 as text, write 1.0e-3 and -0.3",
    ),
    (
        GOOD.replace(" 0.1", " [1, 2]"),
        f"objects.star.gamma: {PRIOR}, got [1, 2]; write one of these",
    ),
    (
        GOOD.replace(" 0.1", " {log_uniform: [0, 1]}"),
        "objects.star.gamma.log_uniform: expected low > 0, got [0, 1]; write a small number above 0, or uniform",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 2], normal: [1, 2]}"),
        f"objects.star.gamma: {PRIOR}, got {{'uniform': [1, 2], 'normal': [1, 2]}}; write one of these",
    ),
    (
        GOOD.replace(" 0.1", " {uniform: [1, 2, 3]}"),
        "objects.star.gamma.uniform: expected the arguments low, high, got [1, 2, 3]; write {uniform: [0, 1]}",
    ),
    (GOOD.replace(" 0.1", " true"), f"objects.star.gamma: {PRIOR}, got True; write one of these"),
    (
        GOOD.replace("t: 1", "t: 2"),
        "label: expected present if an image can hold no object or several, got class with count: 2.0; set count: 1 or label: present",
    ),
    (
        GOOD.replace("t: 1", "t: 0"),
        "label: expected present if an image can hold no object or several, got class with count: 0.0; set count: 1 or label: present",
    ),
    (
        GOOD.replace("t: 1", "t: {uniform: [1, 2]}"),
        "count: expected whole numbers from 0 to 1000, got {'uniform': [1, 2]}; write a whole number, integer or choice",
    ),
    (
        GOOD.replace("count: 1\n", ""),
        "recipe: expected one of count, counts, groups and scene, got none; set count for objects of any kind, counts for a number of each kind, groups for classes of images, or scene for a list of objects",
    ),
    (
        GOOD + "counts: {star: 1}\n",
        "recipe: expected one of count, counts, groups and scene, got count and counts; set count for objects of any kind, counts for a number of each kind, groups for classes of images, or scene for a list of objects",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncounts: {galaxy: 1}"),
        "counts: expected the kinds of objects, star, got galaxy; set a count for each kind, or remove it from objects",
    ),
    (
        GOOD.replace("nt: ", "nt: -"),
        "count: expected whole numbers from 0 to 1000, got -1.0; write a whole number, integer or choice",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncount: {integer: [-1, 2]}"),
        "count: expected whole numbers from 0 to 1000, got {'integer': [-1, 2]}; write a whole number, integer or choice",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncount: 5000"),
        "count: expected whole numbers from 0 to 1000, got 5000.0; write a whole number, integer or choice",
    ),
    (
        GOOD.replace("class\ncount: 1", "present\ncounts: {star: 1.5}"),
        "counts.star: expected whole numbers from 0 to 1000, got 1.5; write a whole number, integer or choice",
    ),
    (
        GOOD.replace("count: 1", "scene: []"),
        "scene: expected at least one entry, got []; add an entry, or omit the key",
    ),
    (
        GOOD.replace("count: 1", "scene: [{star: {}, galaxy: {}}]"),
        "scene.0: expected one object, got star, galaxy; write one per line, as in star: {x: 0.5}",
    ),
    (
        GOOD.replace("count: 1", "scene: [{star: {gamma: 0}}]"),
        "scene.0.star.gamma: expected a number > 0, got 0.0; a star of no width has no light, so leave its slot empty instead",
    ),
    (
        GOOD.replace("count: 1", "scene: [star]"),
        "scene.0: expected a mapping of names to values, got 'star'; write {name: value}",
    ),
    (
        GOOD.replace("count: 1", "scene: [{star: {}}, {star: {}}]"),
        "label: expected present if an image can hold no object or several, got class with scene: 2 objects; set count: 1 or label: present",
    ),
    (GOOD + "size: 0\n", "size: expected a number >= 1, got 0; write a larger number"),
    (GOOD + "seed: -1\n", "seed: expected a number >= 0, got -1; write a larger number"),
    (
        GOOD + "ladder: [noize]\n",
        "ladder.0: expected steps of form, orientation, position, brightness, classes, balance, objects, blur, noise, conditions, each once, got 'noize'; did you mean 'noise'?",
    ),
    (
        GOOD + "simplify: {objects: 0}\n",
        "simplify.objects: expected a number >= 1, got 0; write a larger number",
    ),
    (
        GOOD + "count: 2\n",
        "!: expected each key once, got count in lines 4 and 7; remove one of them",
    ),
    (GOOD + "1: 2\n", "!: expected strings as keys, got 1 in line 7; write it in quotes"),
    (
        GOOD + "[a, b]: 2\n",
        "!: expected strings as keys, got a list or mapping in line 7; write a name",
    ),
    (
        "a: [",
        "!: expected valid YAML, got an error: expected the node content, but found '<stream end>' in line 1, column 5; correct it there",
    ),
    ("- 1\n", "!: expected a mapping of keys to values, got [1]; write lines as in name: mine"),
    ("", "!: expected a mapping of keys to values, got None; write lines as in name: mine"),
    (
        "!!python/object/apply:os.system ['true']",
        "!: expected valid YAML, got an error: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system' in line 1, column 1; correct it there",
    ),
    (
        GOOD + "seed: 100000000000000000000000000000000000000000000000000\n",
        "!: expected whole numbers of at most 40 digits, got 51 in line 7; write a smaller number",
    ),
    (
        "extends: skyy\n",
        f"!: extends: recipe: expected {PACKAGED} or a file ending in .yaml, got 'skyy'; did you mean 'sky'?",
    ),
    (
        "extends: 3\n",
        "!: extends: expected a packaged recipe or a YAML file, got 3; write its name",
    ),
    (
        "extends: wrong.yaml\n",
        "!: extends: expected a file that does not extend this one, got wrong.yaml -> wrong.yaml; use another",
    ),
    (
        "extends: sky\nobjects: {star: {gama: 1}}\n",
        "objects.star.gama: expected a parameter of star, one of x, y, amplitude, gamma, alpha, got 'gama'; did you mean 'gamma'?",
    ),
    (
        "name: p\nsystem: pendulm\ntime: {duration: 1, steps: 2}\n",
        "system: expected one of nbody, pendulum, hamiltonian_pendulum, got 'pendulm'; did you mean 'pendulum'?",
    ),
    (
        "name: p\nsystem: pendulum\ntime: {duration: 0, steps: 2.5}\n",
        "time.duration: expected a number > 0, got 0; write a larger number; time.steps: expected a whole number, got 2.5; round it",
    ),
    (
        "name: p\nsystem: pendulum\ntime: {duration: 1, steps: 2}\nparameters: {lenght: 1}\n",
        "parameters.lenght: expected one of the names length, angle, velocity, gravity, friction, mass, got 'lenght'; did you mean 'length'?",
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_unchanged_recipe_is_valid(folder: Path) -> None:
    (folder / "good.yaml").write_text(GOOD)
    assert db.load_recipe("good.yaml").name == "mine"
    assert recipe_faults("good.yaml") == []


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_wrong_recipe_is_refused_with_this_message(text: str, message: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(text)
    expected = f"wrong.yaml{message[1:]}" if message[0] == "!" else message
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        db.load_recipe("wrong.yaml")
    refusal = str(caught.value)
    assert refusal.removeprefix("wrong.yaml is not valid: ") == expected
    # `check` prints the same faults
    assert "; ".join(recipe_faults("wrong.yaml")) == expected


def test_all_faults_are_reported_together(folder: Path) -> None:
    """Including faults that others hide: here the count, and the label with it."""
    (folder / "wrong.yaml").write_text(
        GOOD.replace("count: 1", "count: 3").replace("0.1", "-1")
        + "colour: red\nlayout: {grid: 2}\n"
    )
    locations = [fault.split(": ")[0] for fault in recipe_faults("wrong.yaml")]
    assert sorted(locations) == [
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
        (BOMB, "expected at most 100,000 values, got more with aliases expanded"),
        ("a: &a [*a]", "at most 50 levels of lists and mappings, got more"),
        ("a: &a {b: *a}", "at most 50 levels of lists and mappings, got more"),
        ("[" * 5000, "at most 50 levels of lists and mappings"),
        ("{a: " * 5000, "at most 50 levels of lists and mappings"),
        ("a:\n" + "".join(" " * n + "- \n" for n in range(200)), "wrong.yaml"),
        ("a: " + "9" * 10_000, "of at most 40 digits, got 10000 in line 1"),
        ("a: 1" + "0" * 400, "at most 40 digits, got 401 in line 1"),
        ("a: 1e999999", "wrong.yaml is not valid"),
        ("a: [" + "x, " * 400_000 + "]", "expected at most 1,048,576 characters, got"),
        (GOOD + "<<: {a: 1}\n", "a: expected one of the keys"),
        (GOOD + "? [1, 2]\n: 3\n", "strings as keys, got a list or mapping in line 7"),
        (GOOD + "null: 3\n", "expected strings as keys, got null in line 7; write it in quotes"),
        (GOOD + "yes: 3\n", "expected strings as keys, got yes in line 7; write it in quotes"),
        (GOOD + "degrade: {blur: {sigma: 1, sigma: 2}}\n", "got sigma in lines 7 and 7"),
        ("!!python/name:os.system", "could not determine a constructor for the tag"),
        ("!!python/object/new:os.system [ls]", "could not determine a constructor for the tag"),
        ("!!binary aGVsbG8=", "expected a mapping of keys to values, got b'hello'"),
        ("!!set {a, b}", "expected a mapping"),
        (GOOD.replace("mine", "2020-01-01"), "name: expected a string, got datetime.date"),
        (GOOD.replace("mine", "!!timestamp nonsense"), "wrong.yaml"),
        (
            GOOD.replace("0.1", "!!float x"),
            "wrong.yaml: expected values that YAML defines, got an error",
        ),
        (GOOD.replace("0.1", "1:30"), "without ':' and without a leading 0, got 1:30 in line 6"),
        (GOOD.replace("8", "010"), "without a leading 0, got 010 in line 2"),
        ("\0", "wrong.yaml: expected valid YAML"),
        ("%YAML 9.9\n---\na: 1", "wrong.yaml: expected valid YAML"),
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
