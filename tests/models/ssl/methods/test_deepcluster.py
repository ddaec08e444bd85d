"""DeepCluster: what an epoch's start leaves behind, the loss against plain loops, and edges instead of colours."""

from dataclasses import dataclass

import pytest
import torch

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.methods.deepcluster import DeepCluster, Params
from models.ssl.networks import resnet18_cifar
from models.ssl.pseudo_labels import nearest_centroid

SETTING = Setting(images=60, size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


@dataclass
class Run:
    method: DeepCluster
    pictures: torch.Tensor
    epoch: int = 0
    seed: int = 0

    @torch.no_grad()
    def features(self) -> torch.Tensor:
        return self.method.encoder.eval()(self.pictures)


def deepcluster(**params: object) -> DeepCluster:
    torch.manual_seed(0)
    return DeepCluster(Backbone(*resnet18_cifar(4)), Params.model_validate({"k": 6} | params), SETTING)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(60, 3, 32, 32, generator=torch.Generator().manual_seed(4))


def started(pictures: torch.Tensor, epoch: int = 0, seed: int = 0, **params: object) -> DeepCluster:
    method = deepcluster(**params)
    method.start_epoch(Run(method, pictures, epoch, seed))
    return method


def test_an_epoch_starts_with_full_clusters_and_says_how_they_came_about(pictures: torch.Tensor) -> None:
    method = started(pictures)
    sizes = method.assignments.bincount(minlength=6)
    assert len(sizes) == 6 and sizes.min() > 0 and sizes.sum() == 60
    assert method.centroids.shape == (6, 6)  # as many dimensions as ten images each speak for
    torch.testing.assert_close(method.centroids.norm(dim=1), torch.ones(6))
    assert float(method.imbalance) == pytest.approx(6 * sum((int(size) / 60) ** 2 for size in sizes))
    kept = method.clusters()
    assert kept is not None and torch.equal(kept, method.assignments)
    method.assignments.fill_(0)
    assert kept.max() > 0  # the next epoch does not write into what was given away
    assert deepcluster().clusters() is None


def test_the_same_features_seed_and_epoch_give_the_same_start(pictures: torch.Tensor) -> None:
    one, same = started(pictures), started(pictures)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name]), name
    for other in (started(pictures, epoch=1), started(pictures, seed=1)):
        assert not torch.equal(one.head.weight, other.head.weight)
        assert not torch.equal(one.assignments, other.assignments)


@pytest.mark.parametrize("head", ["centroids", "random"])
def test_the_head_is_made_anew_in_place_and_named_for_the_optimizer(pictures: torch.Tensor, head: str) -> None:
    method = started(pictures, head=head)
    weight, before = method.head.weight, method.head.weight.detach().clone()
    with torch.no_grad():
        method.head.weight += 1
        method.head.bias += 1
    method.start_epoch(Run(method, pictures, epoch=1))
    fresh = started(pictures, epoch=1, head=head)
    assert method.head.weight is weight and not torch.equal(weight, before)
    assert torch.equal(weight, fresh.head.weight) and torch.equal(method.head.bias, fresh.head.bias)
    assert [id(p) for p in method.reset()] == [id(p) for p in method.head.parameters()]


def test_a_random_head_is_the_papers_and_one_of_centroids_that_of_the_features(pictures: torch.Tensor) -> None:
    head = started(pictures, head="random").head
    assert not head.bias.any() and float(head.weight.detach().std()) == pytest.approx(0.01, rel=0.2)
    method = started(pictures)
    features = Run(method, pictures).features()
    weight, bias = nearest_centroid(features, method.assignments, 6)
    assert torch.equal(method.head.weight, weight) and torch.equal(method.head.bias, bias)
    right = (method.head(features).argmax(1) == method.assignments).float().mean()
    assert right > 2 / 6  # a guess is right in 1 of 6


def test_what_a_resumed_run_needs_is_in_the_state(pictures: torch.Tensor) -> None:
    method, again = started(pictures), deepcluster()
    again.load_state_dict(method.state_dict())
    batch = {"view": pictures[:8], "index": torch.arange(8)}
    for one, other in zip(method.eval().loss(batch).values(), again.eval().loss(batch).values(), strict=True):
        assert torch.equal(one, other)
    orders = [m.order(torch.Generator().manual_seed(0)) for m in (method, again)]
    assert torch.equal(*orders)


def test_the_order_is_uniform_over_clusters(pictures: torch.Tensor) -> None:
    method = deepcluster()
    method.assignments.copy_(torch.tensor([0] * 50 + [1] * 6 + [2, 3, 4, 5]))
    order = method.order(torch.Generator().manual_seed(0))
    assert method.assignments[order].bincount().tolist() == [10] * 6


def test_loss_and_accuracy_are_those_of_plain_loops(pictures: torch.Tensor) -> None:
    method = started(pictures).eval()
    index = torch.tensor([5, 17, 40, 3])
    losses = method.loss({"view": pictures[index], "index": index})
    surprise, right = [], []
    for image in index:
        logits = method.head(method.encoder(pictures[image][None]))[0]
        label = int(method.assignments[image])
        surprise.append(logits.exp().sum().log() - logits[label])
        right.append(float(int(logits.argmax()) == label))
    torch.testing.assert_close(losses["loss"], torch.stack(surprise).mean())
    assert float(losses["accuracy"]) == pytest.approx(sum(right) / 4)
    assert float(losses["splits"]) == float(method.splits)


def test_with_sobel_neither_clusters_nor_loss_depend_on_colour(pictures: torch.Tensor) -> None:
    balance = torch.tensor([1.0, -1.0, 0.0])[:, None, None] / torch.tensor(SETTING.std)[:, None, None]
    tinted = pictures + balance * torch.rand(60, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    grey, colour = ([started(source, sobel=flag) for source in (pictures, tinted)] for flag in (True, False))
    assert torch.equal(grey[0].assignments, grey[1].assignments)
    assert not torch.equal(colour[0].assignments, colour[1].assignments)
    index = torch.arange(8)
    losses = [
        m.eval().loss({"view": p[:8], "index": index})["loss"] for m, p in zip(grey, (pictures, tinted), strict=True)
    ]
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-4)
    assert "pixels" in grey[0].needs and "pixels" not in colour[0].needs
    assert not grey[0].encoder._forward_pre_hooks  # the encoder itself sees colours again
