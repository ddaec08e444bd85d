from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from models.encoders.hub import HubEncoder
from models.engines.base import Engine, Pixels
from models.engines.torch import IN_FLIGHT, TorchEngine


@pytest.fixture(params=["cpu", "cuda"])
def engine(request: pytest.FixtureRequest, tiny: HubEncoder) -> TorchEngine:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return TorchEngine(tiny, device=request.param)


@pytest.fixture(scope="module")
def pictures() -> Pixels:
    coarse = np.random.default_rng(5).integers(0, 256, (10, 7, 7, 3), np.uint8)
    return coarse.repeat(32, axis=1).repeat(32, axis=2)


def test_fields(engine: TorchEngine, tiny: HubEncoder) -> None:
    assert isinstance(engine, Engine)
    assert (engine.dim, engine.input_size) == (tiny.dim, tiny.input_size)


def test_equals_the_network_applied_by_hand(engine: TorchEngine, tiny: HubEncoder, pictures: Pixels) -> None:
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (tiny.mean, tiny.std))
    images = (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(tiny.load()(images)).numpy()
    vectors = np.concatenate(list(engine.run(np.split(pictures, [3, 4, 6]))))
    assert (vectors * expected).sum(axis=1).min() > (0.999999 if engine.name == "torch-cpu" else 0.99)


def test_bounded_in_flight_and_in_order(engine: TorchEngine, pictures: Pixels) -> None:
    taken: list[int] = []

    def source() -> Iterator[Pixels]:
        buffer = np.empty_like(pictures[:1])
        for number in range(10):
            taken.append(number)
            buffer[0] = pictures[number]  # the engine must be done with the last one
            yield buffer

    results = engine.run(source())
    first = next(results)
    assert len(taken) <= IN_FLIGHT + 1
    vectors = np.concatenate([first, *results])
    whole = np.concatenate(list(engine.run([pictures[:8], pictures[8:]])))
    np.testing.assert_allclose(vectors, whole, atol=1e-5 if engine.name == "torch-cpu" else 0.05)


def test_another_shape_is_refused(engine: TorchEngine) -> None:
    with pytest.raises(ValueError, match="a batch is uint8"):
        list(engine.run([np.zeros((1, 128, 128, 3), np.uint8)]))
