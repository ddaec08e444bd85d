"""DINO, Caron et al. 2021, https://arxiv.org/abs/2104.14294: ViT-S/16."""

from models.encoders.hub import HubEncoder

PLUGIN = HubEncoder(
    name="dino-small",
    base="vit_small_patch16_224.dino",
    dim=384,
    licence="Apache-2.0",
    summary="DINO ViT-S/16, self-supervised on ImageNet.",
)
