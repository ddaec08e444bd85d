from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import engines, registry
from models.engines import open_engine
from models.engines.base import DeviceUnavailable, Engine
from models.engines.fake import FakeEngine
from tests.models.conftest import Conversion

LITE0 = registry.load("encoders", "efficientnet-lite0")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "cuda_works", lambda: False)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_openvino_without_a_gpu(no_gpu: None, lite0: Conversion, device: str) -> None:
    engine = open_engine(LITE0, device=device, cache=lite0.cache)
    assert isinstance(engine, Engine) and engine.name == "openvino"


def test_cuda_that_is_not_there(no_gpu: None, tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="ROOST_DEVICE"):
        open_engine(LITE0, device="cuda", cache=tmp_path)


@pytest.mark.parametrize("arguments", [{"device": "tpu"}, {"batch": 0}, {"batch": -3}])
def test_refuses_other_devices_and_batches(tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"device is one of|at least 1"):
        open_engine(LITE0, cache=tmp_path, **arguments)  # type: ignore[arg-type]


def test_the_fake_keeps_the_contract() -> None:
    engine = FakeEngine()
    assert isinstance(engine, Engine)
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (size, 224, 224, 3), np.uint8) for size in (8, 8, 3)]
    results = list(engine.run(batches))
    assert [result.shape for result in results] == [(8, engine.dim), (8, engine.dim), (3, engine.dim)]
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(results), axis=1), 1, atol=1e-6)
    (black,) = engine.run([np.zeros((1, 224, 224, 3), np.uint8)])
    assert np.isfinite(black).all()
