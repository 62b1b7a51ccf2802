"""Networks with weights: features, channels, outputs, and files of other people."""

import logging
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchvision
from torch import nn

import deepbench_torch as db
from deepbench_torch.generate import GENERATOR_VERSION
from deepbench_torch.training import networks
from deepbench_torch.training.configuration import configuration
from deepbench_torch.training.layers import head_of, head_size, stem_name
from deepbench_torch.training.small import SmallNetwork
from deepbench_torch.training.weight_files import CONFIG, WEIGHTS, read_config, write_weights
from tests.training.fitting import TRAINING_MARKS, classifier, module, trainer

pytestmark = TRAINING_MARKS
NAMES = torchvision.models.list_models(module=torchvision.models)
# one network a family; torchvision computes the widths of regnet with data, which meta has not
FAMILIES = ["alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet",
            "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v3_small", "resnet18",
            "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "vgg11", "vit_b_32",
            "small"]  # fmt: skip
OTHERS = [name for name in NAMES if name not in FAMILIES and not name.startswith("regnet")]


@pytest.mark.parametrize(
    "name", [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_every_network_has_a_grey_stem_and_a_head(name: str) -> None:
    with torch.device("meta"):
        network = db.get_model(name, outputs=7)
        features = db.get_model(name)
    assert network.get_submodule(stem_name(network) or "").in_channels == 1
    assert head_size(head_of(network))[1] == 7
    width = head_size(head_of(features))[0]
    side = 224 if networks.needs_size(name) or name == "maxvit_t" else 299
    found = features.eval()(torch.empty(2, 1, side, side, device="meta"))
    assert found.shape == (2, width)
    names = {key for key, _ in features.named_parameters()}
    assert {key for key, _ in network.named_parameters()} > names


def saved(folder: Path, network: nn.Module, name: str, **meta: Any) -> Path:
    """Write a folder of weights."""
    config = configuration(network, name, side=28, meta={"outputs": ["a", "b", "c"]} | meta)
    return write_weights(folder / name, network.state_dict(), config=config)


def test_grey_images_give_the_outputs_of_torchvision(tmp_path: Path) -> None:
    """Oracle: torchvision's own network on the image repeated to three channels."""
    theirs = torchvision.models.resnet18(num_classes=5).eval()
    file = tmp_path / "theirs.safetensors"
    safetensors.torch.save_file(theirs.state_dict(), file)
    image = torch.rand(3, 1, 40, 30)
    expected = theirs(image.expand(-1, 3, -1, -1))
    for channels in (1, 2, 3):
        ours = db.get_model("resnet18", weights=file, outputs=5, in_channels=channels).eval()
        repeated = image.expand(-1, channels, -1, -1)
        torch.testing.assert_close(ours(repeated), expected, rtol=1e-4, atol=1e-5)
    grey = db.get_model("resnet18", weights=file, outputs=5)
    back = tmp_path / "back.pt"
    torch.save(grey.state_dict(), back)
    again = db.get_model("resnet18", weights=str(back), outputs=5, in_channels=3).eval()
    torch.testing.assert_close(again(image.expand(-1, 3, -1, -1)), expected, rtol=1e-4, atol=1e-5)
    theirs.fc = nn.Identity()
    features = db.get_model("resnet18", weights=file).eval()
    expected = theirs(image.expand(-1, 3, -1, -1))
    torch.testing.assert_close(features(image), expected, rtol=1e-4, atol=1e-5)


def test_a_new_head_is_logged_and_all_else_is_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = networks.build("small", outputs=3)
    folder = saved(tmp_path, source, "small")
    with caplog.at_level(logging.INFO, logger="deepbench_torch"):
        network = db.get_model("small", weights=folder, outputs=4, in_channels=3)
    text = caplog.text
    assert "first layer converted from 1 to 3 channels" in text
    assert "last layer initialised at random: head.weight, head.bias" in text
    stem = stem_name(network)
    for key, value in source.state_dict().items():
        if not key.startswith("head") and key != f"{stem}.weight":
            assert torch.equal(network.state_dict()[key], value), key


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".safetensors", ""])
def test_weights_load_from_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    model = classifier(architecture="small")
    file = tmp_path / f"file{suffix}"
    if suffix == ".ckpt":
        train = trainer(tmp_path, max_steps=1, limit_val_batches=0)
        train.fit(model, datamodule=module())
        train.save_checkpoint(file)
    elif suffix == ".safetensors":
        safetensors.torch.save_file(model.model.state_dict(), file)
    elif suffix:
        torch.save(model.state_dict(), file)
    else:
        file = saved(tmp_path, model.model, "small")
    network = db.get_model("small", weights=file, outputs=3)
    for key, value in model.model.state_dict().items():
        assert torch.equal(network.state_dict()[key], value), key


def wrong_files(folder: Path) -> dict[str, tuple[Any, str, str]]:
    """Return weights that do not fit: the argument, the network and the message."""
    small = networks.build("small", outputs=3)
    good = saved(folder, small, "small")
    other = saved(folder / "version", small, "small")
    (folder / "empty").mkdir()
    (folder / "text.safetensors").write_text("no weights")
    (folder / "list.pt").write_bytes(b"no weights")
    torch.save([1, 2], folder / "numbers.pt")
    torch.save({"code": Path}, folder / "code.pt")
    broken = bytearray((other / WEIGHTS).read_bytes())
    broken[-5] ^= 255
    (other / WEIGHTS).write_bytes(bytes(broken))
    nan = small.state_dict() | {"head.bias": torch.tensor([0.0, float("nan"), 0.0])}
    safetensors.torch.save_file(nan, folder / "nan.safetensors")
    few = {k: v for k, v in small.state_dict().items() if not k.startswith("stages.2")}
    safetensors.torch.save_file(few, folder / "few.safetensors")
    return {
        "no name": ("small_astr", "small", "did you mean 'small_astro'"),
        "no file": (folder / "none.pt", "small", "expected an existing file or folder"),
        "empty folder": (folder / "empty", "small", "expected a readable config.json"),
        "no safetensors": (folder / "text.safetensors", "small", "damaged or of another format"),
        "no pickle": (folder / "list.pt", "small", "damaged file or other objects"),
        "no state": (folder / "numbers.pt", "small", "expected a state dict"),
        "code": (folder / "code.pt", "small", "damaged file or other objects"),
        "damaged": (other, "small", "expected the SHA-256 recorded"),
        "nan": (folder / "nan.safetensors", "small", "expected finite numbers"),
        "missing": (
            folder / "few.safetensors",
            "small",
            "missing stages.2.0.weight.* 3 more",
        ),
        "network": (good, "resnet18", "expected weights of resnet18, got .* of small"),
        "state": (small.state_dict(), "small", "call load_state_dict"),
        "default": (True, "alexnet", "expected a network with packaged weights, got 'alexnet'"),
    }


WRONG = ("no name", "no file", "empty folder", "no safetensors", "no pickle", "no state", "code",
         "damaged", "nan", "missing", "network", "state", "default")  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_weights_are_refused_with_one_clear_error(case: str, tmp_path: Path) -> None:
    weights, name, message = wrong_files(tmp_path)[case]
    with pytest.raises(ValueError, match=message):
        db.get_model(name, weights=weights, outputs=3)


ARGUMENTS = [
    ({"architecture": "resnet5"}, "expected a classification network of torchvision"),
    ({"architecture": 5}, "expected a classification network of torchvision"),
    ({"outputs": 0}, "outputs: expected None for features"),
    ({"outputs": 2.5}, "outputs: expected None for features"),
    ({"outputs": True}, "outputs: expected None for features"),
    ({"in_channels": 0}, "in_channels: expected a number of channels"),
    ({"in_channels": "1"}, "in_channels: expected a number of channels"),
]


@pytest.mark.parametrize(("options", "message"), ARGUMENTS)
def test_wrong_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        db.get_model(**{"architecture": "small"} | options)


def test_weights_of_another_version_warn(tmp_path: Path) -> None:
    folder = saved(tmp_path, networks.build("small", outputs=3), "small", generator_version=1)
    message = f"generator version 1; this package generates version {GENERATOR_VERSION}"
    with pytest.warns(UserWarning, match=message):
        db.get_model("small", weights=folder)


def test_timm_reads_the_folder(tmp_path: Path) -> None:
    """Oracle: timm's own network with the weights of the folder."""
    timm = pytest.importorskip("timm")
    ours = db.get_model("resnet18", outputs=3).eval()
    folder = saved(tmp_path, ours, "resnet18")
    theirs = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    image = torch.rand(2, 1, 40, 30)
    torch.testing.assert_close(theirs(image), ours(image), rtol=1e-4, atol=1e-5)


def test_hugging_faces_mixin_reads_the_folder(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")

    class Network(SmallNetwork, hub.PyTorchModelHubMixin):  # type: ignore[misc,name-defined]
        def __init__(self, num_classes: int) -> None:
            super().__init__(num_classes)

    ours = networks.build("small", outputs=3)
    folder = saved(tmp_path, ours, "small")
    theirs = Network.from_pretrained(folder)
    assert all(torch.equal(theirs.state_dict()[k], v) for k, v in ours.state_dict().items())


def test_the_configuration_names_stem_and_head(tmp_path: Path) -> None:
    config = read_config(saved(tmp_path, db.get_model("resnet18", outputs=3), "resnet18"))
    assert config["pretrained_cfg"]["first_conv"] == "conv1"
    assert config["pretrained_cfg"]["classifier"] == "fc"
    assert (config["num_classes"], config["num_features"]) == (3, 512)
    assert config["deepbench_torch"]["min_size"] == 1
    assert (tmp_path / "resnet18" / CONFIG).stat().st_mode & 0o777 == (
        tmp_path / "resnet18" / WEIGHTS
    ).stat().st_mode & 0o777
