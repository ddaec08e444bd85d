"""Small runs of a method on small networks, for the tests."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models import registry
from models.ssl.backbone import Backbone
from models.ssl.base import Method, Setting
from models.ssl.dataset import Key, ViewDataset
from models.ssl.fit import Progress, Result
from models.ssl.networks import resnet18_cifar, vit_tiny
from models.ssl.seeds import seed_globally
from models.ssl.views import plain

SIZE = 16
NARROW: dict[str, Any] = {"hidden": 16, "projection": 8}  # heads
MEASURED_TIME = ("seconds", "images_per_s")


def small(name: str, images: int = 64, **params: Any) -> Method:
    """The method around a small network that knows nothing yet; the same one each time."""
    found: type[Method] = registry.load("ssl.methods", name)
    common = {"batch_size": 16, "train_blocks": "all", "norm": "trained", "max_minutes": None, "lr": 1e-3}
    common |= {"frozen_share": 0.0}  # the network knows nothing that should stay
    narrow = {"hidden": 128} if "hidden" in found.Params.model_fields else {}
    chosen = found.Params.model_validate(common | narrow | params)
    seed_globally(chosen.seed, "network")
    network, dim = vit_tiny(SIZE, dim=64, depth=2) if "vit" in found.needs else resnet18_cifar(4)
    encoder = Backbone(network, dim, chosen.train_blocks, chosen.norm)
    return found(encoder, chosen, Setting(images, SIZE, (0.5,) * 3, (0.5,) * 3))


def shapes(images: int, seed: int = 0) -> Tensor:
    """(N, 3, 16, 16) uint8: each picture a few soft blobs of its own colours, unlike any other."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(images, 3, 5, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic", align_corners=False)
    return (smooth.clamp(0, 1) * 255).to(torch.uint8)


class Alone:
    """An epoch of one batch: every picture, always in the same views."""

    epoch, seed = 0, 0

    def __init__(self, pictures: Tensor) -> None:
        self.pictures = pictures
        self.method: Method | None = None

    def alive(self) -> None:
        pass

    def features(self) -> Tensor:
        assert self.method is not None
        return self.encode(self.method)

    @torch.no_grad()
    def encode(self, method: Method) -> Tensor:
        """(N, D) of the plain pictures."""
        self.method = method
        transform = plain(method.setting)
        training = method.training
        method.eval()
        found: Tensor = method.trained()(torch.stack([transform(picture) for picture in self.pictures]))
        method.train(training)
        return found

    def batch(self, method: Method) -> dict[str, Tensor]:
        index = torch.arange(len(self.pictures))
        sources = method.sources(index, torch.Generator().manual_seed(0))
        keys = [Key(i, 0, {name: int(images[i]) for name, images in sources.items()}) for i in index.tolist()]
        return next(ViewDataset(self.pictures, method.views(), 0).batches([keys], 0))


class Killed(Exception):
    pass


def killed_at(step: int) -> Callable[[Progress], None]:
    """A report that ends the run after so many steps."""

    def report(progress: Progress) -> None:
        if progress.stage == "train" and progress.done == step:
            raise Killed

    return report


def without_time(result: Result) -> list[dict[str, float | None]]:
    return [{name: value for name, value in one.items() if name not in MEASURED_TIME} for one in result.history]


def unequal(one: nn.Module, other: nn.Module) -> list[str]:
    """The names in their state dicts whose values differ in any bit."""
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    return [name for name, value in states[0].items() if not torch.equal(value, states[1][name])]
