from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models import registry
from models.embedding import load_pixels
from models.engines.base import EmbeddingUnusable, Engine, Pixels, unit_rows
from models.engines.openvino import OpenVinoEngine
from models.engines.torch import TorchEngine
from tests.models.conftest import Conversion


@pytest.fixture(scope="module")
def pictures(working_copies: list[Path]) -> Pixels:
    return np.stack([load_pixels(path, 224) for path in working_copies[:9]])


@pytest.fixture(scope="module")
def engine(lite0: Conversion) -> OpenVinoEngine:
    return OpenVinoEngine(lite0.ir, precision="f32")


@pytest.fixture(scope="module")
def expected(pictures: Pixels) -> np.ndarray:
    """By torch, which knows nothing of the conversion."""
    torch_engine = TorchEngine(registry.load("encoders", "efficientnet-lite0"), device="cpu")
    return np.concatenate(list(torch_engine.run(cut(pictures, 8))))


def cut(pictures: Pixels, size: int) -> list[Pixels]:
    return [pictures[start : start + size] for start in range(0, len(pictures), size)]


def test_fields(engine: OpenVinoEngine) -> None:
    assert isinstance(engine, Engine)
    assert (engine.dim, engine.input_size) == (1280, 224)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_agrees_with_torch_in_order_whatever_the_batch(
    engine: OpenVinoEngine, pictures: Pixels, expected: np.ndarray, size: int
) -> None:
    batches = list(engine.run(cut(pictures, size)))
    assert [len(batch) for batch in batches] == [len(batch) for batch in cut(pictures, size)]
    vectors = np.concatenate(batches)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * expected).sum(axis=1).min() > 0.9999
    assert (vectors @ expected.T).argmax(axis=1).tolist() == list(range(len(pictures))), "in the order given"


def test_the_processors_own_precision_stays_close(lite0: Conversion, pictures: Pixels, expected: np.ndarray) -> None:
    vectors = np.concatenate(list(OpenVinoEngine(lite0.ir).run(cut(pictures, 4))))
    assert (vectors * expected).sum(axis=1).mean() > 0.99


def test_one_picture_at_a_time(lite0: Conversion, pictures: Pixels, expected: np.ndarray) -> None:
    engine = OpenVinoEngine(lite0.ir, batch=1, precision="f32")
    assert engine.batch == 1
    (vector,) = engine.run([pictures[5:6]])
    assert vector.shape == (1, 1280) and float(vector[0] @ expected[5]) > 0.9999


def test_results_are_not_overwritten_by_later_batches(engine: OpenVinoEngine, pictures: Pixels) -> None:
    kept = list(engine.run(cut(pictures, 1)))
    again = [next(iter(engine.run([picture]))) for picture in cut(pictures, 1)]
    np.testing.assert_allclose(np.concatenate(kept), np.concatenate(again), atol=1e-6)


def test_a_batch_may_be_reused_by_its_owner(engine: OpenVinoEngine, pictures: Pixels, expected: np.ndarray) -> None:
    def in_one_buffer() -> Iterator[Pixels]:
        buffer = np.empty_like(pictures[:1])
        for picture in pictures:
            buffer[0] = picture
            yield buffer

    assert (np.concatenate(list(engine.run(in_one_buffer()))) * expected).sum(axis=1).min() > 0.9999


def test_threads_do_not_meet(engine: OpenVinoEngine, pictures: Pixels, expected: np.ndarray) -> None:
    def run(offset: int) -> float:
        turned = np.roll(pictures, offset, axis=0)
        vectors = np.concatenate(list(engine.run(cut(turned, 4))))
        return float((np.roll(vectors, -offset, axis=0) * expected).sum(axis=1).min())

    with ThreadPoolExecutor(4) as pool:
        assert min(pool.map(run, range(4))) > 0.9999


def test_takes_batches_lazily(engine: OpenVinoEngine, pictures: Pixels) -> None:
    taken = []

    def source() -> Iterator[Pixels]:
        for number in range(1000):
            taken.append(number)
            yield pictures[:1]

    results = engine.run(source())
    assert taken == []
    next(results)
    assert len(taken) < 100
    results.close()  # type: ignore[attr-defined]  # every engine's run is a generator


def test_no_batches_no_results(engine: OpenVinoEngine) -> None:
    assert list(engine.run([])) == []


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((1, 223, 224, 3), np.uint8),
        np.zeros((0, 224, 224, 3), np.uint8),
        np.zeros((5, 224, 224, 3), np.uint8),
        np.zeros((224, 224, 3), np.uint8),
    ],
)
def test_another_shape_or_type_is_refused(engine: OpenVinoEngine, batch: Pixels) -> None:
    with pytest.raises(ValueError, match="a batch is uint8"):
        list(engine.run([batch]))


@pytest.mark.parametrize("broken", [0.0, np.nan, np.inf])
def test_an_output_without_direction_is_an_error(broken: float) -> None:
    outputs = np.ones((3, 4), np.float32)
    outputs[1] = broken
    with pytest.raises(EmbeddingUnusable):
        unit_rows(outputs)


def test_serving_a_query_does_not_import_torch(lite0: Conversion, working_copies: list[Path]) -> None:
    script = f"""
import sys
from pathlib import Path
from models import registry
from models.engines import open_engine
from models.embedding import load_pixels
encoder = registry.load("encoders", "efficientnet-lite0")
engine = open_engine(encoder, cache=Path({str(lite0.cache)!r}), device="cpu", batch=1)
(vector,) = engine.run([load_pixels(Path({str(working_copies[0])!r}).read_bytes(), engine.input_size)[None]])
print(vector.shape, sorted({{"torch", "timm", "sklearn", "scipy", "openvino_telemetry"}} & {{
    name for name, module in sys.modules.items() if module is not None}}))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "(1, 1280) []"


def test_signals_are_handled_after_engines_whose_lives_overlapped(lite0: Conversion) -> None:
    script = f"""
import faulthandler, os, signal
from pathlib import Path
from models.engines.openvino import OpenVinoEngine
faulthandler.enable()
handled = []
signal.signal(signal.SIGUSR1, lambda *_: handled.append(True))
first = OpenVinoEngine(Path({str(lite0.ir)!r}))
second = OpenVinoEngine(Path({str(lite0.ir)!r}))
del first
del second
os.kill(os.getpid(), signal.SIGUSR1)
print(handled)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, "[True]")
