"""Random views of a picture, by torchvision's transforms v2 on uint8 tensors."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms import v2

from models.ssl.base import Setting, Transform

SMALL = 64  # pixels: below, pictures have nothing that a blur would take away


def contrastive(setting: Setting, crop: float, *, size: int | None = None, largest: float = 1.0) -> Transform:
    """SimCLR's view (Chen 2020, appendix A), on the encoder's scale; see `augmented`."""
    return v2.Compose([augmented(size or setting.size, crop, largest), scaled(setting)])


def augmented(size: int, crop: float, largest: float = 1.0) -> Transform:
    """Random crop, flip, colour jitter, grey, blur: (3, H, W) uint8 -> (3, size, size) uint8.

    crop, largest  the crop's share of the picture's area

    The blur's kernel spans two standard deviations to each side, where the paper's covers a tenth of the picture: 2
    instead of 11 ms for a view of 224 pixels.
    """
    jitter = v2.ColorJitter(0.4, 0.4, 0.4, 0.1)
    steps: list[v2.Transform] = [
        v2.RandomResizedCrop(size, (crop, largest), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([jitter], 0.8),
        v2.RandomGrayscale(0.2),
    ]
    if size > SMALL:
        steps.append(v2.RandomApply([v2.GaussianBlur(9, (0.1, 2.0))], 0.5))
    return v2.Compose(steps)


def plain(setting: Setting) -> Transform:
    """The picture's centre, as the encoder sees it when it embeds: a working copy's middle seven eighths."""
    return v2.Compose([_Centre(setting.size), scaled(setting)])


def scaled(setting: Setting) -> Transform:
    """uint8 to the encoder's scale, float32."""
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(setting.mean), list(setting.std))])


class _Centre(torch.nn.Module):
    """(3, H, W) -> (3, S, S): a short side beyond 8/7 of S is resized to that; then the centre is cut."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, picture: Tensor) -> Tensor:
        short = min(picture.shape[-2:])
        target = max(self.size, min(short, round(self.size * 8 / 7)))
        if target != short:
            picture = v2.functional.resize(picture, [target], antialias=True)
        return v2.functional.center_crop(picture, [self.size, self.size])
