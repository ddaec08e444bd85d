"""SwAV against lightly's loss and gradient, with small crops and queues; its balance, its queue, its prototypes."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss.swav_loss import SwaVLoss

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.methods.dino import cross_view
from models.ssl.methods.swav import Params, SwAV, balanced
from models.ssl.networks import resnet18_cifar

SETTING = Setting(images=16, size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


class Start:
    epoch = seed = 0

    def features(self) -> torch.Tensor:
        raise AssertionError("SwAV has no use for features")


def swav(**params: object) -> SwAV:
    torch.manual_seed(0)
    small = {"hidden": 16, "projection": 8, "prototypes": 12} | params
    method = SwAV(Backbone(*resnet18_cifar(4)), Params.model_validate(small), SETTING)
    method.start_epoch(Start())
    return method


def batch(method: SwAV, images: int = 8) -> dict[str, torch.Tensor]:
    sides = {name: 16 if name.startswith("small") else 32 for name in method.views()}
    return {name: torch.randn(images, 3, side, side) for name, side in sides.items()}


@pytest.mark.parametrize("local", [0, 3])
@pytest.mark.parametrize("queued", [0, 20])
@pytest.mark.parametrize(("epsilon", "iterations", "temperature"), [(0.05, 3, 0.1), (0.2, 1, 0.5)])
def test_loss_and_gradient_are_lightlys(
    local: int, queued: int, epsilon: float, iterations: int, temperature: float
) -> None:
    torch.manual_seed(0)
    features = F.normalize(torch.randn(2 + local, 16, 8, dtype=torch.float64), dim=2)
    prototypes = F.normalize(torch.randn(12, 8, dtype=torch.float64), dim=1)
    earlier = F.normalize(torch.randn(2, queued, 8, dtype=torch.float64), dim=2) @ prototypes.T
    scores = (features @ prototypes.T).requires_grad_()
    other = scores.detach().clone().requires_grad_()
    codes = torch.stack([balanced(scores[view].detach(), earlier[view], epsilon, iterations) for view in range(2)])
    ours = cross_view(scores, codes, temperature)
    oracle = SwaVLoss(temperature, iterations, epsilon)
    theirs = oracle(list(other[:2]), list(other[2:]), list(earlier) if queued else None).squeeze()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    ours.backward()
    theirs.backward()
    torch.testing.assert_close(scores.grad, other.grad, rtol=1e-6, atol=1e-6)


def test_the_methods_loss_is_lightlys_on_its_scores() -> None:
    method = swav(local_crops=2, frozen_epochs=0).eval()
    views = batch(method)
    features = [F.normalize(method.projector(method.encoder(view)), dim=1) for view in views.values()]
    scores = [feature @ method.prototypes.T for feature in features]
    torch.testing.assert_close(method.loss(views)["loss"], SwaVLoss()(scores[:2], scores[2:]).squeeze())


@pytest.mark.parametrize("epsilon", [0.05, 1e-4])
def test_codes_sum_to_one_and_share_prototypes_equally(epsilon: float) -> None:
    torch.manual_seed(0)
    scores = F.normalize(torch.randn(24, 8, dtype=torch.float64), dim=1) @ F.normalize(
        torch.randn(6, 8, dtype=torch.float64), dim=1
    ).T + torch.tensor([0.5, 0, 0, 0, 0, 0])  # the first prototype is everyone's favourite
    codes = balanced(scores, scores[:0], epsilon, 3)
    torch.testing.assert_close(codes.sum(1), torch.ones(24, dtype=torch.float64))
    converged = balanced(scores, scores[:0], 0.05, 300)
    torch.testing.assert_close(converged.sum(0), torch.full((6,), 4.0, dtype=torch.float64), atol=1e-3, rtol=0)


def test_prototypes_stand_still_at_first_and_keep_length_one_then() -> None:
    method = swav()
    method.loss(batch(method))["loss"].backward()
    assert method.prototypes.grad is None
    method.start_epoch(Start())
    method.loss(batch(method))["loss"].backward()
    assert method.prototypes.grad is not None and method.prototypes.grad.abs().sum() > 0
    with torch.no_grad():
        method.prototypes += torch.randn_like(method.prototypes)
    method.after_step({}, 0.5)
    torch.testing.assert_close(method.prototypes.norm(dim=1), torch.ones(12))


def test_the_queue_holds_the_newest_first_counts_once_it_is_full_and_is_saved() -> None:
    method = swav(queue=12)
    method.eval()
    alone = swav().eval()
    views = [batch(method) for _ in range(3)]
    losses = []
    for step in views:
        losses.append(method.loss(step)["loss"].detach())
        method.after_step(step, 0.0)
    for loss, step, counts in zip(losses, views, [False, False, True], strict=True):
        assert torch.allclose(loss, alone.loss(step)["loss"]) is not counts
    for view, name in enumerate(["first", "second"]):
        newest = torch.cat([F.normalize(method.projector(method.encoder(step[name])), dim=1) for step in views[::-1]])
        torch.testing.assert_close(method.queue[view], newest[:12].detach())
    again = swav(queue=12)
    again.load_state_dict(method.state_dict())
    assert int(again.queued) == 12 and int(again.begun) == 1 and torch.equal(again.queue, method.queue)


def test_small_crops_are_smaller_and_show_another_place() -> None:
    from models.ssl.dataset import Key, ViewDataset

    pictures = torch.randint(0, 256, (1, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    method = swav(local_crops=2)
    item = ViewDataset(pictures, method.views(), 0)[Key(0, 0, {})]
    assert item["first"].shape == (3, 32, 32) and item["small_0"].shape == (3, 16, 16)
    same = swav(local_crops=2, smallest_crop=0.3, crop=0.3)
    item = ViewDataset(pictures, same.views(), 0)[Key(0, 0, {})]
    shrunk = F.interpolate(item["first"][None], 16, mode="area")[0]
    assert (shrunk - item["small_0"]).abs().mean() > 0.3
