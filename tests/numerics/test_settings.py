"""Global settings change nothing; oracle: the same works under the settings of a new process."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import deepbench_torch as db
from tests.numerics.settings_program import SETTINGS, WORKS, works_under

PROGRAM = Path(__file__).with_name("settings_program.py")
PACKAGE = Path(db.__file__).parent
# Options of the interpreter and variables of the environment
INTERPRETERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "-O": (["-O"], {}),
    "-OO": (["-OO"], {}),
    "ASCII locale": ([], {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
}
# Functions of torch that make a tensor of the default dtype on the default device
FACTORIES = {
    "arange", "as_tensor", "asarray", "empty", "empty_strided", "eye", "full", "linspace",
    "logspace", "ones", "scalar_tensor", "tensor", "zeros",
}  # fmt: skip
CLASSES = {"Tensor", "FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "BoolTensor"}


def run(folder: Path, *settings: str, interpreter: str | None = None) -> dict[str, dict[str, str]]:
    """The hash of each work under each setting."""
    options, variables = INTERPRETERS[interpreter] if interpreter else ([], {})
    environment = os.environ | variables
    environment |= {"PYTHONPATH": str(PACKAGE.parent), "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, *options, "-W", "ignore", str(PROGRAM), str(folder), *settings],
        capture_output=True,
        text=True,
        env=environment,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = {}
    for line in done.stdout.splitlines():
        setting, work, made = line.split(": ", 2)
        found.setdefault(setting, {})[work] = made
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def hashes(folder: Path) -> dict[str, dict[str, str]]:
    found = run(folder, *SETTINGS)
    assert list(found["none"]) == list(WORKS)
    failed = [work for work, made in found["none"].items() if " " in made]
    assert not failed, found["none"]
    return found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "none"])
def test_a_setting_changes_nothing(setting: str, hashes: dict[str, dict[str, str]]) -> None:
    assert hashes[setting] == {work: hashes["none"][work] for work in works_under(setting)}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_an_interpreter_changes_nothing(
    interpreter: str, folder: Path, hashes: dict[str, dict[str, str]]
) -> None:
    assert run(folder, "none", interpreter=interpreter)["none"] == hashes["none"]


def sources() -> list[Path]:
    """The modules of the package, but for training: networks follow torch's defaults."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "training" not in path.parts]


def defaults_in(source: str) -> list[str]:
    """The calls of a source that make a tensor and leave dtype or device to torch."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        given = {keyword.arg for keyword in node.keywords}
        factory = (owner == "torch" and name in FACTORIES) or owner == "tv_tensors"
        if factory and not {"dtype", "device"} <= given:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if owner == "torch" and name in CLASSES:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_tensor_has_an_explicit_dtype_and_device(path: Path) -> None:
    assert not defaults_in(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "call", ["torch.zeros(3)", "torch.arange(n, dtype=d)", "tv_tensors.Mask(m)", "torch.Tensor(3)"]
)
def test_a_default_is_found(call: str) -> None:
    assert len(defaults_in(f"x = {call}\ny = torch.zeros(3, dtype=d, device=c)")) == 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.float32])
def test_numbers_of_python_are_in_single_precision(dtype: torch.dtype) -> None:
    values = {"x": [3.1], "y": [2.2], "amplitude": [1.3], "gamma": [1.1], "alpha": [2.9]}
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        image = db.OBJECTS["star"].render(values, db.Grid(5, 7))
    finally:
        torch.set_default_dtype(before)
    assert image.dtype == torch.float32


def test_settings_are_the_same_after_a_call() -> None:
    torch.set_flush_denormal(True)
    threads = torch.get_num_threads()
    try:
        db.generate("star", 0, torch.arange(2), image_size=5)
        assert torch.get_num_threads() == threads
        assert torch.tensor(5e-324, dtype=torch.float64) * 1.0 == 0
    finally:
        torch.set_flush_denormal(False)
    assert torch.tensor(5e-324, dtype=torch.float64) * 1.0 > 0
