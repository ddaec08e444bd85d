from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from models import registry
from models.disk import DiskFull
from models.encoders import export
from models.encoders.base import EncoderUnavailable
from models.encoders.export import ExportFailed, convert, openvino_ir
from models.encoders.hub import HubEncoder
from models.engines.openvino import openvino_core
from tests.fixtures.full_disk import FOREVER, FullDisk
from tests.models.conftest import Conversion


def test_the_file_lies_under_the_hash_and_takes_pixels(lite0: Conversion) -> None:
    assert lite0.ir == lite0.cache / registry.load("encoders", "efficientnet-lite0").sha256() / "model.xml"
    assert sorted(path.name for path in lite0.cache.rglob("*")) == [lite0.ir.parent.name, "model.bin", "model.xml"]
    model = openvino_core().read_model(lite0.ir)
    image, embedding = model.input("image"), model.output("embedding")
    assert (image.element_type.to_string(), str(image.partial_shape)) == ("u8", "[?,224,224,3]")
    assert (embedding.element_type.to_string(), str(embedding.partial_shape)) == ("f32", "[?,1280]")


def test_nothing_left_the_machine(lite0: Conversion) -> None:
    lines = lite0.network_log.splitlines()
    assert any("models.encoders.export efficientnet-lite0" in line for line in lines), "the watch was in place"
    assert [line for line in lines if not line.startswith("watching")] == []


def test_made_once(lite0: Conversion) -> None:
    before = lite0.ir.stat()
    assert openvino_ir(registry.load("encoders", "efficientnet-lite0"), lite0.cache) == lite0.ir
    assert lite0.ir.stat() == before


def test_a_transformer_is_converted_and_stays_when_made_twice(tiny: HubEncoder, tmp_path: Path) -> None:
    convert(tiny, tmp_path / "cache")
    ir = tmp_path / "cache" / tiny.sha256() / "model.xml"
    inode = ir.stat().st_ino
    convert(tiny, tmp_path / "cache")
    assert ir.stat().st_ino == inode
    assert list((tmp_path / "cache").iterdir()) == [ir.parent]
    assert stat.S_IMODE(ir.parent.stat().st_mode) == 0o755


def test_what_does_not_fit_is_not_published(tiny: HubEncoder, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"not \(2, 32\)"):
        convert(replace(tiny, dim=32), tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_a_model_that_computes_something_else_is_found_out(lite0: Conversion) -> None:
    encoder = registry.load("encoders", "efficientnet-lite0")
    network, model = encoder.load(), openvino_core().read_model(lite0.ir)
    export._check(encoder, network, model)
    network.bn2.bias.data += 1
    with pytest.raises(ExportFailed, match="cosine"):
        export._check(encoder, network, model)


def test_one_of_many_publishers_wins_whole(tmp_path: Path) -> None:
    start = Barrier(8)

    def publish(number: int) -> None:
        partial = tmp_path / f"{number}.partial"
        partial.mkdir()
        for name in ("model.xml", "model.bin"):
            (partial / name).write_text(str(number))
        start.wait()
        export._publish(partial, tmp_path / "target")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish, range(8)))
    assert (tmp_path / "target" / "model.xml").read_text() == (tmp_path / "target" / "model.bin").read_text()


def test_an_unavailable_encoder_says_so_through_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_ENCODER_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(EncoderUnavailable) as caught:
        openvino_ir(registry.load("encoders", "dino-small"), tmp_path / "cache")
    assert str(caught.value) == registry.load("encoders", "dino-small").unavailable()


def test_a_full_disk_says_so_through_the_child(
    full_disk_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache := tmp_path / "cache").mkdir()
    disk = FullDisk(cache, tmp_path / "control")
    for name, value in disk.environment(full_disk_library).items():
        monkeypatch.setenv(name, value)
    disk.fill(1, FOREVER)
    with pytest.raises(DiskFull, match="free some space"):
        openvino_ir(registry.load("encoders", "efficientnet-lite0"), cache)
    assert disk.empty() > 0 and list(cache.iterdir()) == []
