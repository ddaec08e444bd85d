"""Instance discrimination: every picture is a class of its own.

Wu et al. 2018, https://arxiv.org/abs/1805.01978: the classes' vectors are a memory bank of what the encoder said of
each picture before. CIFAR-10, ResNet-18: kNN 80.8. Known failure: a stale bank, most of all in the first epochs; so the
bank starts from the encoder's own features where the paper's is random, and the proximal term holds a vector near its
entry. Up to EXACT images the softmax runs over all of them; beyond, negatives are drawn uniformly and weighted by the
number they stand for, which unlike the paper's NCE needs no estimate of the normalising constant.

`parametric`: DIET (Balestriero 2023, https://arxiv.org/abs/2302.10260), where the classes' vectors are the weights of
one linear classifier over the pictures' indices, with strong label smoothing. It gains from 1,000 images on. Where the
paper's weights are random, these start from the encoder's features too: random ones draw every picture in a direction
of its own that says nothing, and after five epochs over 10,000 pictures the encoder was worse than untrained.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Epoch, Losses, Method, Setting, Views
from models.ssl.distributed import gather
from models.ssl.params import Params as Common
from models.ssl.views import contrastive

EXACT = 65_536  # images


class Params(Common):
    parametric: bool = Field(False, description="DIET: a linear classifier over the images instead of a memory bank.")
    label_smoothing: float = Field(0.3, ge=0, lt=1, description="Of the classifier; only if parametric.")
    projection: int = Field(128, ge=2, description="Width of the bank's vectors.")
    temperature: float = Field(0.1, gt=0, le=10, description="Lower: only the hardest negatives count.")
    momentum: float = Field(0.5, ge=0, lt=1, description="Of the bank: the share of the old in a new entry.")
    proximal: float = Field(0.0, ge=0, description="Weight of the term that holds vectors near their old ones.")
    negatives: int = Field(8192, ge=1, description=f"Drawn for each step when there are over {EXACT} images.")


class Instance(Method):
    summary = "Every picture is a class of its own, to be recognised in any view."
    paper = "https://arxiv.org/abs/1805.01978"
    Params = Params
    params: Params
    bank: Tensor  # (N, D) unit rows
    filled: Tensor  # () bool

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self._fresh: Tensor | None = None  # this step's vectors, until the optimizer's step is done
        self.register_buffer("filled", torch.tensor(False))
        if params.parametric:
            self.classifier = nn.Linear(encoder.dim, setting.images, bias=False)
            return
        self.head = nn.Linear(encoder.dim, params.projection)
        self.register_buffer("bank", F.normalize(torch.randn(setting.images, params.projection), dim=1))

    def views(self) -> Views:
        return {"view": contrastive(self.setting, self.params.crop)}

    @torch.no_grad()
    def start_epoch(self, run: Epoch) -> None:
        if self.filled:
            return
        features = run.features()
        if self.params.parametric:
            scale = self.params.temperature * features.norm(dim=1).mean()  # logits as large as the bank's
            self.classifier.weight.copy_(F.normalize(features, dim=1) / scale)
        else:
            rows = [F.normalize(self.head(block.to(self.bank)), dim=1) for block in features.split(8192)]
            self.bank.copy_(torch.cat(rows))
        self.filled.fill_(True)

    def loss(self, batch: Batch) -> Losses:
        features, index = self.encoder(batch["view"]), batch["index"]
        if self.params.parametric:
            smoothing = self.params.label_smoothing
            return {"loss": F.cross_entropy(self.classifier(features), index, label_smoothing=smoothing)}
        vectors = F.normalize(self.head(features), dim=1)
        self._fresh = vectors.detach()
        instance = non_parametric(vectors, index, self.bank, self.params.temperature, self._drawn())
        proximal = (vectors - self.bank[index]).square().sum(1).mean()
        return {"loss": instance + self.params.proximal * proximal, "instance": instance, "proximal": proximal}

    def _drawn(self) -> Tensor | None:
        size = len(self.bank)
        return None if size <= EXACT else torch.randint(size, (self.params.negatives,), device=self.bank.device)

    @torch.no_grad()
    def after_step(self, batch: Batch, t: float) -> None:
        if self._fresh is None:
            return
        index, fresh = gather(batch["index"]), gather(self._fresh).to(self.bank)
        old = self.params.momentum * self.bank[index]
        self.bank[index] = F.normalize(old + (1 - self.params.momentum) * fresh, dim=1)
        self._fresh = None


def non_parametric(
    vectors: Tensor, index: Tensor, bank: Tensor, temperature: float, drawn: Tensor | None = None
) -> Tensor:
    """Cross-entropy of (B, D) unit rows against the bank (N, D), of which `index` (B,) are their own.

    drawn: (M,) entries of the bank, uniform with repetition, each standing for N / M of them; None: all negatives.
    """
    if drawn is None:
        return F.cross_entropy(vectors @ bank.T / temperature, index)
    positive = (vectors * bank[index]).sum(1, keepdim=True) / temperature
    negative = vectors @ bank[drawn].T / temperature + math.log(len(bank) / len(drawn))
    negative = negative.masked_fill(index[:, None] == drawn, float("-inf"))
    logits = torch.cat([positive, negative], dim=1)
    return F.cross_entropy(logits, torch.zeros_like(index))


PLUGIN = Instance
