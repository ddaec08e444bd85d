"""Small networks to train from scratch on small pictures; the fine-tuning of real encoders does not need them."""

from __future__ import annotations

from torch import nn

STEM = 64  # channels


def resnet18_cifar(width: int = 64) -> tuple[nn.Module, int]:
    """ResNet-18 for 32 x 32 pictures: a 3 x 3 stem of stride 1 and no pooling after it, as in SimCLR's appendix B.9.

    width: channels of the first stage, 64 in the paper. Returns the network, (B, 3, S, S) -> (B, D), and D = 8 * width.
    """
    from timm.layers import get_norm_layer
    from timm.models.resnet import BasicBlock, ResNet

    channels = (width, 2 * width, 4 * width, 8 * width)
    network = ResNet(
        BasicBlock, [2, 2, 2, 2], channels=channels, num_classes=0, norm_layer=get_norm_layer("batchnorm2d")
    )
    network.conv1, network.maxpool = nn.Conv2d(3, width, 3, padding=1, bias=False), nn.Identity()
    if width != STEM:  # which timm's stem always has
        network.bn1 = nn.BatchNorm2d(width)
        network.layer1 = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
    network.init_weights()
    return network, 8 * width


def vit_tiny(size: int = 32, patch: int = 4, dim: int = 192, depth: int = 6) -> tuple[nn.Module, int]:
    """A small ViT for small pictures. Returns the network, (B, 3, S, S) -> (B, dim), and dim.

    It embeds positions for any S that the patch divides, so that DINO's small crops fit.
    """
    from timm.models import VisionTransformer

    network = VisionTransformer(
        img_size=size, patch_size=patch, embed_dim=dim, depth=depth, num_heads=dim // 64, num_classes=0,
        dynamic_img_size=True,
    )  # fmt: skip
    return network, dim
