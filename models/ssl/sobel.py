"""A fixed Sobel filter in front of a network, so that it cannot tell pictures by colour (as in Caron 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ssl.base import Setting


class Sobel(nn.Module):
    """(B, 3, S, S) normalised -> (B, 3, S, S): the grey picture's slope to the right, downwards, and its steepness.

    Slopes are those of a picture whose grey deviates by about 1, so that they are on the scale the encoder is used to.
    """

    kernels: Tensor
    weights: Tensor

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        right = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
        std = torch.tensor(setting.std)
        self.register_buffer("kernels", torch.stack([right, right.T])[:, None], persistent=False)
        self.register_buffer("weights", (std / std.sum())[:, None, None], persistent=False)

    def forward(self, view: Tensor) -> Tensor:
        grey = (view * self.weights).sum(1, keepdim=True)
        slopes = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), self.kernels)  # no edge at the border
        return torch.cat([slopes, slopes.norm(dim=1, keepdim=True)], dim=1)
