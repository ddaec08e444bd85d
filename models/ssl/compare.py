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
VIEWS, MOST_VIEWS = 1024, 16  # of all held-out images together, about; and of one

Measures = dict[str, float]


def held_out(hashes: Sequence[str]) -> list[int]:
    """Which images are never trained on: the tenth with the lowest SHA-256, so that every run keeps back the same."""
    count = min(MOST, max(LEAST, round(SHARE * len(hashes))))
    return sorted(sorted(range(len(hashes)), key=hashes.__getitem__)[:count])


class HeldOut:
    """Random views of each held-out image, 2 to 16, made once for every encoder of one input size."""

    def __init__(self, paths: Sequence[Path], size: int, workers: int = 0) -> None:
        """paths: working copies. Raises WorkingCopyUnreadable."""
        view = augmented(size, CROP)
        each = max(2, min(MOST_VIEWS, VIEWS // max(1, len(paths))))
        names = [f"view{number}" for number in range(each)]
        dataset = ViewDataset(WorkingCopies(paths), dict.fromkeys(names, view), SEED)
        batches = dataset.batches(([Key(index, 0, {})] for index in range(len(paths))), workers)
        pictures = [np.stack([batch[name][0].numpy() for name in names]) for batch in batches]
        self.pixels = np.stack(pictures).transpose(0, 1, 3, 4, 2)  # (H, V, S, S, 3) uint8

    def vectors(self, engine: Engine) -> np.ndarray:
        """(H, V, D) of length one."""
        flat = np.ascontiguousarray(self.pixels.reshape(-1, *self.pixels.shape[2:]))
        found = np.concatenate(list(engine.run(_batches(flat, engine.batch))))
        return found.reshape(*self.pixels.shape[:2], -1)


def _batches(pixels: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (pixels[start : start + size] for start in range(0, len(pixels), size))


def unlabelled(plain: np.ndarray, views: np.ndarray) -> Measures:
    """Of an encoder, from (H, D) vectors of the held-out images as they are, and (H, V, D) of their views.

    retrieval  how often one view of an image finds the other among all
    spread     of the vectors, times sqrt(D); rankme, their effective rank: at most H
    """
    found = {"spread": spread(plain), "rankme": rankme(plain)}
    return {"retrieval": retrieval(views[:, 0], views[:, 1]), **found}


def labelled(plain: np.ndarray, labels: Sequence[str | None] | None) -> Measures:
    """Of (N, D) vectors: knn, linear_1 to linear_100, nmi, ari, accuracy; nothing without labels of two kinds.

    An image whose label is None does not count. See models/evaluation.
    """
    from models.evaluation.labelled import neighbour_accuracy
    from models.evaluation.probe import clustering_scores, linear_probe

    known = [row for row, label in enumerate(labels or []) if label is not None]
    truth = [str(labels[row]) for row in known] if labels else []
    if len(set(truth)) < 2:
        return {}
    rows = plain[known]
    return {"knn": neighbour_accuracy(rows, truth), **linear_probe(rows, truth), **clustering_scores(rows, truth)}


def measure_again(paths: Sequence[Path], views: HeldOut, engine: Engine) -> Measures:
    """What `unlabelled` says of another encoder on the same held-out images; paths are their working copies."""
    return unlabelled(np.concatenate(list(embed(paths, engine))), views.vectors(engine))
