"""MAE: a ViT sees a quarter of a picture's patches, and a light decoder paints the others.

He et al. 2022, https://arxiv.org/abs/2111.06377. CIFAR-10, ViT-T: 89.8 after fine-tuning with all labels, 74.1 from
scratch. Known failure: its features cluster badly before labels have reshaped them, so that encoders that already group
pictures well, such as DINO's, lose by it; for those take another method.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torchvision.transforms import v2

from models.ssl.backbone import Backbone, NetworkUnsupported
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.params import Params as Common
from models.ssl.views import scaled

HEAD_DIM = 32  # of the decoder's attention
EPSILON = 1e-6  # added to the variance of a patch


class Params(Common):
    crop: float = Field(0.2, gt=0, le=1, description="Least share of the picture's area that a random crop keeps.")
    mask_ratio: float = Field(0.75, gt=0, lt=1, description="Share of the patches that are hidden.")
    decoder_dim: int = Field(128, ge=HEAD_DIM, le=1024, multiple_of=HEAD_DIM, description="Width of the decoder.")
    decoder_blocks: int = Field(2, ge=1, le=8, description="Its depth.")


class MAE(Method):
    summary = "Three quarters of a picture are hidden; the network learns to fill them in from the rest."
    paper = "https://arxiv.org/abs/2111.06377"
    needs = frozenset({"vit", "pixels"})
    can_collapse = False  # vectors of one direction still tell pictures apart: from scratch the spread falls to a tenth
    Params = Params
    params: Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        """Raises NetworkUnsupported when the encoder is no plain ViT, or has too few patches."""
        super().__init__(encoder, params, setting)
        self.patch = patch_side(encoder.network, setting.size)
        side = setting.size // self.patch
        self.count = side**2
        self.visible = min(self.count - 1, max(1, round(self.count * (1 - params.mask_ratio))))
        self.decoder = Decoder(encoder.network, params.decoder_dim, params.decoder_blocks, side, 3 * self.patch**2)

    def views(self) -> Views:
        """Crops and flips alone: hiding is what makes the task hard."""
        crop = v2.RandomResizedCrop(self.setting.size, (self.params.crop, 1.0), antialias=True)
        return {"view": v2.Compose([crop, v2.RandomHorizontalFlip(), scaled(self.setting)])}

    def loss(self, batch: Batch) -> Losses:
        images = batch["view"]
        order = torch.rand(len(images), self.count, device=images.device).argsort(1)
        seen, hidden = order[:, : self.visible], order[:, self.visible :]
        painted = self.decoder(self.encode(images, seen), seen)
        return {"loss": hidden_error(painted.to(images.dtype), normalised(patches(images, self.patch)), hidden)}

    def encode(self, images: Tensor, seen: Tensor) -> Tensor:
        """(B, 3, S, S) and (B, V), which patches the encoder sees -> (B, P + V, D): its P extra tokens, and theirs.

        The others are dropped before the first block, so nothing of them reaches a token that is kept.
        """
        vit = self.encoder.network
        tokens = vit._pos_embed(vit.patch_embed(images))
        extra, tokens = tokens[:, : vit.num_prefix_tokens], tokens[:, vit.num_prefix_tokens :]
        kept = torch.cat([extra, rows(tokens, seen)], 1)
        encoded: Tensor = vit.norm(vit.blocks(vit.norm_pre(kept)))
        return encoded


class Decoder(nn.Module):
    """(B, P + V, D) of the encoder and (B, V), which patches those are -> (B, N, C), every patch's pixels."""

    def __init__(self, vit: nn.Module, dim: int, blocks: int, side: int, pixels: int) -> None:
        from timm.layers import build_sincos2d_pos_embed
        from timm.models.vision_transformer import Block

        super().__init__()
        self.extra = vit.num_prefix_tokens
        self.embed = nn.Linear(vit.embed_dim, dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.register_buffer("positions", build_sincos2d_pos_embed([side, side], dim), persistent=False)
        self.blocks = nn.Sequential(*[Block(dim, dim // HEAD_DIM, qkv_bias=True) for _ in range(blocks)])
        self.norm = nn.LayerNorm(dim)
        self.predict = nn.Linear(dim, pixels)

    def forward(self, encoded: Tensor, seen: Tensor) -> Tensor:
        tokens = self.embed(encoded)
        extra, shown = tokens[:, : self.extra], tokens[:, self.extra :]
        every = self.mask_token.to(shown.dtype).expand(len(seen), len(self.positions), -1)
        every = every.scatter(1, seen[..., None].expand_as(shown), shown) + self.positions
        decoded = self.norm(self.blocks(torch.cat([extra, every], 1)))
        painted: Tensor = self.predict(decoded[:, self.extra :])
        return painted


def hidden_error(painted: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared error of (B, N, C) and (B, N, C) in the (B, H) patches that were hidden; the others do not count."""
    return (rows(painted, hidden) - rows(target, hidden)).square().mean()


def patches(images: Tensor, side: int) -> Tensor:
    """(B, 3, S, S) -> (B, N, side * side * 3), row by row, as a ViT counts them."""
    cut = images.unfold(2, side, side).unfold(3, side, side)  # (B, 3, rows, columns, side, side)
    return cut.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)


def normalised(target: Tensor) -> Tensor:
    """Each patch with mean 0 and variance 1: contrast within patches counts, not their brightness."""
    return (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + EPSILON).sqrt()


def rows(tokens: Tensor, index: Tensor) -> Tensor:
    """(B, N, D) and (B, K) -> (B, K, D)"""
    return tokens.gather(1, index[..., None].expand(-1, -1, tokens.shape[2]))


def patch_side(vit: nn.Module, size: int) -> int:
    """Pixels. Raises NetworkUnsupported where hidden patches could leak into others, or none could be hidden."""
    from timm.layers import PatchEmbed
    from timm.models import VisionTransformer

    if not isinstance(vit, VisionTransformer) or not isinstance(vit.patch_embed, PatchEmbed):
        raise NetworkUnsupported(f"mae needs a ViT that cuts pictures into patches, not a {type(vit).__name__}")
    height, width = vit.patch_embed.patch_size
    if vit.patch_embed.proj.stride != (height, width) or height != width or size % height or size < 2 * height:
        raise NetworkUnsupported(f"mae needs pictures of 2 x 2 whole square patches or more, not {size} pixels")
    return int(height)


PLUGIN = MAE
