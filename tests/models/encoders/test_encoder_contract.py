"""What holds for every registered encoder."""

import numpy as np
import pytest

from models import registry
from models.encoders.base import Encoder, EncoderUnavailable
from models.engines.torch import TorchEngine

NAMES = registry.names("encoders")


@pytest.fixture(params=NAMES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return registry.load("encoders", request.param)


def test_fields(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.name in NAMES
    assert registry.load("encoders", encoder.name) is encoder
    assert encoder.origin in ("builtin", "hub")
    assert encoder.base and encoder.licence and encoder.summary.endswith(".")
    assert encoder.dim > 0 and 32 <= encoder.input_size <= 256, "a working copy has 256 pixels to give"
    assert len(encoder.mean) == len(encoder.std) == 3
    assert all(0 < value < 1 for value in (*encoder.mean, *encoder.std)), "in units of 0..1, not 0..255"


def test_available_means_hashable_and_unavailable_says_why(encoder: Encoder) -> None:
    if (reason := encoder.unavailable()) is None:
        assert len(bytes.fromhex(encoder.sha256())) == 32
        return
    assert reason.endswith(".") and ".safetensors" in reason
    with pytest.raises(EncoderUnavailable) as caught:
        encoder.sha256()
    assert str(caught.value) == reason


def test_embeds(encoder: Encoder) -> None:
    if reason := encoder.unavailable():
        pytest.skip(reason)
    engine = TorchEngine(encoder, device="cpu")
    pixels = np.random.default_rng(1).integers(0, 256, (3, encoder.input_size, encoder.input_size, 3), np.uint8)
    (vectors,) = engine.run([pixels])
    assert vectors.shape == (3, encoder.dim) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] < 0.99999, "different pictures must differ"
