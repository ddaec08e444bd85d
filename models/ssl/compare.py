"""Encoders measured on equal terms: on the same views of the same held-out images, and on labels if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.embedding import embed
from models.engines.base import Engine
from models.evaluation.features import rankme, retrieval, spread
from models.ssl.dataset import Key, ViewDataset, WorkingCopies
from models.ssl.views import augmented

SHARE, LEAST, MOST = 0.1, 8, 512  # of the images are held out
CROP = 0.3
SEED = 0  # the same views for every encoder

Measures = dict[str, float]


def held_out(hashes: Sequence[str]) -> list[int]:
    """Which images are never trained on: the tenth with the lowest SHA-256, so that every run keeps back the same."""
    count = min(MOST, max(LEAST, round(SHARE * len(hashes))))
    return sorted(sorted(range(len(hashes)), key=hashes.__getitem__)[:count])


class HeldOut:
    """Two random views of each held-out image, made once for every encoder of one input size."""

    def __init__(self, paths: Sequence[Path], size: int, workers: int = 0) -> None:
        """paths: working copies. Raises WorkingCopyUnreadable."""
        view = augmented(size, CROP)
        dataset = ViewDataset(WorkingCopies(paths), {"first": view, "second": view}, SEED)
        batches = dataset.batches(([Key(index, 0, {})] for index in range(len(paths))), workers)
        pairs = [np.stack([batch["first"][0].numpy(), batch["second"][0].numpy()]) for batch in batches]
        self.pixels = np.stack(pairs).transpose(0, 1, 3, 4, 2)  # (H, 2, S, S, 3) uint8

    def vectors(self, engine: Engine) -> np.ndarray:
        """(H, 2, D) of length one."""
        flat = np.ascontiguousarray(self.pixels.reshape(-1, *self.pixels.shape[2:]))
        found = np.concatenate(list(engine.run(_batches(flat, engine.batch))))
        return found.reshape(len(self.pixels), 2, -1)


def _batches(pixels: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (pixels[start : start + size] for start in range(0, len(pixels), size))


def vectors(paths: Sequence[Path], engine: Engine) -> Iterator[np.ndarray]:
    """(b, D) blocks of the images' vectors, as the service makes them."""
    return embed(paths, engine)


def measures(plain: np.ndarray, views: np.ndarray, labels: Sequence[str | None] | None = None) -> Measures:
    """What is known of an encoder from (N, D) vectors of a gallery and (H, 2, D) of its held-out views.

    retrieval  how often one view of a held-out image finds the other
    spread     of the vectors, times sqrt(D); rankme, their effective rank
    With labels of at least two kinds, also: knn, linear_1 to linear_100, nmi, ari, accuracy (see models/evaluation).
    """
    found: Measures = {
        "retrieval": retrieval(views[:, 0], views[:, 1]),
        "spread": spread(plain),
        "rankme": rankme(plain),
    }
    known = [row for row, label in enumerate(labels or []) if label is not None]
    truth = [str(labels[row]) for row in known] if labels else []
    return found | (_labelled(plain[known], truth) if len(set(truth)) > 1 else {})


def _labelled(plain: np.ndarray, labels: list[str]) -> Measures:
    from models.evaluation.labelled import neighbour_accuracy
    from models.evaluation.probe import clustering_scores, linear_probe

    return {"knn": neighbour_accuracy(plain, labels), **linear_probe(plain, labels), **clustering_scores(plain, labels)}
