"""DINO: a student tells from a small crop what its own slow average, the teacher, says of large ones.

Caron et al. 2021, https://arxiv.org/abs/2104.14294. CIFAR-10, ResNet-18: linear 89.5 after 1000 epochs; ImageNet,
ViT-S/16: kNN 69.3 after 100. Known failure: one answer for every picture, or the same weight for every prototype. The
centre takes from the teacher what it always says, against the one; its low temperature sharpens what is left, against
the other.

Its loss holds the entropy of the teacher's answers, so it may rise while the student follows; the difference tells.

Away from the paper: no solarization, both large crops are blurred alike, 4096 prototypes, for small galleries, and the
student is what is kept, because in a short run the teacher has hardly moved.
"""

from __future__ import annotations

import copy
import math
from typing import Self

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from torchvision.transforms import v2

from models.ssl.backbone import Backbone, one_by_one
from models.ssl.base import Batch, Epoch, Losses, Method, Setting, Views
from models.ssl.distributed import mean
from models.ssl.params import Params as Common
from models.ssl.views import contrastive

LARGE = ["global_0", "global_1"]
CENTRE_MOMENTUM = 0.9
CONVOLUTIONAL_STEP = 16  # pixels: small crops of convolutional networks are multiples of it


class Params(Common):
    crop: float = Field(0.5, gt=0, lt=1, description="Large crops keep more of the picture's area, small ones less.")
    smallest_crop: float = Field(0.05, gt=0, lt=1, description="Least share of the area that a small crop keeps.")
    local_crops: int = Field(6, ge=0, le=32, description="Small crops an image, beside the two large ones.")
    prototypes: int = Field(
        4096, ge=2, le=65_536, description="Answers between which the student and the teacher choose."
    )
    hidden: int = Field(2048, ge=1, description="Width of the head's hidden layers.")
    bottleneck: int = Field(256, ge=2, description="Width of what is compared with the prototypes.")
    student_temperature: float = Field(0.1, gt=0, le=10, description="Lower: the student decides more sharply.")
    first_temperature: float = Field(0.04, gt=0, le=10, description="The teacher's, at the start.")
    teacher_temperature: float = Field(0.07, gt=0, le=10, description="The teacher's, after its warm-up.")
    temperature_warmup: float = Field(0.3, ge=0, le=1, description="Share of the run in which it rises.")
    momentum: float = Field(
        0.996, ge=0, le=1, description="How slowly the teacher follows, at the start; 1 at the end."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest_crop >= self.crop:
            raise ValueError("smallest_crop must be less than crop")
        return self


class DINO(Method):
    summary = "From a small piece of a picture, guess what a slower copy of the network sees in the whole."
    paper = "https://arxiv.org/abs/2104.14294"
    Params = Params
    params: Params
    centre: Tensor
    temperature: Tensor
    frozen: Tensor

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.head = Head(encoder.dim, params.hidden, params.bottleneck, params.prototypes)
        self.teacher = copy.deepcopy(encoder).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.head).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(params.prototypes))
        self.register_buffer("temperature", torch.tensor(params.first_temperature))
        self.register_buffer("frozen", torch.tensor(True))

    def views(self) -> Views:
        large = contrastive(self.setting, self.params.crop)
        size = local_size(self.encoder.network, self.setting.size)
        crop = contrastive(self.setting, self.params.smallest_crop, size=size, largest=self.params.crop)
        small = v2.Compose([_spend, crop])
        return {name: large for name in LARGE} | {name: small for name in self._small}

    def start_epoch(self, run: Epoch) -> None:
        self.frozen.fill_(run.epoch == 0)

    def loss(self, batch: Batch) -> Losses:
        large, small = ([batch[name] for name in names] for names in (LARGE, self._small))
        student = self.head(one_by_one(self.encoder, [*large, *small]), bool(self.frozen))
        with torch.no_grad():
            teacher = self.teacher_head(one_by_one(self.teacher, large)).float().unflatten(0, (len(large), -1))
            targets = sharpened(teacher, self.centre, self.temperature)
            entropy = torch.special.entr(targets).sum(2).mean()
            self.centre.copy_(recentred(self.centre, teacher))
        loss = cross_view(
            student.float().unflatten(0, (len(large) + len(small), -1)), targets, self.params.student_temperature
        )
        return {"loss": loss, "entropy": entropy}

    def after_step(self, batch: Batch, t: float) -> None:
        first, last = self.params.first_temperature, self.params.teacher_temperature
        warm = min(1.0, t / self.params.temperature_warmup) if self.params.temperature_warmup else 1.0
        self.temperature.fill_(first + (last - first) * warm)

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        return [(self.encoder, self.teacher), (self.head, self.teacher_head)]

    def momentum(self, t: float) -> float:
        return 1 - (1 - self.params.momentum) * (1 + math.cos(math.pi * t)) / 2

    @property
    def _small(self) -> list[str]:
        return [f"local_{number}" for number in range(self.params.local_crops)]


class Head(nn.Module):
    """(B, D) -> (B, K): three layers, and the cosine of what they give to each of K prototypes."""

    def __init__(self, dim: int, hidden: int, bottleneck: int, prototypes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.prototypes = nn.Parameter(nn.Linear(bottleneck, prototypes, bias=False).weight.detach())

    def forward(self, x: Tensor, frozen: bool = False) -> Tensor:
        """frozen: the prototypes get no gradient, and so neither a step nor decay."""
        prototypes = self.prototypes.detach() if frozen else self.prototypes
        return F.linear(F.normalize(self.layers(x), dim=1), F.normalize(prototypes, dim=1))


def sharpened(teacher: Tensor, centre: Tensor, temperature: float | Tensor) -> Tensor:
    """(..., K) logits of the teacher and their (K,) centre -> (..., K), what the student is to say."""
    return F.softmax((teacher - centre) / temperature, dim=-1)


def recentred(centre: Tensor, teacher: Tensor) -> Tensor:
    """The (K,) centre after (G, B, K) logits of the teacher, on every process."""
    return CENTRE_MOMENTUM * centre + (1 - CENTRE_MOMENTUM) * mean(teacher.mean((0, 1)))


def cross_view(student: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of (V, B, K) logits to (G, B, K) targets, over all pairs of different views; the first G of V are
    those that the teacher saw.
    """
    large, size = targets.shape[:2]
    pairs = -torch.einsum("gbk,vbk->gv", targets, F.log_softmax(student / temperature, dim=2))
    same = torch.eye(large, len(student), dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(same, 0).sum() / (size * (pairs.numel() - large))


def local_size(network: nn.Module, size: int) -> int:
    """The side of small crops in pixels: 3/7 of the large ones', up to the next whole number of a ViT's patches.

    A ViT of one fixed size gets small crops of the full size.
    """
    from timm.models import VisionTransformer

    step = CONVOLUTIONAL_STEP
    if isinstance(network, VisionTransformer):
        if not network.dynamic_img_size:
            return size
        step = network.patch_embed.patch_size[0]
    return min(size, math.ceil(3 * size / 7 / step) * step)


def _spend(picture: Tensor) -> Tensor:
    """Uses up a random number: views of one draw start from the same, and would share their place and colours."""
    torch.rand(1)
    return picture


PLUGIN = DINO
