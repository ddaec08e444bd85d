"""Hub encoders, with a small checkpoint in a cache of the hub's own layout and no network."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import get_pretrained_cfg

from models import registry
from models.encoders.base import EncoderDamaged, EncoderUnavailable
from models.encoders.hub import FILE, HubEncoder

TINY = HubEncoder(name="tiny", base="test_vit.r160_in1k", dim=64, licence="Apache-2.0", summary="A test.")
HUB = [registry.load("encoders", name) for name in registry.names("encoders")]


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("ROOST_ENCODER_DIR", str(tmp_path / "own"))


def tiny_weights(seed: int) -> dict[str, torch.Tensor]:
    """As published: for 160 pixels, with a classifier."""
    torch.manual_seed(seed)
    return timm.create_model("test_vit", num_classes=1000).state_dict()


def in_hub_cache(tmp_path: Path) -> Path:
    repository = tmp_path / "hub" / "models--timm--test_vit.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123abc")
    return repository / "snapshots" / "0123abc" / FILE


def in_own_folder(tmp_path: Path) -> Path:
    return tmp_path / "own" / "tiny" / FILE


@pytest.mark.parametrize("place", [in_hub_cache, in_own_folder])
def test_loads_from_either_place(place: Callable[[Path], Path], tmp_path: Path) -> None:
    file = place(tmp_path)
    file.parent.mkdir(parents=True)
    weights = tiny_weights(3)
    save_file(weights, file)

    assert TINY.unavailable() is None and len(TINY.sha256()) == 64
    network = TINY.load()
    assert not network.training
    assert torch.equal(network.state_dict()["blocks.0.attn.qkv.weight"], weights["blocks.0.attn.qkv.weight"])
    assert weights["pos_embed"].shape[1] == 10 * 10 + 1
    assert network.state_dict()["pos_embed"].shape[1] == 14 * 14 + 1, "resampled to 224 pixels"
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 224, 224)).shape == (2, TINY.dim)


def test_the_hash_follows_the_file(tmp_path: Path) -> None:
    file = in_own_folder(tmp_path)
    file.parent.mkdir(parents=True)
    save_file(tiny_weights(1), file)
    first = TINY.sha256()
    save_file({**tiny_weights(2), "more": torch.zeros(1)}, file)
    assert TINY.sha256() != first


def test_missing_names_file_and_folder(tmp_path: Path) -> None:
    reason = TINY.unavailable()
    assert reason is not None
    assert FILE in reason and str(tmp_path / "own" / "tiny") in reason and "timm/test_vit.r160_in1k" in reason
    for use in (TINY.load, TINY.sha256):
        with pytest.raises(EncoderUnavailable) as caught:
            use()
        assert str(caught.value) == reason


def test_only_safetensors_is_read(tmp_path: Path) -> None:
    class Canary:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "fired",)

    folder = tmp_path / "own" / "tiny"
    folder.mkdir(parents=True)
    for name in ("pytorch_model.bin", "model.pth"):
        (folder / name).write_bytes(pickle.dumps(Canary()))
    assert TINY.unavailable() is not None, "a pickle is no weight file"
    (folder / FILE).write_bytes(pickle.dumps(Canary()))
    with pytest.raises(EncoderDamaged, match="does not fit the network"):
        TINY.load()
    assert not (tmp_path / "fired").exists()


def test_another_networks_weights_are_refused(tmp_path: Path) -> None:
    file = in_own_folder(tmp_path)
    file.parent.mkdir(parents=True)
    for weights in (
        {"conv.weight": torch.zeros(3, 3)},
        {name: value for name, value in tiny_weights(1).items() if name != "norm.weight"},
        {**tiny_weights(1), "norm.weight": torch.zeros(65)},
    ):
        save_file(weights, file)
        with pytest.raises(EncoderDamaged, match="does not fit the network"):
            TINY.load()


@pytest.mark.parametrize("encoder", [encoder for encoder in HUB if encoder.origin == "hub"], ids=lambda one: one.name)
def test_declared_fields_agree_with_timm(encoder: HubEncoder) -> None:
    config = get_pretrained_cfg(encoder.base)
    assert config is not None and config.hf_hub_id == encoder.repository
    assert (config.mean, config.std) == (encoder.mean, encoder.std)
    assert config.license is not None and config.license.lower() == encoder.licence.lower()
    with torch.device("meta"):
        network = timm.create_model(encoder.base, num_classes=0, img_size=encoder.input_size)
    assert network.num_features == encoder.dim


def test_without_network_it_says_so_after_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def unreachable(host: str, *_: object, **__: object) -> None:
        tried.append(host)
        raise socket.gaierror("no such host")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    with pytest.raises(EncoderUnavailable, match="or let this machine reach the hub once"):
        TINY.load()
    assert len(tried) == 1
