"""What labels would have taught the same network in the same time: cross-entropy, as one more method of the loop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms import v2

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.params import Params
from models.ssl.views import scaled


class Supervised(Method):
    summary = "Learn from labels."
    paper = ""
    truth: Tensor

    def __init__(self, encoder: Backbone, params: Params, setting: Setting, labels: Sequence[str]) -> None:
        super().__init__(encoder, params, setting)
        classes = sorted(set(labels))
        self.head = nn.Linear(encoder.dim, len(classes))
        self.register_buffer("truth", torch.tensor([classes.index(label) for label in labels]))

    def views(self) -> Views:
        crop = v2.RandomCrop(self.setting.size, padding=4)
        return {"view": v2.Compose([crop, v2.RandomHorizontalFlip(), scaled(self.setting)])}

    def loss(self, batch: Batch) -> Losses:
        logits, truth = self.head(self.encoder(batch["view"])), self.truth[batch["index"]]
        return {"loss": F.cross_entropy(logits, truth), "accuracy": (logits.argmax(1) == truth).float().mean()}
