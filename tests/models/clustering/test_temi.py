"""TEMI: the loss is the paper's formula, the votes become exactly k clusters, and equal votes equal labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models.clustering import temi
from models.clustering.sampled import draw
from models.clustering.self_distillation import Heads, predict, temi_loss
from models.clustering.temi import Params, Temi, _consensus
from models.clustering.unit_vectors import unit_rows
from models.evaluation.labelled import score
from tests.models.clustering.test_kmeans import blobs


def test_the_loss_is_the_papers_formula_written_with_loops():
    draw_from = torch.Generator().manual_seed(0)
    heads, pairs, k, beta = 2, 3, 4, 0.6
    student, teacher = (torch.randn(heads, 2 * pairs, k, generator=draw_from).double().softmax(-1) for _ in "ab")
    marginal = torch.rand(heads, 1, k, generator=draw_from).double().softmax(-1)
    expected = []
    for head in range(heads):
        total = 0.0
        for i in range(pairs):
            j = i + pairs
            s, t, m = student[head].tolist(), teacher[head].tolist(), marginal[head, 0].tolist()
            weight = sum(t[i][c] * t[j][c] for c in range(k))
            here = math.log(sum((s[i][c] * t[j][c]) ** beta / m[c] for c in range(k)))
            there = math.log(sum((s[j][c] * t[i][c]) ** beta / m[c] for c in range(k)))
            total -= weight * (here + there) / 2
        expected.append(total / pairs)
    found = temi_loss(student, teacher, marginal, beta)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0)


def test_a_head_says_its_most_likely_cluster():
    heads = Heads(np.array([[[1, -1]], [[-1, 1]]], np.float32), np.zeros((2, 1, 2), np.float32))
    assert predict(heads, np.array([[2.0], [-2.0]], np.float32)).tolist() == [[0, 1], [1, 0]]


def test_finds_groups_that_overlap_about_as_well_as_one_can():
    vectors, truth = blobs(5, 60, spread=0.7)
    found = Temi().cluster(vectors, 5, Params(epochs=100, heads=8))
    assert score(found.labels.tolist(), [str(one) for one in truth])["nmi"] > 0.95


def test_the_same_seed_gives_the_same_bits_and_another_another_training():
    vectors, _ = blobs(3, 40, spread=1.5)
    one, again = (Temi().cluster(vectors, 3, Params(epochs=10, heads=2), seed=3) for _ in "ab")
    assert one.labels.tobytes() == again.labels.tobytes() and one.centres.tobytes() == again.centres.tobytes()


@pytest.mark.parametrize("agreed", [1, 2, 4])
def test_heads_that_agree_too_much_still_give_exactly_k(agreed):
    vectors, _ = blobs(4, 10)
    votes = np.repeat(np.arange(40)[:, None] % agreed, 3, axis=1).astype(np.int32)
    labels = _consensus(votes, draw(vectors, 256, 0), 4, 0, lambda done, total: None)
    assert len(np.unique(labels)) == 4


def test_who_votes_alike_is_together_whether_drawn_or_not(monkeypatch):
    monkeypatch.setattr(temi, "BLOCK", 7)
    vectors = unit_rows(np.random.default_rng(0).standard_normal((60, 8)))
    truth = np.arange(60) % 3
    votes = np.stack([truth, (truth + 1) % 3, np.where(np.arange(60) < 5, 0, truth)], axis=1).astype(np.int32)
    labels = _consensus(votes, draw(vectors, 30, 0), 3, 0, lambda done, total: None)
    assert score(labels.tolist(), [str(one) for one in truth])["nmi"] == 1
