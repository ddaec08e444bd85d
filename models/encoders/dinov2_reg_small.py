"""DINOv2 with registers, Darcet et al. 2023, https://arxiv.org/abs/2309.16588: ViT-S/14."""

from models.encoders.hub import HubEncoder

PLUGIN = HubEncoder(
    name="dinov2-reg-small",
    base="vit_small_patch14_reg4_dinov2.lvd142m",
    dim=384,
    licence="Apache-2.0",
    summary="DINOv2 ViT-S/14 with four register tokens, self-supervised on 142 million pictures.",
)
