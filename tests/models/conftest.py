"""A converted efficientnet-lite0, made once a session under watch, and working copies to embed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from models import registry
from models.encoders.export import openvino_ir
from models.encoders.hub import HubEncoder

# Loaded by every Python child process: notes each way out to the network and bars it.
WATCH = """
import os, sys

def note(line):
    with open(os.environ["NETWORK_LOG"], "a") as log:
        log.write(line + "\\n")

def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}:
        note(f"{event} {arguments}")
        raise OSError("the network is barred in this test")

sys.addaudithook(watch)
note("watching " + " ".join(sys.orig_argv[1:]))
"""


@pytest.fixture(scope="session")
def watched_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], dict[str, str]]:
    """log file -> environment under which Python child processes cannot reach the network and log that they tried."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "sitecustomize.py").write_text(WATCH)
    quiet = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    return lambda log: {**quiet, "PYTHONPATH": str(folder), "NETWORK_LOG": str(log), "HOME": str(folder)}


@dataclass(frozen=True)
class Conversion:
    cache: Path
    ir: Path
    network_log: str


@pytest.fixture(scope="session")
def lite0(
    tmp_path_factory: pytest.TempPathFactory, watched_environment: Callable[[Path], dict[str, str]]
) -> Iterator[Conversion]:
    """efficientnet-lite0 converted by openvino_ir, its child process under watch."""
    folder = tmp_path_factory.mktemp("ir")
    log = folder / "network.log"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in watched_environment(log).items():
            patch.setenv(name, value)
        for name in ("CI", "TF_BUILD", "JENKINS_URL"):
            patch.delenv(name, raising=False)
        ir = openvino_ir(registry.load("encoders", "efficientnet-lite0"), folder / "cache")
    yield Conversion(folder / "cache", ir, log.read_text())


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubEncoder:
    """A small transformer whose (random) weights lie where a person would put them."""
    import timm  # here, since most of these tests need no torch
    import torch
    from safetensors.torch import save_file

    monkeypatch.setenv("ROOST_ENCODER_DIR", str(tmp_path / "own"))
    encoder = HubEncoder(name="tiny", base="test_vit.r160_in1k", dim=64, licence="Apache-2.0", summary="A test.")
    encoder.folder().mkdir(parents=True)
    torch.manual_seed(0)
    save_file(timm.create_model("test_vit").state_dict(), encoder.folder() / "model.safetensors")
    return encoder


@pytest.fixture(scope="session")
def working_copies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """21 different JPEGs with a short side of 256, upright and lying."""
    folder = tmp_path_factory.mktemp("copies")
    rng = np.random.default_rng(7)
    return [_working_copy(folder / f"{number:02}.jpg", number, rng) for number in range(21)]


def _working_copy(file: Path, number: int, rng: np.random.Generator) -> Path:
    height, width = (256, 340) if number % 2 else (310, 256)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / rng.uniform(4, 40) + columns / rng.uniform(4, 40) + rng.uniform(0, 6)) for _ in range(3)]
    pixels = (127 + 90 * np.stack(waves, axis=2) + rng.normal(0, 8, (height, width, 3))).clip(0, 255).astype(np.uint8)
    file.write_bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorsubsampling="420"))
    return file
