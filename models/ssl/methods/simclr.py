"""SimCLR: two views of an image attract, views of different images repel.

Chen et al. 2020, https://arxiv.org/abs/2002.05709. CIFAR-10, ResNet-18: kNN 84.7 after 200 epochs (lightly's table),
linear 90.7 after 1000. Known failure: telling pictures by their colour histogram; the jitter takes that way out.

The paper's projector has batch norm, which from scratch it needs. Fine-tuning on hundreds of pictures it costs most of
the gain: on landscapes, lr 3e-4, 5 epochs, NMI of k-means .597 -> .632 with it and .655 without.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.distributed import gather_with_gradient, rank
from models.ssl.heads import mlp
from models.ssl.params import Params as Common
from models.ssl.views import contrastive


class Params(Common):
    temperature: float = Field(0.2, gt=0, le=10, description="Lower: only the hardest negatives count.")
    hidden: int = Field(2048, ge=1, description="Width of the projector's hidden layer.")
    projection: int = Field(128, ge=2, description="Width of what the loss compares.")
    projector_norm: bool = Field(False, description="Batch norm in the projector, for training from scratch.")


class SimCLR(Method):
    summary = "Two views of a picture attract each other, views of different pictures repel."
    paper = "https://arxiv.org/abs/2002.05709"
    Params = Params
    params: Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        norm = params.projector_norm
        self.projector = mlp(encoder.dim, params.hidden, params.projection, norm=norm, last_norm=norm)

    def views(self) -> Views:
        view = contrastive(self.setting, self.params.crop)
        return {"first": view, "second": view}

    def loss(self, batch: Batch) -> Losses:
        both = self.projector(self.encoder(torch.cat([batch["first"], batch["second"]])))
        first, second = both.chunk(2)
        return {"loss": nt_xent(first, second, self.params.temperature)}


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """NT-Xent of (B, D) and (B, D): row i of one against row i of the other, among all others of both.

    Over several processes every row also meets the others' rows; the mean of the processes' losses is that of one.
    """
    size = len(first)
    mine = F.normalize(torch.cat([first, second]), dim=1)
    firsts, seconds = (gather_with_gradient(half) for half in mine.chunk(2))
    everyone = torch.cat([firsts, seconds])
    here = torch.arange(size, device=mine.device) + rank() * size
    total = len(firsts)
    itself, partner = torch.cat([here, here + total]), torch.cat([here + total, here])
    logits = mine @ everyone.T / temperature
    logits = logits.scatter(1, itself[:, None], float("-inf"))
    return F.cross_entropy(logits, partner)


PLUGIN = SimCLR
