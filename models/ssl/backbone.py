"""An encoder's network in two parts: a trunk that stays as it is, and a tail that is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn


class NetworkUnsupported(ValueError):
    """The network is of no family that Roost knows how to cut into blocks."""

    code = "encoder_untrainable"


class BlocksOutOfRange(ValueError):
    """More blocks are to be trained than there are, or none."""

    code = "params_invalid"


class Backbone(nn.Module):
    """(B, 3, S, S) normalised -> (B, D); with `from_maps`, (B, ...) outputs of the trunk -> (B, D).

    Training this trains `network`: the two share their modules.
    """

    def __init__(
        self,
        network: nn.Module,
        dim: int,
        train_blocks: int | Literal["all"] = "all",
        norm: Literal["frozen", "trained"] = "trained",
    ) -> None:
        """Raises NetworkUnsupported, BlocksOutOfRange."""
        super().__init__()
        first, blocks, last = stages(network)
        if train_blocks != "all" and not 1 <= train_blocks <= len(blocks):
            raise BlocksOutOfRange(f"train_blocks is 1 to {len(blocks)} or all for this encoder, not {train_blocks}")
        cut = 0 if train_blocks == "all" else len(blocks) - train_blocks
        whole = train_blocks == "all"
        self.trunk = nn.Sequential(*([] if whole else [*first, *blocks[:cut]]))
        self.tail = nn.Sequential(*([*first, *blocks, *last] if whole else [*blocks[cut:], *last]))
        self.trunk.requires_grad_(False)
        self.dim, self.norm, self.from_maps = dim, norm, False
        self._network = (network,)  # in a tuple, so that its parameters are not counted twice

    @property
    def network(self) -> nn.Module:
        return self._network[0]

    @property
    def has_trunk(self) -> bool:
        return len(self.trunk) > 0

    def forward(self, x: Tensor) -> Tensor:
        if self.from_maps:
            return self.tail(x.float())
        with torch.no_grad():
            maps = self.trunk(x)
        return self.tail(maps)

    def train(self, mode: bool = True) -> Backbone:
        """The trunk, and frozen batch norms, stay in evaluation mode."""
        super().train(mode)
        self.trunk.eval()
        if self.norm == "frozen":
            for module in self.tail.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def stages(network: nn.Module) -> tuple[list[nn.Module], list[nn.Module], list[nn.Module]]:
    """What comes before the blocks, the blocks, and what follows them; in a row they compute what `network` does."""
    from timm.models import EfficientNet, ResNet, VisionTransformer

    if isinstance(network, EfficientNet):
        last = [network.conv_head, network.bn2, network.global_pool]
        return [network.conv_stem, network.bn1], list(network.blocks), last
    if isinstance(network, ResNet):
        first = [network.conv1, network.bn1, network.act1, network.maxpool]
        return first, [network.layer1, network.layer2, network.layer3, network.layer4], [network.global_pool]
    if isinstance(network, VisionTransformer):
        first = [network.patch_embed, _Embed(network), network.norm_pre]
        return first, list(network.blocks), [network.norm, _Pool(network)]
    raise NetworkUnsupported(f"cannot cut a {type(network).__name__} into blocks; use an EfficientNet, ResNet or ViT")


def one_by_one(encoder: nn.Module, views: Iterable[Tensor]) -> Tensor:
    """V views (B, ...) -> (V * B, D), each through the encoder by itself, as are its batch statistics.

    On a CPU the activations of one view stay in the cache where those of two do not: BYOL's step on CIFAR-10 (batch
    128, ResNet-18 of 16 channels, two cores) took 7% less time.
    """
    return torch.cat([encoder(view) for view in views])


class _Embed(nn.Module):
    """A ViT's position embedding and its extra tokens, which are no module there."""

    def __init__(self, vit: nn.Module) -> None:
        super().__init__()
        self.pos_embed, self.cls_token, self.reg_token = vit.pos_embed, vit.cls_token, vit.reg_token
        self._vit = (vit,)

    def forward(self, x: Tensor) -> Tensor:
        embedded: Tensor = self._vit[0]._pos_embed(x)
        return embedded


class _Pool(nn.Module):
    """A ViT's way from tokens to one vector."""

    def __init__(self, vit: nn.Module) -> None:
        super().__init__()
        if vit.attn_pool is not None:
            raise NetworkUnsupported("cannot train a ViT that pools by attention")
        self.fc_norm = vit.fc_norm
        self._vit = (vit,)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.fc_norm(self._vit[0].pool(x))
        return pooled
