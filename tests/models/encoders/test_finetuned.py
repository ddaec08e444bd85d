"""A fine-tuned encoder's folder: what is written is what is read, and nothing else is."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.encoders.base import (
    Encoder,
    EncoderDamaged,
    EncoderHashMismatch,
    EncoderUnavailable,
)
from models.encoders.finetuned import FinetunedEncoder, fingerprint, publish
from models.engines import open_engine
from models.engines.torch import TorchEngine
from tests.fixtures.encoders import RECIPE

LITE0 = registry.load("encoders", "efficientnet-lite0")
FILES = ["encoder.json", "model.bin", "model.safetensors", "model.xml"]


@pytest.fixture
def copied(untrained: FinetunedEncoder, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained.folder, tmp_path / "copied"))


def described(folder: Path, **changes: Any) -> FinetunedEncoder:
    """The folder's encoder after its description was changed."""
    file = folder / "encoder.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return FinetunedEncoder.open(folder)


def test_the_description_is_whole_and_true(untrained: FinetunedEncoder) -> None:
    assert sorted(path.name for path in untrained.folder.iterdir()) == FILES
    said = json.loads((untrained.folder / "encoder.json").read_text())
    assert {name: said[name] for name in RECIPE.model_dump()} == RECIPE.model_dump()
    assert (said["architecture"], said["licence"]) == ("tf_efficientnet_lite0", "Apache-2.0")
    contents = {name: (untrained.folder / name).read_bytes() for name in FILES}
    assert said["sha256"] == sha256(contents["model.safetensors"]).hexdigest()
    assert said["ir_sha256"] == sha256(contents["model.xml"] + contents["model.bin"]).hexdigest()
    assert said["versions"] == {name: version(name) for name in ("roost", "torch", "timm", "openvino")}
    assert datetime.fromisoformat(said["created_at"]) <= datetime.now(UTC)


def test_it_is_an_encoder(untrained: FinetunedEncoder) -> None:
    assert isinstance(untrained, Encoder)
    assert (untrained.name, untrained.origin, untrained.transformer) == ("untrained", "finetuned", False)
    for name in ("base", "dim", "input_size", "mean", "std", "licence"):
        assert getattr(untrained, name) == getattr(LITE0, name)
    assert untrained.unavailable() is None and untrained.sha256() == untrained.description.sha256
    assert untrained.summary == "efficientnet-lite0, fine-tuned with simclr on 2 pictures."


def test_both_engines_give_the_published_networks_vectors(untrained: FinetunedEncoder, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, 224, 224, 3), np.uint8)
    (served,) = open_engine(untrained, device="cpu", cache=tmp_path / "unused").run([pixels])
    (loaded,) = TorchEngine(untrained, device="cpu").run([pixels])
    assert (served * loaded).sum(axis=1).min() > 0.9999
    assert not (tmp_path / "unused").exists(), "its own model is used as it is"


def test_what_is_loaded_is_what_was_published(untrained: FinetunedEncoder) -> None:
    import torch

    torch.manual_seed(0)  # as the fixture did
    published, loaded = LITE0.network().state_dict(), untrained.load()
    assert not loaded.training and loaded.state_dict().keys() == published.keys()
    assert all(torch.equal(value, published[name]) for name, value in loaded.state_dict().items())


def test_opening_and_embedding_import_no_torch(untrained: FinetunedEncoder, tmp_path: Path) -> None:
    script = f"""
import sys
import numpy as np
from pathlib import Path
from models.encoders.finetuned import FinetunedEncoder
from models.engines import open_engine
encoder = FinetunedEncoder.open(Path({str(untrained.folder)!r}))
assert encoder.unavailable() is None and encoder.sha256()
engine = open_engine(encoder, device="cpu", cache=Path("unused"), batch=1)
print(next(engine.run([np.zeros((1, 224, 224, 3), np.uint8)])).shape, {{"torch", "timm"}} & sys.modules.keys())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "(1, 1280) set()"


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "model.xml"])
def test_a_flipped_byte_is_noticed(copied: Path, name: str, tmp_path: Path) -> None:
    encoder = FinetunedEncoder.open(copied)
    encoder.sha256(), encoder.ir()  # what is remembered of before must not count
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    uses = [encoder.sha256, encoder.load] if name == "model.safetensors" else [encoder.ir]
    uses += [] if name == "model.safetensors" else [lambda: open_engine(encoder, device="cpu", cache=tmp_path)]
    for use in uses:
        with pytest.raises(EncoderHashMismatch):
            use()


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin", "model.xml"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    encoder = FinetunedEncoder.open(copied)
    reason = encoder.unavailable()
    assert reason and reason.startswith(name) and reason.endswith(".")
    for use in [encoder.sha256, encoder.load] if name == "model.safetensors" else [encoder.ir]:
        with pytest.raises(EncoderUnavailable, match=name):
            use()


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"name": "x"}', "\udcff"])
def test_a_description_that_is_none(copied: Path, text: str) -> None:
    (copied / "encoder.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EncoderDamaged, match="describes no encoder"):
        FinetunedEncoder.open(copied)


@pytest.mark.parametrize("change", [{"dim": 0}, {"base": "resnet-9000"}, {"mean": [0.5]}, {"created_at": "yesterday"}])
def test_a_description_that_can_not_be_true(copied: Path, change: dict[str, Any]) -> None:
    with pytest.raises(EncoderDamaged, match=next(iter(change.values())) if "base" in change else next(iter(change))):
        described(copied, **change)


def test_a_folder_without_an_encoder(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(EncoderUnavailable, match="no fine-tuned encoder"):
            FinetunedEncoder.open(folder)


def test_weights_of_another_network(copied: Path) -> None:
    import torch
    from safetensors.torch import save

    weights = save({"weight": torch.zeros(3)})
    (copied / "model.safetensors").write_bytes(weights)
    with pytest.raises(EncoderDamaged, match="does not fit"):
        described(copied, sha256=sha256(weights).hexdigest()).load()


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_opened(copied: Path, tmp_path: Path) -> None:
    weights = pickle.dumps(Canary(tmp_path / "fired"))
    (copied / "model.safetensors").write_bytes(weights)
    with pytest.raises(EncoderDamaged):
        described(copied, sha256=sha256(weights).hexdigest()).load()
    assert not (tmp_path / "fired").exists()
    pickle.loads(weights)
    assert (tmp_path / "fired").exists(), "it would have"


def test_publishing_what_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    from torch import nn

    with pytest.raises(EncoderDamaged, match="does not fit"):
        publish(nn.Linear(3, 4), RECIPE, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_publishing_never_replaces(copied: Path) -> None:
    before = (copied / "encoder.json").read_bytes()
    with pytest.raises(FileExistsError):
        publish(LITE0.network(), RECIPE, copied)
    assert (copied / "encoder.json").read_bytes() == before


FULL = """
import sys
from pathlib import Path
import numpy as np
from models import registry
from models.encoders.base import EncoderStorageFull
from models.encoders.finetuned import publish, _storage_full_named
from models.engines.telemetry import import_openvino
from tests.fixtures.encoders import RECIPE
disk = Path(sys.argv[1])
try:
    publish(registry.load("encoders", RECIPE.base).network(), RECIPE, disk / "new")
except EncoderStorageFull as error:
    print(error.code, list(disk.iterdir()))
openvino = import_openvino()
constant = openvino.opset13.constant(np.random.default_rng(0).random((1 << 20,), np.float32))
model = openvino.Model([openvino.opset13.result(constant)], [])
(disk / "partial").mkdir()
(disk / "partial" / "model.safetensors").write_bytes(bytes(1 << 19))
try:
    with _storage_full_named(disk / "partial"):
        openvino.save_model(model, disk / "partial" / "model.xml")
except EncoderStorageFull as error:
    print(type(error.__cause__).__name__)
"""


def test_a_full_disk_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    """A real one of one megabyte: for what Python writes, and for what OpenVINO writes, which names no reason."""
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk of its own")
    command = [*mount, sys.executable, "-c", FULL, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert run.stdout.split("\n")[:2] == ["storage_full []", "RuntimeError"], run.stderr


def test_a_fingerprint_is_of_the_set_of_images() -> None:
    one, two = "1" * 64, "2" * 64
    assert fingerprint([one, two]) == fingerprint([two, one]) == sha256(f"{one}\n{two}\n".encode()).hexdigest()
    assert len({fingerprint([]), fingerprint([one]), fingerprint([one, two])}) == 3
