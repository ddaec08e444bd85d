from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import registry
from models.encoders.base import EncoderHashMismatch, EncoderUnavailable
from models.encoders.packaged_efficientnet import PackagedEfficientNet, by_position

LITE0: PackagedEfficientNet = registry.load("encoders", "efficientnet-lite0")


def test_load_gives_the_packaged_weights_in_evaluation_mode() -> None:
    network = LITE0.load()
    assert not network.training
    path = LITE0.path()
    assert path is not None
    packaged = torch.load(path, weights_only=True)
    assert torch.equal(network.state_dict()["conv_stem.weight"], packaged["_conv_stem.weight"])
    assert torch.equal(network.state_dict()["bn2.running_var"], packaged["_bn1.running_var"])
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 224, 224)).shape == (1, LITE0.dim)


def test_another_file_is_refused_before_it_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Canary:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "fired",)

    torch.save({"conv": Canary()}, tmp_path / "weights.pth")
    monkeypatch.setattr(PackagedEfficientNet, "path", lambda self: tmp_path / "weights.pth")
    with pytest.raises(EncoderHashMismatch, match=LITE0.digest):
        LITE0.load()
    assert not (tmp_path / "fired").exists()


def test_a_missing_package_is_named() -> None:
    missing = replace(LITE0, package="no_such_package")
    assert "no_such_package" in (missing.unavailable() or "")
    for use in (missing.load, missing.sha256):
        with pytest.raises(EncoderUnavailable, match="Install the package no_such_package"):
            use()


def test_by_position_renames_and_checks() -> None:
    target = {"a": torch.zeros(2, 3), "b": torch.zeros(4)}
    weights = {"x": torch.ones(2, 3), "y": torch.full((4,), 2.0)}
    assert {name: value.mean().item() for name, value in by_position(weights, target).items()} == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match=r"y \(5,\) does not fit b \(4,\)"):
        by_position({"x": torch.ones(2, 3), "y": torch.ones(5)}, target)
    with pytest.raises(ValueError, match="1 entries cannot fill 2"):
        by_position({"x": torch.ones(2, 3)}, target)
