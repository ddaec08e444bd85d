"""MoCo: the loss is lightly's with a memory bank, the queue is a queue, and keys are shuffled where that matters."""

from __future__ import annotations

from collections import deque

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NTXentLoss

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.fit import fit
from models.ssl.methods.moco import MoCo, Params, info_nce
from models.ssl.networks import resnet18_cifar

SIZE = 16  # pixels


def method(images: int = 64, norm: str = "trained", **params: object) -> MoCo:
    torch.manual_seed(0)
    setting = Setting(images, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    given = {"hidden": 16, "projection": 8, "epochs": 2, "batch_size": 16, "max_minutes": None} | params
    encoder = Backbone(*resnet18_cifar(2), norm=norm)
    return MoCo(encoder, Params(train_blocks="all", norm=norm, **given), setting).train()


def batch(images: list[int], dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(sum(images))
    views = {name: torch.randn(len(images), 3, SIZE, SIZE, generator=draw, dtype=dtype) for name in ("first", "second")}
    return views | {"index": torch.tensor(images)}


@pytest.mark.parametrize("temperature", [0.07, 0.2])
def test_loss_and_gradient_are_lightlys(temperature):
    torch.manual_seed(1)
    oracle = NTXentLoss(temperature, memory_bank_size=(40, 8)).double()
    queue = oracle.memory_bank.bank.clone()
    queries = torch.randn(6, 8, dtype=torch.float64, requires_grad=True)
    keys = torch.randn(6, 8, dtype=torch.float64)
    expected = oracle(queries, keys)
    (gradient,) = torch.autograd.grad(expected, queries)
    found = info_nce(queries, keys, queue, temperature)
    torch.testing.assert_close(found, expected.detach(), atol=1e-6, rtol=0, check_dtype=True)
    torch.testing.assert_close(torch.autograd.grad(found, queries)[0], gradient, atol=1e-6, rtol=0)


def test_a_step_is_lightlys_for_both_directions():
    """Queries of each view against keys of the other, the queue the same in both terms."""
    ours = method(norm="frozen").double()
    given = batch(list(range(16)), torch.float64)
    oracle = NTXentLoss(ours.temperature, memory_bank_size=(63, 8)).double()
    expected = 0.0
    for query, key in (("first", "second"), ("second", "first")):
        oracle.memory_bank.bank, keys = ours.queue.clone(), ours.teacher_head(ours.teacher(given[key])).detach()
        expected = expected + 0.5 * oracle(ours.head(ours.encoder(given[query])), keys)
    parameters = [*ours.encoder.parameters(), *ours.head.parameters()]
    found = ours.loss(given)["loss"]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    for mine, theirs in zip(
        torch.autograd.grad(found, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)


def test_keys_of_the_same_image_are_no_negatives():
    ours = method(norm="frozen")
    given = batch(list(range(16)))
    ours.owners[:4] = torch.tensor([3, 3, 40, 15])
    query, key = ours.head(ours.encoder(given["first"])), ours.keys(given["second"])
    other = ours.head(ours.encoder(given["second"])), ours.keys(given["first"])
    rows = []
    for queries, keys in ((query, key), other):
        for image in range(16):
            unit = F.normalize(queries[image], dim=0)
            negatives = [unit @ k for k, owner in zip(ours.queue, ours.owners.tolist(), strict=True) if owner != image]
            logits = torch.stack([unit @ keys[image], *negatives]) / 0.2
            rows.append(logits.logsumexp(0) - logits[0])
    torch.testing.assert_close(ours.loss(given)["loss"], torch.stack(rows).mean())


@pytest.mark.parametrize("images", [2, 3, 64, 100])
def test_the_queue_is_smaller_than_the_collection(images):
    assert len(method(images).queue) == images - 1
    assert len(method(images, queue=1).queue) == 1


@pytest.mark.parametrize("size", [5, 16, 23])
def test_the_queue_holds_the_newest_keys(size):
    ours = method(queue=size)
    kept = deque([(-1, key) for key in ours.queue.clone()], maxlen=size)
    for number, count in enumerate([3, 7, 30, 1, 16]):
        keys, owners = torch.randn(count, 8), torch.arange(count) + 100 * number
        ours.enqueue(keys, owners)
        kept.extend(zip(owners.tolist(), keys, strict=True))
    oldest_first = torch.cat([torch.arange(int(ours.pointer), size), torch.arange(int(ours.pointer))])
    assert ours.owners[oldest_first].tolist() == [owner for owner, _ in kept]
    assert torch.equal(ours.queue[oldest_first], torch.stack([key for _, key in kept]))


def test_keys_are_enqueued_after_the_step_and_of_both_views():
    ours = method(norm="frozen")
    given, before = batch(list(range(20, 36))), ours.queue.clone()
    ours.loss(given)["loss"].backward()
    assert torch.equal(ours.queue, before)
    keys = torch.cat([ours.keys(given["first"]), ours.keys(given["second"])])
    ours.after_step(given, 0.5)
    torch.testing.assert_close(ours.queue[:32], keys)
    assert torch.equal(ours.queue[32:], before[32:])
    assert ours.owners[:32].tolist() == [*range(20, 36)] * 2 and int(ours.pointer) == 32


def test_keys_are_shuffled_into_parts_where_batch_norm_trains():
    ours = method(batch_size=64)
    views = torch.randn(64, 3, SIZE, SIZE)
    torch.manual_seed(5)
    found = ours.keys(views)
    torch.manual_seed(5)
    order = torch.randperm(64).tolist()
    for start in range(0, 64, 16):
        members = order[start : start + 16]
        with torch.no_grad():
            expected = F.normalize(ours.teacher_head(ours.teacher(views[members])), dim=1)
        torch.testing.assert_close(found[members], expected)
    with torch.no_grad():
        together = F.normalize(ours.teacher_head(ours.teacher(views)), dim=1)
    assert (found - together).abs().max() > 1e-3


def test_keys_keep_their_order_where_batch_norm_is_frozen():
    ours = method(norm="frozen")
    views = torch.randn(64, 3, SIZE, SIZE)
    alone = torch.cat([ours.keys(view[None]) for view in views])
    torch.testing.assert_close(ours.keys(views), alone)


def test_versions_differ_in_head_and_temperature():
    first, second = method(version="v1"), method(version="v2")
    assert (len(first.head), first.temperature) == (1, 0.07)
    assert (len(second.head), second.temperature) == (3, 0.2)
    assert method(version="v1", temperature=0.5).temperature == 0.5


def test_the_teacher_learns_nothing_by_gradient():
    ours = method()
    ours.loss(batch(list(range(16))))["loss"].backward()
    assert all(p.grad is None for p in [*ours.teacher.parameters(), *ours.teacher_head.parameters()])
    assert all(p.grad is not None for p in [*ours.encoder.parameters(), *ours.head.parameters()])


def test_the_queue_survives_a_checkpoint():
    pixels = torch.randint(0, 256, (64, 3, SIZE, SIZE), dtype=torch.uint8)
    trained = method()
    result = fit(trained, pixels)
    assert len(result.history) == 3 and result.ended == "epochs"
    assert set(trained.owners.tolist()) <= set(range(64)) and int(trained.pointer) == 2 * 2 * 64 % 63
    restored = method()
    restored.load_state_dict(trained.state_dict())
    for name in ("queue", "owners", "pointer"):
        assert torch.equal(getattr(restored, name), getattr(trained, name))
