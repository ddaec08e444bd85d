"""An engine without a network, for tests of what stands around one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from models.engines.base import Pixels, Vectors, check_batch, unit_rows


@dataclass(frozen=True)
class FakeEngine:
    """Embeds a picture as the mean colours of a grid of cells: alike pictures get alike vectors, always the same."""

    cells: int = 4  # a side
    input_size: int = 224
    batch: int = 8
    name: str = "fake"

    @property
    def dim(self) -> int:
        return 3 * self.cells**2

    def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        for pixels in batches:
            yield unit_rows(self._mean_colours(check_batch(self, pixels)))

    def _mean_colours(self, pixels: Pixels) -> Vectors:
        side = self.input_size // self.cells
        inside = pixels[:, : side * self.cells, : side * self.cells]
        cells = inside.reshape(len(pixels), self.cells, side, self.cells, side, 3)
        # The 1 keeps a black picture from having no direction.
        colours: Vectors = 1 + cells.mean(axis=(2, 4), dtype=np.float32).reshape(len(pixels), self.dim)
        return colours
