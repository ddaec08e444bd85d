"""Neighbours: SimCLR between a view of a picture and a view of one that the encoder already finds similar.

After Dwibedi et al. 2021 (NNCLR), https://arxiv.org/abs/2104.14548, and Van Gansbeke et al. 2020 (SCAN),
https://arxiv.org/abs/2005.12320. Measured from efficientnet-lite0, last stage, tuned weights alone, with a tenth of the
pictures never trained on: NMI of k-means .597 -> .670 on landscapes and .770 -> .764 on bird photographs, where SimCLR
falls to .66; blend.py and benchmarks/ssl.md say what is made of that. Known failure: wrong neighbours; the fix: few of
them (82% of the nearest five were right on the landscapes; keeping mutual neighbours only was no better), and found
once, by the frozen encoder: renewed every second epoch they cost two points of neighbours' accuracy on the birds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Epoch, Setting
from models.ssl.methods import simclr

BLOCK = 512  # rows compared with all others at once: 200 MB at 100,000 images


class Params(simclr.Params):
    neighbours: int = Field(5, ge=1, le=1000, description="How many of a picture's nearest count as similar.")
    renew: int = Field(0, ge=0, description="Epochs after which neighbours are found anew; 0: never.")


class Neighbours(simclr.SimCLR):
    summary = "A picture and those that the encoder already finds most similar attract each other, others repel."
    paper = "https://arxiv.org/abs/2104.14548"
    Params = Params
    params: Params
    neighbours: Tensor  # (N, k) int64, -1 before the first epoch

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        k = max(1, min(params.neighbours, setting.images - 1))
        self.register_buffer("neighbours", torch.full((setting.images, k), -1))

    def start_epoch(self, run: Epoch) -> None:
        due = self.params.renew > 0 and run.epoch % self.params.renew == 0
        if due or bool((self.neighbours < 0).any()):
            self.neighbours.copy_(nearest(run.features(), self.neighbours.shape[1], run.alive))

    def sources(self, index: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        found = self.neighbours.cpu()[index]
        pick = torch.randint(found.shape[1], (len(index), 1), generator=generator)
        return {"second": found.gather(1, pick).squeeze(1)}


def nearest(features: Tensor, k: int, alive: Callable[[], None]) -> Tensor:
    """(N, D) -> (N, k) the nearest others of each row by cosine, nearest first; an only row has itself.

    Exact: 20 s for 20,000 rows of 1280 on two cores. alive: called with every block of rows.
    """
    unit = F.normalize(features, dim=1)
    if len(unit) == 1:
        return torch.zeros(1, k, dtype=torch.int64)
    found = []
    for rows in torch.arange(len(unit)).split(BLOCK):
        similarity = unit[rows] @ unit.T
        similarity[torch.arange(len(rows)), rows] = float("-inf")
        found.append(similarity.topk(k, dim=1).indices)
        alive()
    return torch.cat(found)


PLUGIN = Neighbours
