"""Rotation: tell by which angle a picture was turned, which takes knowing what it shows.

Gidaris, Singh and Komodakis 2018, https://arxiv.org/abs/1803.07728. CIFAR-10, NIN, by the angles: quarters 89.06,
eighths 88.51, halves 87.46, sideways 85.52. All turned copies of an image are in one batch. Pictures without an up,
such as many taken from above, cannot teach this.

Known failure: telling angles by the traces of turning. Multiples of 90 are flips and transposes, which keep every
pixel. For the eighths all angles are cut to a circle, whose corners say nothing, and all are turned by 22.5 degrees
twice, back or on, at twice the size: on 400 pictures of noise three energies of high frequencies then tell odd eighths
from even ones in 57 to 63% (chance 50), where turning only the odd ones leaves 95 to 100%.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torchvision.transforms import InterpolationMode, v2

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Transform, Views
from models.ssl.params import Params as Common
from models.ssl.views import scaled

ANGLES = {
    "quarters": (0, 90, 180, 270),
    "eighths": (0, 45, 90, 135, 180, 225, 270, 315),
    "halves": (0, 180),
    "sideways": (90, 270),
}
FINER = 2  # how much larger a picture is while it is turned obliquely: the blur stays below the pixels that remain


class Params(Common):
    angles: Literal["quarters", "eighths", "halves", "sideways"] = Field(
        "quarters", description="Which to tell apart: 0/90/180/270, every 45, 0/180 or 90/270 degrees."
    )
    batch_size: int = Field(
        64, ge=2, le=65_536, description="Images a step, over all processes together; each is there in every angle."
    )


class Rotation(Method):
    summary = "Pictures are turned, and the network is to tell by how much; for pictures that have a right way up."
    paper = "https://arxiv.org/abs/1803.07728"
    can_collapse = False  # one vector for every picture tells no angles apart
    Params = Params
    params: Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.angles = {f"turned{angle}": angle for angle in ANGLES[params.angles]}
        self.head = nn.Linear(encoder.dim, len(self.angles))

    def views(self) -> Views:
        """One transform an angle: the loop gives different ones the same random numbers, and so the same crop."""
        eighths = self.params.angles == "eighths"
        return {name: turned(self.setting, self.params.crop, angle, eighths) for name, angle in self.angles.items()}

    def loss(self, batch: Batch) -> Losses:
        logits = self.head(self.encoder(torch.cat([batch[name] for name in self.angles]))).float()
        images = len(batch["index"])
        truth = torch.arange(len(self.angles), device=logits.device).repeat_interleave(images)
        return {"loss": F.cross_entropy(logits, truth), "accuracy": (logits.argmax(1) == truth).float().mean()}


def turned(setting: Setting, crop: float, angle: int, eighths: bool) -> Transform:
    """A random crop, perhaps mirrored, then turned counter-clockwise, by a multiple of 90 degrees or, as one of the
    eighths, of 45.

    What lies outside the inscribed circle gets the mean colour when it is one of the eighths.
    """
    size = setting.size * (FINER if eighths else 1)
    shown = [v2.RandomResizedCrop(size, (crop, 1.0), antialias=True), v2.RandomHorizontalFlip()]
    if not eighths:
        return v2.Compose([*shown, scaled(setting), _Quarters(angle // 90)])
    quarters, rest = divmod(angle, 90)
    turns = [_Oblique(22.5), _Oblique(22.5 if rest else -22.5), _Quarters(quarters)]
    return v2.Compose([*shown, scaled(setting), *turns, nn.AvgPool2d(FINER), _Circle(setting.size)])


class _Quarters(nn.Module):
    """(3, S, S) -> the same turned counter-clockwise by quarters; every pixel is kept."""

    def __init__(self, quarters: int) -> None:
        super().__init__()
        self.quarters = quarters

    def forward(self, picture: Tensor) -> Tensor:
        return torch.rot90(picture, self.quarters, (-2, -1))


class _Oblique(nn.Module):
    """(3, S, S) -> the same turned counter-clockwise by degrees, by interpolation; corners of 0 come in."""

    def __init__(self, degrees: float) -> None:
        super().__init__()
        self.degrees = degrees

    def forward(self, picture: Tensor) -> Tensor:
        return v2.functional.rotate(picture, self.degrees, InterpolationMode.BILINEAR)


class _Circle(nn.Module):
    """(3, S, S), normalised -> 0, the mean colour, outside the inscribed circle."""

    inside: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        place = torch.arange(size) - (size - 1) / 2
        radius = size / 2 - 1  # a pixel less: at the rim interpolation mixes in what lies beyond the crop
        self.register_buffer("inside", (place[:, None] ** 2 + place**2 <= radius**2).float(), persistent=False)

    def forward(self, picture: Tensor) -> Tensor:
        return picture * self.inside


PLUGIN = Rotation
