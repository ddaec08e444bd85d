"""What an encoder has learnt: nearest neighbours and a linear classifier, from training to test pictures."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
import torch
from torch import Tensor

from benchmarks.ssl.cifar import Cifar
from models.clustering.unit_vectors import unit_rows
from models.evaluation import logistic
from models.evaluation.features import spread
from models.evaluation.probe import STRENGTH
from models.ssl.backbone import Backbone
from models.ssl.views import plain

NEIGHBOURS = 10
BATCH = 500

Labels = Sequence[str]


def probe(encoder: Backbone, data: Cifar) -> dict[str, float]:
    """knn, linear: accuracy 0..1 on the test pictures; spread of theirs, 1 when they fill the sphere."""
    train, test = features(encoder, data.train, data), features(encoder, data.test, data)
    return {
        "knn": knn(train, data.train_labels, test, data.test_labels),
        "linear": linear(train, data.train_labels, test, data.test_labels),
        "spread": spread(test),
    }


@torch.inference_mode()
def features(encoder: Backbone, pictures: Tensor, data: Cifar) -> np.ndarray:
    """(N, 3, 32, 32) uint8 -> (N, D) float32, in evaluation mode."""
    view, training = plain(data.setting), encoder.training
    encoder.eval()
    rows = torch.cat([encoder(view(batch)) for batch in pictures.split(BATCH)]).numpy()
    encoder.train(training)
    return rows


def knn(train: np.ndarray, train_labels: Labels, test: np.ndarray, test_labels: Labels, k: int = NEIGHBOURS) -> float:
    """By cosine, a majority vote of equals; of equally many votes those of the nearest win."""
    names = sorted(set(train_labels))
    known = np.array([names.index(label) for label in train_labels])
    _, found = faiss.knn(unit_rows(test), unit_rows(train), k, metric=faiss.METRIC_INNER_PRODUCT)
    votes = known[found]  # (M, k), nearest first
    count = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
    said = np.take_along_axis(votes, count.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float(np.mean([names[one] == label for one, label in zip(said, test_labels, strict=True)]))


def linear(train: np.ndarray, train_labels: Labels, test: np.ndarray, test_labels: Labels) -> float:
    """The project's probe, with a fixed test set: logistic regression on unit rows, centred, of mean square 1."""
    names = sorted(set(train_labels))
    rows = unit_rows(train).astype(np.float64)
    centre = rows.mean(axis=0)
    scale = np.sqrt(((rows - centre) ** 2).sum(axis=1).mean())
    predict = logistic.fit((rows - centre) / scale, np.array([names.index(one) for one in train_labels]), STRENGTH)
    said = predict((unit_rows(test) - centre) / scale)
    return float(np.mean([names[one] == label for one, label in zip(said, test_labels, strict=True)]))
