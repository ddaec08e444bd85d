"""VICReg: two views agree, every dimension keeps varying over the batch, and no two dimensions say the same.

Bardes, Ponce and LeCun 2022, https://arxiv.org/abs/2105.04906. ImageNet, ResNet-50: linear 73.2 after 1000 epochs;
CIFAR-10, ResNet-18: 92.1. The expander is 3 x 8192 there; narrower ones do worse, and the default here is what a
processor can bear. Known failure: without the variance term every image gets the same vector, without the covariance
term all dimensions follow one; so watch both.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.distributed import gather_with_gradient
from models.ssl.heads import mlp
from models.ssl.params import Params as Common
from models.ssl.views import contrastive

EPSILON = 1e-4  # under the square root, whose slope at 0 is infinite


class Params(Common):
    invariance: float = Field(25.0, ge=0, description="Weight of: two views of a picture get the same vector.")
    variance: float = Field(25.0, ge=0, description="Weight of: each dimension deviates by at least 1 over the batch.")
    covariance: float = Field(1.0, ge=0, description="Weight of: dimensions are not correlated.")
    expansion: int = Field(2048, ge=2, description="Width of the expander's three layers.")


class VICReg(Method):
    summary = "Two views of a picture agree, while the numbers that describe pictures stay varied and independent."
    paper = "https://arxiv.org/abs/2105.04906"
    Params = Params
    params: Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.expander = mlp(encoder.dim, params.expansion, params.expansion, params.expansion)

    def views(self) -> Views:
        view = contrastive(self.setting, self.params.crop)
        return {"first": view, "second": view}

    def loss(self, batch: Batch) -> Losses:
        both = self.expander(self.encoder(torch.cat([batch["first"], batch["second"]])))
        params = self.params
        with torch.autocast(both.device.type, enabled=False):  # covariances need all their digits
            terms = vicreg(*both.float().chunk(2))
        weights = {"invariance": params.invariance, "variance": params.variance, "covariance": params.covariance}
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return {"loss": loss, **{name: term.detach() for name, term in terms.items()}}


def vicreg(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """The three terms of (B, D) and (B, D), not yet weighted; B is at least 2 over all processes.

    As in the authors' code the variance term is the mean of both views' and the covariance term their sum. Statistics
    are those of all processes' rows, so that the mean of the processes' losses is that of one.
    """
    views = [gather_with_gradient(view) for view in (first, second)]
    return {
        "invariance": F.mse_loss(first, second),
        "variance": torch.stack([lack_of_variance(view) for view in views]).mean(),
        "covariance": torch.stack([redundancy(view) for view in views]).sum(),
    }


def lack_of_variance(rows: Tensor) -> Tensor:
    """(B, D) -> how far dimensions' standard deviations lie below 1, on average."""
    return F.relu(1 - (rows.var(dim=0) + EPSILON).sqrt()).mean()


def redundancy(rows: Tensor) -> Tensor:
    """(B, D) -> the squared covariances of different dimensions, summed, over D."""
    centred = rows - rows.mean(dim=0)
    covariance = centred.T @ centred / (len(rows) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / rows.shape[1]


PLUGIN = VICReg
