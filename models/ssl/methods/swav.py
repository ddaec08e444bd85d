"""SwAV: from one view, predict to which prototypes the batch's balanced assignment gives the other.

Caron et al. 2020, https://arxiv.org/abs/2006.09882. ImageNet, ResNet-50: linear 75.3 after 800 epochs with two large
and six small crops; CIFAR-10, ResNet-18: 89.2 after 1000. Known failure: all images on one prototype; the balance over
the batch (Sinkhorn) takes that way out, and prototypes that stand still for the first epoch let the network find its
feet. In a batch much smaller than the number of prototypes the balance says little: a queue of earlier views steadies
it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torchvision.transforms import v2

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Epoch, Losses, Method, Setting, Views
from models.ssl.distributed import gather, rank
from models.ssl.heads import mlp
from models.ssl.methods.dino import cross_view, local_size
from models.ssl.params import Params as Common
from models.ssl.views import contrastive

LARGE = ["first", "second"]


class Params(Common):
    prototypes: int = Field(512, ge=2, le=65_536, description="Directions to which images are assigned.")
    temperature: float = Field(0.1, gt=0, le=10, description="Lower: predictions are sharper.")
    epsilon: float = Field(0.05, gt=0, le=10, description="Lower: assignments are sharper; the balance takes longer.")
    iterations: int = Field(3, ge=1, le=100, description="Sinkhorn's, to balance the assignments.")
    local_crops: int = Field(0, ge=0, le=32, description="Small crops an image, beside the two large ones.")
    smallest_crop: float = Field(0.05, gt=0, lt=1, description="Least share of the area that a small crop keeps.")
    queue: int = Field(0, ge=0, le=65_536, description="Earlier images that join the balance once there are as many.")
    frozen_epochs: int = Field(1, ge=0, description="Epochs at the start in which the prototypes stand still.")
    hidden: int = Field(2048, ge=1, description="Width of the projector's hidden layer.")
    projection: int = Field(128, ge=2, description="Width of what is compared with the prototypes.")


class SwAV(Method):
    summary = "Two views of a picture are to belong to the same of many groups, which all stay equally large."
    paper = "https://arxiv.org/abs/2006.09882"
    Params = Params
    params: Params
    begun: Tensor
    queued: Tensor
    queue: Tensor

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.projector = mlp(encoder.dim, params.hidden, params.projection)
        self.prototypes = nn.Parameter(F.normalize(torch.randn(params.prototypes, params.projection), dim=1))
        self.register_buffer("begun", torch.tensor(0))  # epochs
        self.register_buffer("queued", torch.tensor(0))  # images, at most those that fit
        self.register_buffer("queue", torch.zeros(len(LARGE), params.queue, params.projection))  # newest first
        self.newest = torch.empty(0)  # (2, B, D) of the step; what is kept is the queue
        self.small = [f"small_{number}" for number in range(params.local_crops)]

    def views(self) -> Views:
        large = contrastive(self.setting, self.params.crop)
        least = min(self.params.smallest_crop, self.params.crop)
        size = local_size(self.encoder.network, self.setting.size)
        crop = contrastive(self.setting, least, size=size, largest=self.params.crop)
        small = v2.Compose([_spend, crop])  # or it would repeat the large crops' place and colours
        return dict.fromkeys(LARGE, large) | dict.fromkeys(self.small, small)

    def start_epoch(self, run: Epoch) -> None:
        self.begun += 1

    def loss(self, batch: Batch) -> Losses:
        crops = [torch.cat([batch[name] for name in names]) for names in (LARGE, self.small) if names]
        projected = F.normalize(self.projector(torch.cat([self.encoder(crop) for crop in crops])).float(), dim=1)
        prototypes = self.prototypes.detach() if self.begun <= self.params.frozen_epochs else self.prototypes
        scores = (projected @ prototypes.T).float().unflatten(0, (len(LARGE) + len(self.small), -1))
        codes = torch.stack([self._codes(view, number) for number, view in enumerate(scores[: len(LARGE)].detach())])
        self.newest = projected.detach().unflatten(0, (len(scores), -1))[: len(LARGE)]
        used = torch.bincount(codes.argmax(2).flatten(), minlength=len(prototypes)) > 0
        return {"loss": cross_view(scores, codes, self.params.temperature), "prototypes_used": used.float().mean()}

    @torch.no_grad()
    def after_step(self, batch: Batch, t: float) -> None:
        self.prototypes.copy_(F.normalize(self.prototypes, dim=1))
        if self.params.queue:
            newest = torch.stack([gather(view) for view in self.newest])
            self.queued.copy_((self.queued + newest.shape[1]).clamp(max=self.params.queue))
            self.queue.copy_(torch.cat([newest, self.queue], dim=1)[:, : self.params.queue])

    def _codes(self, scores: Tensor, view: int) -> Tensor:
        """(B, K) of one large view -> (B, K), balanced over all processes and, once it is full, the queue."""
        full = bool(self.params.queue) and int(self.queued) == self.params.queue
        earlier = self.queue[view] @ self.prototypes.detach().T if full else scores[:0]
        return balanced(scores, earlier, self.params.epsilon, self.params.iterations)


def balanced(scores: Tensor, earlier: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Sinkhorn's codes: (B, K) scores, this process's, and (Q, K) further ones -> (B, K), each row summing to 1.

    All prototypes get the same share of all processes' images and the further ones together. In logarithms: a small
    epsilon neither overflows nor leaves a prototype with nothing.
    """
    codes = torch.cat([gather(scores), earlier]) / epsilon
    for _ in range(iterations):
        codes = codes.log_softmax(dim=0).log_softmax(dim=1)
    return codes[rank() * len(scores) : (rank() + 1) * len(scores)].exp()


def _spend(picture: Tensor) -> Tensor:
    """Uses up a random number: views of one draw start from the same, and would share their place and colours."""
    torch.rand(1)
    return picture


PLUGIN = SwAV
