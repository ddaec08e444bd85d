"""What runs an encoder over batches of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class EmbeddingUnusable(ValueError):
    """The network gave numbers that have no direction: not finite, or all zero."""

    code: ClassVar[str] = "embedding_unusable"


class DeviceUnavailable(RuntimeError):
    """The device asked for is not there."""

    code: ClassVar[str] = "device_unavailable"


@runtime_checkable
class Engine(Protocol):
    """An opened encoder on one device. `run` may be called from several threads at once."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int:
        """D, the length of an embedding."""
        ...

    @property
    def input_size(self) -> int:
        """S, the side of the square input in pixels."""
        ...

    @property
    def batch(self) -> int:
        """The number of pictures a batch that suits this engine best."""
        ...

    def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Batches of (b, S, S, 3) uint8 RGB, 1 <= b <= batch -> (b, D) float32 of length one, in the same order.

        Lazy, with a bounded number in flight; a batch may be reused by its owner once the next one has been asked for.
        Raises ValueError for another shape or type, EmbeddingUnusable.
        """
        ...


def check_batch(engine: Engine, pixels: Pixels) -> Pixels:
    """The batch itself if the engine takes it; ValueError otherwise."""
    size = engine.input_size
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (size, size, 3) or not 1 <= len(pixels) <= engine.batch:
        raise ValueError(
            f"a batch is uint8 (1 to {engine.batch}, {size}, {size}, 3), not {pixels.dtype} {pixels.shape}"
        )
    return pixels


def unit_rows(outputs: NDArray[np.floating]) -> Vectors:
    """(B, D) -> (B, D) new float32 rows of length one. Raises EmbeddingUnusable."""
    lengths = np.linalg.norm(outputs.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise EmbeddingUnusable("an embedding is not finite or all zero: the encoder's weights are broken")
    rows: Vectors = (outputs / lengths).astype(np.float32)
    return rows
