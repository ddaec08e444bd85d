"""MAE, He et al. 2021, https://arxiv.org/abs/2111.06377: ViT-B/16."""

from models.encoders.hub import HubEncoder

PLUGIN = HubEncoder(
    name="mae-base",
    base="vit_base_patch16_224.mae",
    dim=768,
    licence="CC-BY-NC-4.0",
    summary="MAE ViT-B/16, self-supervised on ImageNet; for fine-tuning, weak as it is; not for commercial use.",
)
