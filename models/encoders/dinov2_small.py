"""DINOv2, Oquab et al. 2023, https://arxiv.org/abs/2304.07193: ViT-S/14."""

from models.encoders.hub import HubEncoder

PLUGIN = HubEncoder(
    name="dinov2-small",
    base="vit_small_patch14_dinov2.lvd142m",
    dim=384,
    licence="Apache-2.0",
    summary="DINOv2 ViT-S/14, self-supervised on 142 million pictures; the best for its size.",
)
