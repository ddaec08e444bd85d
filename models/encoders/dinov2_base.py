"""DINOv2, Oquab et al. 2023, https://arxiv.org/abs/2304.07193: ViT-B/14."""

from models.encoders.hub import HubEncoder

PLUGIN = HubEncoder(
    name="dinov2-base",
    base="vit_base_patch14_dinov2.lvd142m",
    dim=768,
    licence="Apache-2.0",
    summary="DINOv2 ViT-B/14, self-supervised on 142 million pictures; wants a GPU.",
)
